from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl import plugins
from automl._errors import ConfigError
from automl.searchers.random_search import RandomSearch
from evaluators import Goal, Objective, Suggestion
from tests.automl._bitstrings import Bitstrings, finished, generator, loss, search
from tests.automl.searchers._oracle import Oracle

NE = [Objective("ne")]


def test_suggestions_are_marked_as_random_and_have_no_parents() -> None:
    [suggestion] = RandomSearch(Bitstrings(), NE).ask(1, generator(0, 0))
    assert (suggestion.origin, suggestion.parents, suggestion.replicate) == ("random", (), 0)


@pytest.mark.parametrize("guide", [None, Oracle()])
def test_a_small_space_is_searched_to_its_last_candidate(guide: Oracle | None) -> None:
    record = search(RandomSearch(Bitstrings(4), NE, guide=guide, initial=4), 20)
    assert len({trial.candidate.fingerprint for trial in record}) == len(record) == 16


def test_fewer_are_suggested_when_the_space_runs_out_within_one_ask() -> None:
    assert len(RandomSearch(Bitstrings(2), NE).ask(9, generator(0, 0))) == 4


def test_with_a_guide_the_best_of_a_pool_is_asked_after_the_first_ones() -> None:
    searcher = RandomSearch(Bitstrings(), NE, guide=Oracle(), initial=6, pool=50, exploration=0.0)
    record = search(searcher, 12)
    assert ["rank" in trial.suggestion.memo for trial in record] == [False] * 6 + [True] * 6
    assert {(one.suggestion.memo["rank"], one.suggestion.memo["mutants"]) for one in record[6:]} == {(1, 50)}
    assert {one.suggestion.origin for one in record} == {"random"}
    rng = np.random.default_rng(0)
    usual = np.quantile([loss(Bitstrings().sample(rng)) for _ in range(200)], 0.25)
    assert max(loss(trial.candidate) for trial in record[6:]) < usual


def test_without_a_guide_the_objectives_change_nothing() -> None:
    one, other = (RandomSearch(Bitstrings(), objectives) for objectives in (NE, []))
    assert one.ask(3, generator(0, 0)) == other.ask(3, generator(0, 0))


def test_pending_ones_and_trials_of_rungs_count_as_they_do_elsewhere() -> None:
    guide = Oracle()
    searcher = RandomSearch(Bitstrings(), NE, guide=guide, initial=2)
    drawn = [Suggestion(Bitstrings().sample(np.random.default_rng(seed))) for seed in range(3)]
    searcher.tell_of_rungs([finished(0, drawn[0])])
    searcher.tell([finished(1, drawn[1])])
    assert "rank" not in searcher.ask(1, generator(0, 0))[0].memo
    assert "rank" in searcher.ask(1, generator(0, 0), [drawn[2]])[0].memo
    assert guide.fits == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": 0}, "pool must be at least 1, but is 0"),
        ({"initial": 0}, "initial must be at least 1, but is 0"),
        ({"exploration": 2.0}, "exploration is a share between 0 and 1, but is 2.0"),
        ({"objectives": [Objective("joy", Goal.MAXIMIZE)]}, "the guide cannot learn to maximize 'joy'"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RandomSearch(Bitstrings(), options.pop("objectives", NE), guide=Oracle(), **options)
    assert message in str(caught.value)


def test_a_configuration_names_the_guide() -> None:
    spec = {"name": "random_search", "guide": {"name": "forest", "trees": 5}, "pool": 10}
    assert plugins.mistakes("searcher", spec, "searcher") == []
    assert isinstance(plugins.construct("searcher", spec, {"space": Bitstrings(), "objectives": NE}), RandomSearch)
