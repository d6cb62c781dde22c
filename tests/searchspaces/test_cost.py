"""Closed-form costs against what others have logged and printed."""

import pytest

from searchspaces import Architecture, ArchitectureError, Node, Options, PluginError
from searchspaces.cost import cost, fed, node_costs, shapes
from tests.searchspaces.graphs import schema, with_output
from tests.searchspaces.published import PARAMETERS, TRAINING_FLOPS

NUMERIC, OUTPUT = Node("numeric"), Node("logit", (0,))


def full(dim: int) -> Node:
    return Node("full", (), Options(dim=dim))


def mlp(*inputs: int, widths: tuple[int, ...]) -> Node:
    return Node("mlp", inputs, Options(widths=widths))


@pytest.mark.parametrize("run", PARAMETERS)
def test_parameters_equal_the_logged_ones(run: str) -> None:
    architecture, data, logged = PARAMETERS[run]
    assert cost(architecture, data).parameters == logged


@pytest.mark.parametrize("run", TRAINING_FLOPS)
def test_flops_of_a_training_step_are_near_the_printed_ones(run: str) -> None:
    # a step back takes twice the products of a step forward
    architecture, data, printed, share = TRAINING_FLOPS[run]
    assert 3 * cost(architecture, data).flops / 1e9 == pytest.approx(printed, rel=share)


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
