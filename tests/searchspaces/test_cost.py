"""Closed-form costs against parameter counts that the BARS benchmark logged.

Zhu et al. (2022), BARS: towards open benchmarking for recommender systems. A batch norm has two parameters for each
unit. With release 2 of that library each categorical field has one row more.
"""

import pytest

from searchspaces import Architecture, ArchitectureError, FeatureSchema, Field, Kind, Node, Options, PluginError
from searchspaces.cost import cost, fed, node_costs, shapes
from tests.searchspaces.graphs import schema, with_output

NUMERIC, OUTPUT = Node("numeric"), Node("logit", (0,))


def table(rows: int, fields: int) -> FeatureSchema:
    """Categorical fields whose vocabularies have so many rows together."""
    sizes = [rows - fields + 1] + [1] * (fields - 1)
    return FeatureSchema(tuple(Field(f"c{at}", Kind.CATEGORICAL, size) for at, size in enumerate(sizes)))


FRAPPE, FRAPPE_2 = table(5_389, 10), table(5_399, 10)
CRITEO = table(2_086_316, 39)  # the benchmark embeds the 13 numeric fields as one row each


def full(dim: int) -> Node:
    return Node("full", (), Options(dim=dim))


def mlp(*inputs: int, widths: tuple[int, ...], norm: str = "none") -> Node:
    return Node("mlp", inputs, Options(widths=widths, norm=norm))


def factorization_machine(*rest: Node) -> Architecture:
    pairs = Node("fm", (0,), Options(first_order=False))
    votes = (2, 3, 3 + len(rest)) if rest else (2, 3)
    return Architecture((full(10), full(1), pairs, Node("sum", (1,)), *rest, Node("sum_logit", votes)))


def deepfm(widths: tuple[int, ...]) -> Architecture:
    return factorization_machine(mlp(0, widths=widths, norm="batch"), Node("linear", (4,), VOTE))


def dcnv2(layers: int, widths: tuple[int, ...], norm: str) -> Architecture:
    cross = Node("cross", (0,), Options(layers=layers))
    return Architecture((full(10), cross, mlp(0, widths=widths, norm=norm), Node("logit", (1, 2))))


def masked(value: int, *, width: int, ratio: float) -> Node:
    return Node("mask", (0, value), Options(ports=["mask", "value"], width=width, ratio=ratio))


def final_block(source: int, *, widths: tuple[int, ...], gate: bool = False) -> Node:
    return Node("final_block", (source,), Options(widths=widths, norm="batch", field_gate=gate))


VOTE = Options(width=1, bias=False)
LOGISTIC_REGRESSION = Architecture((full(1), Node("sum", (0,)), Node("sum_logit", (1,))))
CROSS_ONLY = with_output(full(10), Node("cross", (0,), Options(layers=5)))
PARALLEL_MASKNET = Architecture(
    (full(10), *(masked(0, width=50, ratio=2),) * 3, mlp(1, 2, 3, widths=(400, 400, 400)), Node("logit", (4,)))
)
SERIAL_MASKNET = with_output(full(10), *(masked(at, width=400, ratio=0.2) for at in range(3)))
FINALNET = with_output(full(10), final_block(0, widths=(400, 400)))
# Two networks give a logit each; a factor of a half and the distillation between them cost nothing.
FINALNETS = Architecture(
    (
        full(10),
        final_block(0, widths=(400, 400), gate=True),
        final_block(0, widths=(400,)),
        Node("linear", (1,), Options(width=1)),
        Node("linear", (2,), Options(width=1)),
        Node("sum_logit", (3, 4), Options(bias=False)),
    )
)


@pytest.mark.parametrize(
    ("architecture", "data", "logged"),
    [
        (LOGISTIC_REGRESSION, FRAPPE, 5_390),
        (factorization_machine(), FRAPPE, 59_280),
        (deepfm((400, 400, 400)), FRAPPE, 423_280),
        (dcnv2(4, (400, 400, 400), "batch"), FRAPPE, 458_391),
        (with_output(full(10), mlp(0, widths=(400, 400, 400), norm="batch")), FRAPPE, 417_891),
        (PARALLEL_MASKNET, FRAPPE, 571_691),
        (FINALNET, FRAPPE_2, 256_791),
        (FINALNETS, FRAPPE_2, 338_502),
        (LOGISTIC_REGRESSION, CRITEO, 2_086_317),
        (factorization_machine(), CRITEO, 22_949_477),
        (deepfm((400, 400, 400)), CRITEO, 23_429_477),
        (dcnv2(3, (500, 500, 500), "none"), CRITEO, 22_018_021),
        (CROSS_ONLY, CRITEO, 21_626_001),
        (SERIAL_MASKNET, CRITEO, 21_530_629),
    ],
)
def test_parameters_equal_the_logged_ones(architecture: Architecture, data: FeatureSchema, logged: int) -> None:
    assert cost(architecture, data).parameters == logged


def test_a_dlrm_on_criteo_has_the_logged_parameters() -> None:
    numeric = [Field(f"n{at}", Kind.NUMERIC) for at in range(13)]
    data = FeatureSchema((*numeric, *table(2_086_316 - 13, 26).fields))
    bottom = (mlp(0, widths=(400, 400, 400), norm="batch"), Node("linear", (2,), Options(width=10)))
    dot = Node("dot_product", (1, 3), Options(dense_tokens=True))
    top = mlp(3, 4, widths=(400, 400, 400), norm="batch")
    assert cost(with_output(NUMERIC, full(10), *bottom, dot, top), data).parameters == 21_664_241


def test_multiply_adds_of_a_dot_product_model_by_hand() -> None:
    dot = Node("dot_product", (0, 1), Options(dim=4))
    known = cost(with_output(NUMERIC, full(4), dot), schema(numeric=3, categorical=4))
    projection, gram, read_out = 3 * 4, 5 * 5 * 4, 10
    assert known.macs == projection + gram + read_out
    assert known.flops == 2 * known.macs


def test_tables_cost_bytes_and_no_multiply_adds() -> None:
    known = node_costs(with_output(full(8)), schema(categorical=2, vocabulary=10))[0]
    assert (known.parameters, known.macs, known.embedding_bytes) == (21 * 8, 0, 21 * 8 * 4)


def test_dead_blocks_cost_nothing() -> None:
    lean = Architecture((NUMERIC, OUTPUT))
    dead = Architecture((NUMERIC, mlp(0, widths=(8,)), Node("logit", (0,))))
    assert cost(dead, schema()) == cost(lean, schema())
    assert len(node_costs(dead, schema())) == 3


def test_the_output_must_be_one_number() -> None:
    message = r"one number per example, but 'mlp' gives \[8\]; end with a 'logit'"
    with pytest.raises(ArchitectureError, match=message):
        shapes(Architecture((NUMERIC, mlp(0, widths=(8,)))), schema())


def test_a_shape_that_does_not_fit_is_told_with_its_node() -> None:
    with pytest.raises(ArchitectureError, match=r"node 1: block 'sum_logit' adds inputs of width 1, but got \[3\]"):
        shapes(Architecture((NUMERIC, Node("sum_logit", (0,)))), schema())


def test_an_unknown_block_is_told_with_the_closest_one() -> None:
    with pytest.raises(PluginError, match=r"no 'mpl' in searchspaces.blocks; did you mean 'mlp'\?"):
        shapes(with_output(NUMERIC, Node("mpl", (0,))), schema())


def test_what_a_schema_cannot_feed_is_left_out() -> None:
    dot = Node("dot_product", (0, 1), Options(dim=4))
    whole = Architecture((NUMERIC, full(4), dot, mlp(0, 2, widths=(8,)), Node("logit", (3,))))
    assert [node.block for node in fed(whole, schema(categorical=0)).nodes] == ["numeric", "mlp", "logit"]
    assert [node.block for node in fed(whole, schema(numeric=0)).nodes] == ["full", "dot_product", "mlp", "logit"]
    assert fed(whole, schema()) == whole


def test_what_is_left_keeps_its_ports() -> None:
    gate = Node("sigmoid_gate", (0, 1, 1), Options(ports=["value", "value", "gate"]))
    whole = with_output(NUMERIC, full(4), gate)
    left = fed(whole, schema(numeric=0)).nodes[1]
    assert (left.inputs, left.options["ports"]) == ((0, 0), ("value", "gate"))


def test_an_architecture_that_a_schema_cannot_feed_at_all_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="no part of this architecture reads a field that the schema has"):
        fed(Architecture((NUMERIC, OUTPUT)), schema(numeric=0))
