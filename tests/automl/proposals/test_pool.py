from __future__ import annotations

from collections import Counter

import numpy as np

from automl.proposals import SmallSpace, propose_pool
from evaluators import Suggestion, Trial
from tests.automl._bitstrings import Bitstrings, finished

SPACE = Bitstrings(30)
RNG = np.random.default_rng(3)


def parents(count: int) -> list[Trial]:
    rng = np.random.default_rng(5)
    return [finished(at, Suggestion(SPACE.sample(rng))) for at in range(count)]


def test_most_are_neighbours_and_some_are_children_or_random() -> None:
    pool = propose_pool(SPACE, parents(10), 200, taken=set(), rng=np.random.default_rng(0))
    counts = Counter(one.origin for one in pool)
    assert counts == {"mutation": 170, "crossover": 10, "random": 20}


def test_mutants_are_one_to_four_edits_from_their_parent() -> None:
    old = parents(3)
    pool = propose_pool(SPACE, old, 60, taken=set(), rng=np.random.default_rng(0))
    edits = Counter(
        int(np.abs(SPACE.encode(one.candidate) - SPACE.encode(old[one.parents[0]].candidate)).sum())
        for one in pool
        if one.origin == "mutation"
    )
    assert edits[1] > edits[2] + edits[3] + edits[4] > 0
    assert max(edits) <= 4


def test_all_differ_and_none_is_taken() -> None:
    taken = {one.suggestion.identity for one in parents(10)}
    pool = propose_pool(SPACE, parents(10), 100, taken=taken, rng=np.random.default_rng(0))
    identities = {one.suggestion().identity for one in pool}
    assert len(identities) == len(pool)
    assert not identities & taken


def test_without_parents_all_are_random() -> None:
    pool = propose_pool(SPACE, [], 20, taken=set(), rng=np.random.default_rng(0))
    assert Counter(one.origin for one in pool) == {"random": 20}


def test_the_last_candidate_of_a_space_is_found_and_then_nothing() -> None:
    small = Bitstrings(4)
    everything = [small.to_candidate({f"bit{at:02d}": number >> at & 1 for at in range(4)}) for number in range(16)]
    taken = {Suggestion(one).identity for one in everything[:-1]}
    tried = [finished(0, Suggestion(everything[0]))]
    pool = propose_pool(small, tried, 10, taken=taken, rng=np.random.default_rng(0))
    assert [one.candidate for one in pool] == everything[-1:]
    taken.add(Suggestion(everything[-1]).identity)
    assert propose_pool(small, tried, 10, taken=taken, rng=np.random.default_rng(0)) == []


def test_of_a_small_space_everything_is_a_proposal_but_what_was_tried() -> None:
    tried = [
        one.suggestion.identity for one in (finished(at, Suggestion(Bitstrings(5).sample(RNG))) for at in range(6))
    ]
    small = SmallSpace(Bitstrings(5), 32)
    pool = small.pool(set(tried))
    assert len(pool) == 32 - len(set(tried))
    assert not {one.suggestion().identity for one in pool} & set(tried)
    assert len(small.pool(set())) == 32


def test_of_a_larger_space_nothing_is_listed() -> None:
    assert SmallSpace(Bitstrings(5), 31).pool(set()) == []
