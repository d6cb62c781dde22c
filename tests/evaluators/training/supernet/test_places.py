from __future__ import annotations

import numpy as np
import pytest

from evaluators._training.supernet.places import Place, find_places, slots
from searchspaces import Architecture, Node, Options
from searchspaces.build import blank
from tests.evaluators.small_data import IDS, SCHEMA
from tests.evaluators.training.supernet.spaces import SPACES, architectures

FULL = Node("full", (), Options(dim=4))
NUMBERS = Node("numeric")


def places_of(*nodes: Node) -> dict[str, Place]:
    """By the key that they have in common with others."""
    found = find_places(blank(Architecture(nodes), SCHEMA))
    return {one.key: one for one in found.values()}


def labels(place: Place, axis: int) -> set[int]:
    return set(place.labels[axis].tolist())


@pytest.mark.parametrize("name", SPACES)
def test_every_number_of_a_candidate_has_a_place_of_its_own(name: str) -> None:
    for one in architectures(name, 3, seed=2):
        model = blank(one, SCHEMA)
        shapes = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
        for key, place in find_places(model).items():
            assert tuple(len(axis) for axis in place.labels) == shapes[key]
            assert all(len(set(axis.tolist())) == len(axis) for axis in place.labels)


def test_equal_candidates_have_equal_places() -> None:
    mlp, fm = Node("mlp", (0, 1), Options(width=8)), Node("fm", (1,), Options(dim=4))
    one = places_of(NUMBERS, FULL, mlp, fm, Node("logit", (2, 3)))
    other = places_of(NUMBERS, FULL, fm, mlp, Node("logit", (2, 3)))
    assert one.keys() == other.keys()
    assert all(
        labels(one[key], axis) == labels(other[key], axis) for key in one for axis in range(len(one[key].labels))
    )


def test_what_is_no_size_makes_another_slot() -> None:
    plain, normed = Node("mlp", (0,), Options(width=8)), Node("mlp", (0,), Options(width=8, norm="layer"))
    assert slots([NUMBERS, plain, normed, plain]) == ("numeric#0", "mlp#0", "mlp,norm=layer#0", "mlp#1")


def test_a_source_has_its_columns_in_any_company() -> None:
    mlp = Options(width=8)
    alone = places_of(NUMBERS, Node("mlp", (0,), mlp), Node("logit", (1,)))["mlp#0|layers.0.weight"]
    joint = places_of(NUMBERS, FULL, Node("mlp", (0, 1), mlp), Node("logit", (2,)))["mlp#0|layers.0.weight"]
    assert labels(alone, 1) < labels(joint, 1)
    assert len(labels(joint, 1)) == 2 + 4 * len(IDS)


def test_a_wider_layer_has_the_units_of_a_narrow_one_and_gives_their_labels_on() -> None:
    found = []
    for width in (4, 8):
        nodes = (NUMBERS, Node("mlp", (0,), Options(width=width)), Node("logit", (1,)))
        found.append(places_of(*nodes))
    narrow, wide = found
    assert np.array_equal(wide["mlp#0|layers.0.weight"].labels[0][:4], narrow["mlp#0|layers.0.weight"].labels[0])
    assert np.array_equal(wide["logit#0|layer.weight"].labels[1][:4], narrow["logit#0|layer.weight"].labels[1])


def test_a_cross_network_is_labelled_by_what_it_crosses_on_both_sides() -> None:
    cross = places_of(NUMBERS, FULL, Node("cross", (0, 1), Options(layers=1)), Node("logit", (2,)))
    weight = cross["cross#0|layers.0.weight"]
    assert np.array_equal(weight.labels[0], weight.labels[1])
    assert np.array_equal(cross["cross#0|layers.0.bias"].labels[0], weight.labels[1])


def test_a_pair_of_a_dot_product_is_the_pair_of_its_tokens() -> None:
    dot = Options(dim=4)
    few = places_of(FULL, Node("dot_product", (0,), dot), Node("logit", (1,)))["logit#0|layer.weight"]
    more = places_of(NUMBERS, FULL, Node("dot_product", (0, 1), dot), Node("logit", (2,)))["logit#0|layer.weight"]
    assert len(labels(few, 1)) == 3
    assert labels(few, 1) < labels(more, 1)
    assert len(labels(more, 1)) == 6


def test_a_layer_along_the_tokens_has_a_column_for_each_source() -> None:
    efc = Options(tokens=8, dim=4)
    few = places_of(FULL, Node("efc", (0,), efc), Node("logit", (1,)))["efc#0|mix.layer.weight"]
    more = places_of(NUMBERS, FULL, Node("efc", (0, 1), efc), Node("logit", (2,)))["efc#0|mix.layer.weight"]
    assert labels(few, 1) < labels(more, 1)


def test_a_norm_is_labelled_as_what_it_norms() -> None:
    nodes = (NUMBERS, FULL, Node("concat", (0, 1)), Node("layer_norm", (2,)), Node("logit", (3,)))
    found = places_of(*nodes)
    assert len(labels(found["layer_norm#0|norm.weight"], 0)) == 2 + 4 * len(IDS)
    assert labels(found["layer_norm#0|norm.weight"], 0) != set(range(2 + 4 * len(IDS)))


def test_a_module_of_an_ensemble_keeps_its_weights_when_another_is_left_out() -> None:
    cross = ("cross", (("layers", 1),))
    layers = [Options(modules=modules, tokens=4, dim=4) for modules in (["dot_product", cross], [cross])]
    both, alone = (places_of(FULL, Node("dhen", (0,), one), Node("logit", (1,))) for one in layers)
    for name in ("cross#0.layers.0.weight", "cross#0.map.vector.weight"):
        assert np.array_equal(both[f"dhen#0|{name}"].labels[0], alone[f"dhen#0|{name}"].labels[0])
        assert np.array_equal(both[f"dhen#0|{name}"].labels[1], alone[f"dhen#0|{name}"].labels[1])


def test_tokens_of_a_narrow_dimension_are_the_beginning_of_those_of_a_wide_one() -> None:
    found = []
    for dim in (4, 8):
        full = Node("full", (), Options(dim=dim))
        found.append(places_of(full, Node("mlp", (0,), Options(width=8)), Node("logit", (1,))))
    narrow, wide = (one["mlp#0|layers.0.weight"].labels[1].reshape(len(IDS), -1) for one in found)
    assert np.array_equal(wide[:, :4], narrow)
