"""Architectures that others have measured, with what they printed: parameters, and FLOPs of a training step.

Parameters are those that the logs of Zhu et al. (2022), BARS: towards open benchmarking for recommender systems, give.
A batch norm has two parameters for each unit. With release 2 of that library each categorical field has one row more.
Where a model has several outputs, each has a bias of its own there, and none is added to their sum.

FLOPs are GFLOP per example, forward and backward, of 720 fields of dimension 160 in Zhang et al. (2024), Wukong:
towards a scaling law for large-scale recommendation. Of the other rows that its tables have, only AutoInt on Frappe is
determined by what is printed: it has the parameters of the run in the logs. Dimension or widths of the others (DLRM,
DCNv2, FinalMLP, MaskNet and Wukong on five public sets, MaskNet, FinalMLP, AutoInt and AFN on 720 fields) are not
told, nor is the size of the network that makes the projection of Wukong from its tokens, which the four smallest of
720 fields have and the three largest hardly notice.
"""

from __future__ import annotations

from searchspaces import Architecture, FeatureSchema, Field, Kind, Node, Options
from tests.searchspaces.graphs import schema, with_output

VOTE = Options(width=1, bias=False)
DEEP = (400, 400, 400)


def table(rows: int, fields: int) -> FeatureSchema:
    """Categorical fields whose vocabularies have so many rows together."""
    sizes = [rows - fields + 1] + [1] * (fields - 1)
    return FeatureSchema(tuple(Field(f"c{at}", Kind.CATEGORICAL, size) for at, size in enumerate(sizes)))


FRAPPE, FRAPPE_2 = table(5_389, 10), table(5_399, 10)
CRITEO = table(2_086_316, 39)  # the benchmark embeds the 13 numeric fields as one row each
CRITEO_DLRM = FeatureSchema((*(Field(f"n{at}", Kind.NUMERIC) for at in range(13)), *table(2_086_316 - 13, 26).fields))
LARGE = schema(numeric=0, categorical=720)


def full(dim: int) -> Node:
    return Node("full", (), Options(dim=dim))


def mlp(*inputs: int, widths: tuple[int, ...], norm: str = "none") -> Node:
    return Node("mlp", inputs, Options(widths=widths, norm=norm))


def logit(source: int) -> Node:
    """One output among several."""
    return Node("linear", (source,), Options(width=1))


def with_linear_part(*nodes: Node, outputs: tuple[int, ...]) -> Architecture:
    """The nodes, which begin with tables of ten numbers and of one, and a weight for each row beside the outputs."""
    linear = Node("sum", (1,))
    return Architecture((*nodes, linear, Node("sum_logit", (*outputs, len(nodes)), Options(bias=False))))


def factorization_machine(*rest: Node) -> Architecture:
    pairs = Node("fm", (0,), Options(first_order=False))
    votes = (2, 3, 3 + len(rest)) if rest else (2, 3)
    return Architecture((full(10), full(1), pairs, Node("sum", (1,)), *rest, Node("sum_logit", votes)))


def deepfm(widths: tuple[int, ...]) -> Architecture:
    return factorization_machine(mlp(0, widths=widths, norm="batch"), Node("linear", (4,), VOTE))


def dlrm() -> Architecture:
    bottom = (mlp(0, widths=DEEP, norm="batch"), Node("linear", (2,), Options(width=10)))
    dot = Node("dot_product", (1, 3), Options(dense_tokens=True))
    return with_output(Node("numeric"), full(10), *bottom, dot, mlp(3, 4, widths=DEEP, norm="batch"))


def dcnv2(layers: int, widths: tuple[int, ...], norm: str) -> Architecture:
    cross = Node("cross", (0,), Options(layers=layers))
    return Architecture((full(10), cross, mlp(0, widths=widths, norm=norm), Node("logit", (1, 2))))


def attention(first: int, layers: int, options: Options) -> list[Node]:
    """Layers in a row, the first of which has number `first`; it reads node 0."""
    sources = (0, *range(first, first + layers - 1))
    return [Node("self_attention", (source,), options) for source in sources]


def autoint(layers: int) -> Architecture:
    return with_output(full(10), *attention(1, layers, Options(width=128, heads=4)))


def autoint_plus(layers: int) -> Architecture:
    attended = attention(1, layers, Options(width=128, layer_norm=True))
    deep = mlp(0, widths=DEEP, norm="batch")
    outputs = Node("sum_logit", (layers + 2, layers + 3), Options(bias=False))
    return Architecture((full(10), *attended, deep, logit(layers), logit(layers + 1), outputs))


def autoint_with_linear_part(layers: int) -> Architecture:
    attended = attention(2, layers, Options(width=256, layer_norm=True))
    return with_linear_part(full(10), full(1), *attended, logit(layers + 1), outputs=(layers + 2,))


def cin(maps: tuple[int, ...]) -> Architecture:
    return with_linear_part(full(10), full(1), Node("cin", (0,), Options(maps=maps)), logit(2), outputs=(3,))


def xdeepfm(maps: tuple[int, ...]) -> Architecture:
    crossed, deep = Node("cin", (0,), Options(maps=maps)), mlp(0, widths=DEEP, norm="batch")
    return with_linear_part(full(10), full(1), crossed, deep, logit(2), logit(3), outputs=(4, 5))


def fibinet(weights: str, reduction: int, norm: str) -> Architecture:
    weighted = Node("senet", (0,), Options(reduction=reduction))
    pairs = Node("bilinear", (0, 2), Options(weights=weights, each_input=True))
    deep = mlp(3, widths=DEEP, norm=norm)
    return with_linear_part(full(10), full(1), weighted, pairs, deep, logit(4), outputs=(5,))


def masked(value: int, *, width: int, ratio: float) -> Node:
    return Node("mask", (0, value), Options(ports=["mask", "value"], width=width, ratio=ratio))


def parallel_masknet() -> Architecture:
    blocks = (masked(0, width=50, ratio=2),) * 3
    return with_output(full(10), *blocks, mlp(1, 2, 3, widths=DEEP))


def serial_masknet() -> Architecture:
    return with_output(full(10), *(masked(at, width=400, ratio=0.2) for at in range(3)))


def final_block(source: int, *, widths: tuple[int, ...], gate: bool = False) -> Node:
    return Node("final_block", (source,), Options(widths=widths, norm="batch", field_gate=gate))


def finalnets() -> Architecture:
    """Two networks with a logit each; a factor of a half and the distillation between them cost nothing."""
    networks = (final_block(0, widths=(400, 400), gate=True), final_block(0, widths=(400,)))
    return Architecture((full(10), *networks, logit(1), logit(2), Node("sum_logit", (3, 4), Options(bias=False))))


LOGISTIC_REGRESSION = Architecture((full(1), Node("sum", (0,)), Node("sum_logit", (1,))))

PARAMETERS = {
    "LR on Frappe_x1": (LOGISTIC_REGRESSION, FRAPPE, 5_390),
    "FM on Frappe_x1": (factorization_machine(), FRAPPE, 59_280),
    "DeepFM on Frappe_x1": (deepfm(DEEP), FRAPPE, 423_280),
    "DLRM on Frappe_x1": (with_output(full(10), mlp(0, widths=DEEP, norm="batch")), FRAPPE, 417_891),
    "DCNv2 on Frappe_x1": (dcnv2(4, DEEP, "batch"), FRAPPE, 458_391),
    "AutoInt on Frappe_x1": (autoint(6), FRAPPE, 306_051),
    "AutoInt+ on Frappe_x1": (autoint_plus(5), FRAPPE, 622_180),
    "CIN on Frappe_x1": (cin((64, 64, 64)), FRAPPE, 147_984),
    "xDeepFM on Frappe_x1": (xdeepfm((64,)), FRAPPE, 429_809),
    "MaskNet on Frappe_x1": (parallel_masknet(), FRAPPE, 571_691),
    "FiBiNET on Frappe_x1": (fibinet("shared", 2, "batch"), FRAPPE, 743_480),
    "FinalNet 1B on Frappe_x1": (with_output(full(10), final_block(0, widths=(400, 400))), FRAPPE_2, 256_791),
    "FinalNet 2B on Frappe_x1": (finalnets(), FRAPPE_2, 338_502),
    "LR on Criteo_x1": (LOGISTIC_REGRESSION, CRITEO, 2_086_317),
    "FM on Criteo_x1": (factorization_machine(), CRITEO, 22_949_477),
    "DeepFM on Criteo_x1": (deepfm(DEEP), CRITEO, 23_429_477),
    "DLRM on Criteo_x1": (dlrm(), CRITEO_DLRM, 21_664_241),
    "DCNv2 on Criteo_x1": (dcnv2(3, (500, 500, 500), "none"), CRITEO, 22_018_021),
    "CrossNetV2 on Criteo_x1": (with_output(full(10), Node("cross", (0,), Options(layers=5))), CRITEO, 21_626_001),
    "AutoInt on Criteo_x1": (autoint_with_linear_part(3), CRITEO, 23_364_453),
    "CIN on Criteo_x1": (cin((32,) * 5), CRITEO, 23_158_213),
    "MaskNet on Criteo_x1": (serial_masknet(), CRITEO, 21_530_629),
    "FiBiNET on Criteo_x1": (fibinet("pair", 12, "none"), CRITEO, 29_273_411),
}


def large_dlrm(width: int) -> Architecture:
    return with_output(full(160), Node("dot_product", (0,)), mlp(1, widths=(width,) * 4))


def large_dcnv2(width: int) -> Architecture:
    cross = Node("cross", (0,), Options(kind="low_rank", layers=2, rank=512))
    return Architecture((full(160), cross, mlp(0, widths=(width,) * 4), Node("logit", (1, 2))))


def large_wukong(tokens: int, width: int) -> Architecture:
    options = Options(fm_tokens=tokens, linear_tokens=tokens, rank=tokens, widths=(width,) * 3)
    return with_output(full(160), *(Node("wukong", (at,), options) for at in range(8)))


# architecture, fields, GFLOP as printed, share by which it may differ
TRAINING_FLOPS = {
    "AutoInt on Frappe_x1": (autoint(6), FRAPPE, 0.015982, 1e-4),
    "DLRM 4x4096": (large_dlrm(4096), LARGE, 7.29, 0.02),
    "DLRM 4x8192": (large_dlrm(8192), LARGE, 14.61, 0.02),
    "DLRM 4x16384": (large_dlrm(16384), LARGE, 31.0, 0.02),
    "DLRM 4x32768": (large_dlrm(32768), LARGE, 71.23, 0.02),
    "DCN 4x2048": (large_dcnv2(2048), LARGE, 2.95, 0.03),  # printed as 3.0, which 2.95 is as well
    "DCN 4x4096": (large_dcnv2(4096), LARGE, 4.67, 0.03),
    "DCN 4x16384": (large_dcnv2(16384), LARGE, 17.85, 0.03),
    "DCN 4x32768": (large_dcnv2(32768), LARGE, 43.88, 0.03),
    "Wukong 96, 3x8192": (large_wukong(96, 8192), LARGE, 22.23, 0.08),
    "Wukong 96, 3x16384": (large_wukong(96, 16384), LARGE, 61.0, 0.08),
    "Wukong 192, 3x16384": (large_wukong(192, 16384), LARGE, 108.0, 0.08),
}
