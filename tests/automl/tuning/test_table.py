from __future__ import annotations

from statistics import fmean, stdev

import pytest

from automl.tuning import Contender, tuned_rows, tuned_words, winner_of
from evaluators import Suggestion
from searchspaces import Architecture, Candidate, Node, Options
from tests.automl.tuning.races import contender, place, plan, tuned

MODELS = [contender("zoo:b", 2.0), contender("zoo:a"), contender("lightgbm", 4.0)]
PLAN = plan(24)


def _noisy(suggestion: Suggestion) -> float:
    return place(suggestion) + suggestion.replicate % 7 / 100


def test_rows_come_best_first_with_the_spread_of_fresh_replicates() -> None:
    trials = tuned(PLAN, MODELS, _noisy, seeds=3)
    rows = tuned_rows(trials, PLAN, MODELS, seeds=3)
    assert [row["model"] for row in rows] == ["a", "b", "lightgbm"]
    found = winner_of(trials, PLAN, MODELS[1])
    assert found is not None
    values = [_noisy(Suggestion(found, replicate=101 + number)) for number in range(3)]
    assert rows[0]["ne"] == pytest.approx(fmean(values))
    assert rows[0]["ne_sd"] == pytest.approx(stdev(values))
    assert rows[0]["ne_stderr"] == pytest.approx(0.002)
    assert rows[0]["candidate"] == found.to_dict()


def test_a_row_tells_what_its_tuning_took() -> None:
    rows = tuned_rows(tuned(PLAN, MODELS, _noisy, seeds=2), PLAN, MODELS, seeds=2)
    assert sum(row["trials"] for row in rows) <= 24
    assert all(row["settings"] <= row["trials"] for row in rows)
    assert [row["seeds"] for row in rows] == [2, 2, 2]


def test_fewer_seeds_leave_the_later_replicates_out() -> None:
    trials = tuned(PLAN, MODELS, _noisy, seeds=4)
    assert [row["seeds"] for row in tuned_rows(trials, PLAN, MODELS, seeds=2)] == [2, 2, 2]


def test_a_model_without_a_winner_comes_last_and_is_told_of() -> None:
    trials = tuned(PLAN, MODELS, lambda one: None if place(one) < 2.0 else place(one), seeds=2)
    rows = tuned_rows(trials, PLAN, MODELS, seeds=2)
    assert (rows[-1]["model"], rows[-1]["ne"], rows[-1]["failed"]) == ("a", None, rows[-1]["trials"])
    assert "a: 0 of 2 fresh replicates are complete" in tuned_words(rows, PLAN, seeds=2)


def test_the_words_say_which_part_was_measured() -> None:
    rows = tuned_rows(tuned(PLAN, MODELS, place, seeds=2), PLAN, MODELS, seeds=2)
    (word,) = tuned_words(rows, PLAN, seeds=2)
    assert "mean over 2 fresh replicates" in word
    assert "the test part has not been opened" in word


def _network(dim: int, **training: object) -> Candidate:
    nodes = (Node("full", (), Options(dim=dim)), Node("logit", (0,)))
    return Candidate(Architecture(nodes), Options(training))


def test_a_setting_is_told_by_what_differs_from_the_models_own() -> None:
    model = Contender("zoo:a", _network(16), lambda rng: _network(8, learning_rate=0.003))
    trials = tuned(plan(2), [model], lambda one: 1.0 if one.candidate == model.first else 0.5, seeds=1)
    (row,) = tuned_rows(trials, plan(2), [model], seeds=1)
    assert row["setting"] == "learning_rate=0.003 full.dim=8"
    trials = tuned(plan(2), [model], lambda one: 0.5 if one.candidate == model.first else 1.0, seeds=1)
    assert tuned_rows(trials, plan(2), [model], seeds=1)[0]["setting"] == "its own"
