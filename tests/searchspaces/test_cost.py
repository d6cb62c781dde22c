"""Closed-form costs against parameter counts that the BARS benchmark logged.

Zhu et al. (2022), BARS: towards open benchmarking for recommender systems. Its networks with batch
normalisation have two parameters per normalised unit more than ours, which the tests take off.
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


FRAPPE = table(5_389, 10)
CRITEO = table(2_086_316, 39)  # the benchmark embeds the 13 numeric fields as one row each


def full(dim: int) -> Node:
    return Node("full", (), Options(dim=dim))


def mlp(*inputs: int, widths: tuple[int, ...]) -> Node:
    return Node("mlp", inputs, Options(widths=widths))


def factorization_machine(*rest: Node) -> Architecture:
    pairs = Node("fm", (0,), Options(first_order=False))
    votes = (2, 3, 3 + len(rest)) if rest else (2, 3)
    return Architecture((full(10), full(1), pairs, Node("sum", (1,)), *rest, Node("sum_logit", votes)))


def deepfm(widths: tuple[int, ...]) -> Architecture:
    return factorization_machine(mlp(0, widths=widths), Node("linear", (4,), Options(width=1, bias=False)))


def dcnv2(layers: int, widths: tuple[int, ...]) -> Architecture:
    cross = Node("cross", (0,), Options(layers=layers))
    return Architecture((full(10), cross, mlp(0, widths=widths), Node("logit", (1, 2))))


LOGISTIC_REGRESSION = Architecture((full(1), Node("sum", (0,)), Node("sum_logit", (1,))))
CROSS_ONLY = with_output(full(10), Node("cross", (0,), Options(layers=5)))


@pytest.mark.parametrize(
    ("architecture", "data", "logged", "normalised_units"),
    [
        (LOGISTIC_REGRESSION, FRAPPE, 5_390, 0),
        (factorization_machine(), FRAPPE, 59_280, 0),
        (deepfm((400, 400, 400)), FRAPPE, 423_280, 1200),
        (dcnv2(4, (400, 400, 400)), FRAPPE, 458_391, 1200),
        (LOGISTIC_REGRESSION, CRITEO, 2_086_317, 0),
        (factorization_machine(), CRITEO, 22_949_477, 0),
        (deepfm((400, 400, 400)), CRITEO, 23_429_477, 1200),
        (dcnv2(3, (500, 500, 500)), CRITEO, 22_018_021, 0),
        (CROSS_ONLY, CRITEO, 21_626_001, 0),
    ],
)
def test_parameters_equal_the_logged_ones(
    architecture: Architecture, data: FeatureSchema, logged: int, normalised_units: int
) -> None:
    assert cost(architecture, data).parameters == logged - 2 * normalised_units


def test_a_dlrm_on_criteo_has_the_logged_parameters() -> None:
    numeric = [Field(f"n{at}", Kind.NUMERIC) for at in range(13)]
    data = FeatureSchema((*numeric, *table(2_086_316 - 13, 26).fields))
    # The last layer of the bottom network has no activation there; that costs nothing.
    bottom = mlp(0, widths=(400, 400, 400, 10))
    dot = Node("dot_product", (1, 2), Options(dense_tokens=True))
    top = mlp(2, 3, widths=(400, 400, 400))
    architecture = with_output(NUMERIC, full(10), bottom, dot, top)
    assert cost(architecture, data).parameters == 21_664_241 - 2 * (3 * 400 + 3 * 400)


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


def test_an_architecture_that_a_schema_cannot_feed_at_all_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="no part of this architecture reads a field that the schema has"):
        fed(Architecture((NUMERIC, OUTPUT)), schema(numeric=0))
