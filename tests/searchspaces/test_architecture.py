"""Architectures as data: rules of the graph and the JSON format."""

import pytest
from hypothesis import given, settings

from searchspaces import Architecture, ArchitectureError, Node, Options
from tests.searchspaces.graphs import architectures


@given(architectures())
@settings(max_examples=50, deadline=None)
def test_an_architecture_survives_json(architecture: Architecture) -> None:
    assert Architecture.from_json(architecture.to_json()) == architecture


def test_the_format_is_one_line_with_a_version() -> None:
    text = Architecture((Node("numeric"), Node("logit", (0,)))).to_json()
    assert text == (
        '{"nodes": [{"block": "numeric", "inputs": [], "options": {}}, '
        '{"block": "logit", "inputs": [0], "options": {}}], "version": 1}'
    )


def test_a_port_is_the_role_of_one_input() -> None:
    node = Node("gate", (0, 1), Options(ports=["value", "gate"]))
    assert [node.port_of(0), node.port_of(1)] == ["value", "gate"]
    assert Node("sum", (0,)).port_of(0) == ""


def test_no_nodes_are_refused() -> None:
    with pytest.raises(ArchitectureError, match="needs at least one source and an output, but has no nodes"):
        Architecture(())


def test_an_output_without_inputs_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="the last node is the output and needs an input, but 'numeric' has"):
        Architecture((Node("numeric"),))


@pytest.mark.parametrize("source", [1, 2, -1])
def test_an_input_that_does_not_point_backwards_is_refused(source: int) -> None:
    with pytest.raises(ArchitectureError, match=rf"node 1 \('logit'\) takes input {source}"):
        Architecture((Node("numeric"), Node("logit", (source,))))


def test_ports_of_another_length_are_refused() -> None:
    with pytest.raises(ArchitectureError, match=r"one role per input, but node 1 \('gate'\) has 1 inputs and ports"):
        Architecture((Node("numeric"), Node("gate", (0,), Options(ports=["value", "gate"]))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"version": 2, "nodes": []}, "reads architectures of version 1, but got version 2; export the architecture"),
        ({"version": 1, "nodes": {}}, "'nodes' must be a list, but is dict"),
        ({"version": 1, "nodes": [{"inputs": []}]}, "node 0 must be an object with a 'block' name"),
        ({"version": 1, "nodes": [{"block": "a", "inputs": [True]}]}, "'inputs' of node 0 must be a list of node num"),
        ({"version": 1, "nodes": [{"block": "a", "options": 3}]}, "'options' of node 0 must be an object, but is 3"),
    ],
)
def test_malformed_content_is_refused(content: dict[str, object], message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        Architecture.from_dict(content)


def test_text_that_is_not_json_is_refused_with_its_line() -> None:
    with pytest.raises(ArchitectureError, match="must be JSON, but line 2 is not"):
        Architecture.from_json('{"version": 1,\nnodes}')


def test_json_that_is_not_an_object_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="must be a JSON object, but is list"):
        Architecture.from_json("[]")
