from __future__ import annotations

import numpy as np

from automl.proposals import sample_unseen, unseen_mutants
from evaluators import Suggestion
from searchspaces import Candidate, Condition, OptionChoice, Options
from tests.automl._bitstrings import Bitstrings


def identity(candidate: Candidate) -> tuple[str, int, int]:
    return Suggestion(candidate).identity


class Conditional(Bitstrings):
    """Two bits, the second of which counts only where the first is set: three candidates."""

    def __init__(self) -> None:
        super().__init__(2)

    def decisions(self) -> tuple[OptionChoice, ...]:
        first, second = super().decisions()
        return (first, OptionChoice(second.slot, second.choices, Condition(first.slot, (1,))))

    def to_candidate(self, assignment: object) -> Candidate:
        assert isinstance(assignment, dict)
        return Candidate(training=Options(assignment))


def test_a_sample_is_new_as_long_as_anything_is() -> None:
    space, rng, taken = Bitstrings(3), np.random.default_rng(0), set[tuple[str, int, int]]()
    for _ in range(8):
        candidate = sample_unseen(space, taken, rng)
        assert candidate is not None
        assert identity(candidate) not in taken
        taken.add(identity(candidate))
    assert sample_unseen(space, taken, rng) is None


def test_the_last_candidate_of_a_space_is_found_where_sampling_never_hits_it() -> None:
    class Stuck(Bitstrings):
        def sample(self, rng: np.random.Generator) -> Candidate:
            return self.to_candidate({decision.slot: 0 for decision in self.decisions()})

    space, rng = Stuck(4), np.random.default_rng(0)
    found = sample_unseen(space, {identity(space.sample(rng))}, rng)
    assert found is not None
    space.validate(found)


def test_a_decision_that_does_not_count_is_left_out_of_the_listing() -> None:
    space, rng, taken = Conditional(), np.random.default_rng(0), set[tuple[str, int, int]]()
    taken = {identity(Bitstrings(2).to_candidate({"bit00": one, "bit01": other})) for one in (0, 1) for other in (0, 1)}
    found = sample_unseen(space, taken, rng)
    assert found == Candidate(training=Options(bit00=0))


def test_mutants_are_distinct_neighbours_that_nobody_tried() -> None:
    space, rng = Bitstrings(6), np.random.default_rng(0)
    parent = space.sample(rng)
    taken = {identity(space.mutate(parent, rng))}
    mutants = unseen_mutants(space, parent, 3, taken, rng)
    assert len({identity(mutant) for mutant in mutants} - taken) == 3


def test_a_neighbourhood_that_runs_dry_gives_what_it_has() -> None:
    space, rng = Bitstrings(6), np.random.default_rng(0)
    assert len(unseen_mutants(space, space.sample(rng), 100, set(), rng)) == 6
