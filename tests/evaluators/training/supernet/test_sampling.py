from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evaluators._training.supernet.sampling import Sampler, Sampling, full_path_share, largest, smallest
from searchspaces import Assignment, Candidate, InputChoice, OperatorChoice, OptionChoice, WidthChoice
from searchspaces.spaces.autoctr import AutoCTR
from searchspaces.spaces.nasrec import NASRec
from searchspaces.spaces.wukong import Wukong
from tests.evaluators.small_data import SCHEMA
from tests.evaluators.training.supernet.spaces import SPACES


class Recording(AutoCTR):
    """Remembers the assignments that it decoded."""

    def __init__(self) -> None:
        super().__init__(SCHEMA, blocks=3, widths=(8, 16))
        self.seen: list[Assignment] = []

    def to_candidate(self, assignment: Assignment) -> Candidate:
        self.seen.append(dict(assignment))
        return super().to_candidate(assignment)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("sampling", Sampling)
@pytest.mark.parametrize("full_path", [0.0, 0.5])
def test_what_is_drawn_lies_in_the_space(name: str, sampling: Sampling, full_path: float) -> None:
    space = SPACES[name]()
    for one in Sampler(space, sampling).draw(np.random.default_rng(0), full_path=full_path):
        space.validate(Candidate(one))


def test_equal_generators_draw_equal_candidates() -> None:
    sampler = Sampler(SPACES["rankitect_scratch"](), Sampling.FAIR)
    one, other = (sampler.draw(np.random.default_rng(3), full_path=0.5) for _ in range(2))
    assert one == other


def test_fair_sampling_takes_each_operator_of_a_slot_equally_often() -> None:
    space = Recording()
    Sampler(space, Sampling.FAIR).draw(np.random.default_rng(1))
    for block in ("block1", "block2", "block3"):
        assert Counter(one[f"{block}.operator"] for one in space.seen) == Counter(mlp=1, fm=1, dot_product=1)


def test_the_full_path_has_all_connections_and_the_largest_widths() -> None:
    space = Recording()
    Sampler(space).draw(np.random.default_rng(1), full_path=1.0)
    (found,) = space.seen
    assert all(value is True for slot, value in found.items() if slot.split(".")[1] in ("dense", "sparse", "block1"))
    assert all(value == 16 for slot, value in found.items() if slot.endswith("width"))


def test_on_the_full_path_every_operator_is_drawn() -> None:
    space, rng = Recording(), np.random.default_rng(2)
    for _ in range(30):
        Sampler(space).draw(rng, full_path=1.0)
    assert {one["block2.operator"] for one in space.seen} == {"mlp", "fm", "dot_product"}


def test_a_sandwich_has_the_largest_the_smallest_and_two_others() -> None:
    space = Recording()
    found = Sampler(space, Sampling.SANDWICH).draw(np.random.default_rng(1))
    assert len(found) == 4
    assert all(space.seen[0][f"block3.{one}"] for one in ("dense", "sparse", "block1", "block2"))
    assert not any(space.seen[1][f"block3.{one}"] for one in ("dense", "sparse", "block1", "block2"))


def test_without_warm_up_candidates_are_those_of_the_space() -> None:
    space = SPACES["nasrec full"]()
    (found,) = Sampler(space).draw(np.random.default_rng(5))
    assert Candidate(found).fingerprint == space.sample(np.random.default_rng(5)).fingerprint


def test_settings_of_training_make_no_difference() -> None:
    space = Wukong(SCHEMA, layers=1)
    found = Sampler(space).draw(np.random.default_rng(0))
    assert found == [space.sample(np.random.default_rng(0)).architecture]


def test_the_full_path_ends_with_the_warm_up() -> None:
    assert [full_path_share(step, 2) for step in range(4)] == [1.0, 0.5, 0.0, 0.0]
    assert full_path_share(0, 0) == 0.0


def test_largest_and_smallest_speak_of_widths_and_connections_alone() -> None:
    sources, width = InputChoice("b.dense", ("0", "1", "0 1")), WidthChoice("b.width", (8, 16))
    assert (largest(sources), smallest(sources), largest(width), smallest(width)) == ("0 1", "0", 16, 8)
    for other in (OperatorChoice("b.operator", ("mlp", "fm")), OptionChoice("b.norm", (False, True))):
        assert largest(other) is None
        assert smallest(other) is None


def test_a_dot_product_of_the_published_space_costs_about_what_its_siblings_do() -> None:
    # operator balancing: tokens are reduced until their pairs are about as many as the units of the width
    space = NASRec(SCHEMA, variant="small", blocks=1)
    for width in (64, 256, 1024):
        start = dict(space.to_assignment(space.sample(np.random.default_rng(0))))
        start |= {"block1.dense_operator": "dot_product", "block1.dense": "0", "block1.width": width}
        architecture = space.to_candidate(start).architecture
        assert architecture is not None
        (fewer,) = [one for one in architecture.nodes if one.options.get("activation") == "none" and one.block == "efc"]
        tokens = int(str(fewer.options["tokens"])) + 1  # and one of the dense input
        assert 0.9 * width < tokens * (tokens - 1) / 2 < 1.4 * width


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("sampling", Sampling)
def test_a_step_takes_as_many_as_it_says(name: str, sampling: Sampling) -> None:
    sampler = Sampler(SPACES[name](), sampling)
    assert len(sampler.draw(np.random.default_rng(0))) == sampler.per_step
