"""Operators are found in a space and tried until they work once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from automl._operators import TRIES, Operator, check_operators
from searchspaces import Candidate
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, mlp

SPACE = AutoCTR(SCHEMA, blocks=3)


class Clinic:
    """Finds what it was told to find, and remembers who came."""

    def __init__(self, faults: Mapping[str, str], *, times: int = 99) -> None:
        self.faults = faults
        self.times = times
        self.seen: list[Candidate] = []

    def __call__(self, candidate: Candidate) -> Mapping[str, str]:
        self.seen.append(candidate)
        assert candidate.architecture
        blocks = {node.block for node in candidate.architecture.nodes}
        here = {name: text for name, text in self.faults.items() if name in blocks or not name}
        self.times -= bool(here)
        return here if self.times >= 0 else {}


def _states(clinic: Clinic) -> dict[str, Operator]:
    return {one.name: one for one in check_operators(SPACE, clinic, np.random.default_rng(1))}


def test_every_operator_of_the_space_is_tried() -> None:
    found = _states(Clinic({}))
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(
        ("dot_product", "fm", "full", "logit", "mlp", "numeric"), "ok"
    )


def test_a_broken_operator_is_tried_in_several_wirings() -> None:
    clinic = Clinic({"fm": "gives numbers that are not finite"})
    found = _states(clinic)
    assert found["fm"] == Operator("fm", "broken", "gives numbers that are not finite")
    assert found["mlp"].state == "ok"
    assert len(clinic.seen) >= TRIES


def test_an_operator_that_works_once_is_told_where_it_failed() -> None:
    assert _states(Clinic({"fm": "RuntimeError: no"}, times=1))["fm"].state == "sometimes"


def test_an_operator_that_once_had_nothing_to_do_is_fine() -> None:
    assert _states(Clinic({"fm": "gets no gradient for its parameter 'w'"}, times=1))["fm"] == Operator("fm", "ok")


def test_a_fault_that_no_block_owns_is_everybodys() -> None:
    assert {one.state for one in _states(Clinic({"": "the process was killed"})).values()} == {"broken"}


def test_blocks_of_human_made_models_are_tried_too() -> None:
    space = AutoCTR(SCHEMA, blocks=1, operators=["fm"])
    found = check_operators(space, Clinic({}), np.random.default_rng(1), others=[mlp()])
    assert "mlp" in {one.name for one in found}
