"""What the choices of a decision lead to, with nothing known of the space but its decisions."""

from __future__ import annotations

import numpy as np
import pytest

from automl import AutomlError
from automl.methods._forks import Graphs, Prices, distinct
from automl.methods._relaxation import Draw
from automl.proposals import Policy
from searchspaces import canonical
from searchspaces.cost import cost
from searchspaces.spaces.run_settings import RunSettings
from tests.automl.methods.dnas_parts import SCHEMA, SPACE, assignment, everything
from tests.evaluators.small_data import SCHEMA as WIDE
from tests.evaluators.training.supernet.spaces import SPACES

GRAPHS = Graphs(SPACE)
SLOTS = [one.slot for one in SPACE.decisions()]


def test_a_fork_has_the_graph_of_each_choice() -> None:
    found = GRAPHS.fork(assignment("linear", "cross"), SLOTS.index("first.operator"))
    blocks = [[node.block for node in one.nodes[1:-1]] for one in found.architectures]
    assert blocks == [["cross"], ["layer_norm", "cross"], ["linear", "cross"], ["cross", "cross"]]
    assert found.is_live


def test_a_decision_without_effect_is_no_fork() -> None:
    # after the identity there is nothing that a shortcut could pass by
    found = GRAPHS.forks(assignment("identity", "linear"), np.random.default_rng(1), most=9)
    assert sorted(SLOTS[one.at] for one in found) == ["first.operator", "second.operator"]


def test_a_decision_that_does_not_count_is_left_alone() -> None:
    assert GRAPHS.counting(assignment("linear", "identity")).keys() == {"first.operator", "second.operator"}


def test_no_more_forks_are_made_than_asked_for_and_all_are_made_in_turn() -> None:
    draws = [GRAPHS.forks(assignment("cross", "cross"), np.random.default_rng(seed), most=2) for seed in range(20)]
    assert {len(one) for one in draws} == {2}
    assert {SLOTS[one.at] for found in draws for one in found} == set(SLOTS)


def test_graphs_that_are_equal_are_asked_for_once() -> None:
    start = assignment("identity", "identity")
    found = [GRAPHS.fork(start, SLOTS.index(f"{place}.operator")) for place in ("first", "second")]
    assert sum(len(one.architectures) for one in found) == 8
    assert len(distinct(found)) == 4


def test_prices_are_those_of_the_closed_form() -> None:
    prices = Prices(SCHEMA)
    for one in everything():
        architecture = GRAPHS.of(one)
        assert prices.of(architecture).macs == cost(architecture, SCHEMA).macs
        weighted = [node.block for node in canonical(architecture).nodes if node.block not in ("full", "logit")]
        assert prices.of(architecture).weighted == len(weighted)


@pytest.mark.parametrize("name", SPACES)
def test_every_space_of_architectures_can_be_forked(name: str) -> None:
    space, rng = SPACES[name](), np.random.default_rng(3)
    graphs, prices = Graphs(space), Prices(WIDE)
    found = graphs.forks(Draw.of(Policy.uniform(space.decisions()), rng).assignment, rng, most=3)
    assert len(found) == 3
    for one in distinct(found):
        assert prices.of(one).macs == cost(one, WIDE).macs


def test_a_space_without_architectures_is_refused() -> None:
    space = RunSettings(SCHEMA, knobs={"batch_size": [64, 128]})
    with pytest.raises(AutomlError, match="space of architectures"):
        Graphs(space).of({one.slot: one.choices[0] for one in space.decisions()})
