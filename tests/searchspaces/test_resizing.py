from __future__ import annotations

import pytest

from searchspaces import Architecture, Node, Options, zoo, zoo_names
from searchspaces.cost import shapes
from searchspaces.resizing import embedding_dim, with_dim, with_dropout, with_widths
from tests.searchspaces.graphs import schema

DATA = schema(numeric=3, categorical=4)


def _zoo(name: str) -> Architecture:
    architecture = zoo(name, DATA).architecture
    assert architecture is not None
    return architecture


def _said(architecture: Architecture, option: str) -> list[object]:
    return [node.options[option] for node in architecture.nodes if option in node.options]


def test_a_dimension_changes_everywhere_at_once_and_that_of_a_weight_stays() -> None:
    assert _said(with_dim(_zoo("deepfm"), DATA, 8), "dim") == [1, 8, 8]


def test_a_layer_that_ends_in_the_dimension_follows_it() -> None:
    found = with_dim(_zoo("dlrm"), DATA, 8)
    assert _said(found, "dim") == [8, 8]
    assert _said(found, "widths")[0] == (64, 8)


def test_an_architecture_without_embeddings_has_no_dimension_to_change() -> None:
    assert embedding_dim(_zoo("logistic_regression")) is None
    assert with_dim(_zoo("logistic_regression"), DATA, 8) == _zoo("logistic_regression")


def test_hidden_layers_change_and_logits_stay() -> None:
    found = with_widths(_zoo("deepfm"), DATA, 0.5)
    assert _said(found, "widths") == [(128, 64)]
    assert _said(found, "width") == [1, 1]


def test_a_width_that_a_neighbour_needs_stays() -> None:
    assert _said(with_widths(_zoo("dlrm"), DATA, 2.0), "widths") == [(128, 16), (512, 256)]


def test_layers_that_must_be_equally_wide_change_together() -> None:
    wide = Options(width=32)
    nodes = (Node("full", (), Options(dim=4)), Node("mlp", (0,), wide), Node("mlp", (0,), wide), Node("sum", (1, 2)))
    found = with_widths(Architecture((*nodes, Node("logit", (3,)))), DATA, 2.0)
    assert _said(found, "width") == [64, 64]


def test_dropout_goes_where_a_block_has_it() -> None:
    found = with_dropout(_zoo("deepfm"), DATA, 0.2)
    assert [node.block for node in found.nodes if "dropout" in node.options] == ["mlp"]


def test_no_dropout_leaves_an_architecture_as_it_is() -> None:
    assert with_dropout(_zoo("deepfm"), DATA, 0.0) == _zoo("deepfm")
    assert _said(with_dropout(with_dropout(_zoo("deepfm"), DATA, 0.2), DATA, 0.0), "dropout") == [0.0]


@pytest.mark.parametrize("name", zoo_names())
@pytest.mark.parametrize("dim", [2, 8, 32])
def test_every_human_made_architecture_has_its_shapes_in_other_sizes(name: str, dim: int) -> None:
    found = with_dropout(with_widths(with_dim(_zoo(name), DATA, dim), DATA, 0.5), DATA, 0.1)
    shapes(found, DATA)
