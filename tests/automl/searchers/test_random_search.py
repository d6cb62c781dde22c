from __future__ import annotations

from automl.searchers.random_search import RandomSearch
from evaluators import Objective
from tests.automl._bitstrings import Bitstrings, generator, search

NE = [Objective("ne")]


def test_suggestions_are_marked_as_random_and_have_no_parents() -> None:
    [suggestion] = RandomSearch(Bitstrings(), NE).ask(1, generator(0, 0))
    assert (suggestion.origin, suggestion.parents, suggestion.replicate) == ("random", (), 0)


def test_a_small_space_is_searched_to_its_last_candidate() -> None:
    record = search(RandomSearch(Bitstrings(4), NE), 20)
    assert len({trial.candidate.fingerprint for trial in record}) == len(record) == 16


def test_fewer_are_suggested_when_the_space_runs_out_within_one_ask() -> None:
    assert len(RandomSearch(Bitstrings(2), NE).ask(9, generator(0, 0))) == 4
