"""Places and losses of small records, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from predictors._records import failures, losses, places
from searchspaces import Candidate, Options
from tests.automl._bitstrings import finished

NE = Objective("ne")
FELL = Failure(FailureKind.CRASHED, "it fell")


def candidate(name: str) -> Candidate:
    return Candidate(training=Options(name=name))


def trial(name: str, value: float | None, *, rung: int = 0, stderr: float | None = None, replicate: int = 0) -> Trial:
    outcome = FELL if value is None else Evaluation({"ne": Metric(value, stderr)})
    return finished(0, Suggestion(candidate(name), Fidelity(rung), replicate), outcome)


def pruned(name: str, value: float) -> Trial:
    return Trial(0, "search", Suggestion(candidate(name)), TrialState.PRUNED, Evaluation({"ne": Metric(value)}))


def placed(*record: Trial) -> dict[str, float]:
    found = places(record, NE)
    return {str(one.training["name"]): at for one, at in zip(found.candidates, found.place.tolist(), strict=True)}


def lost(*record: Trial) -> dict[str, float]:
    found = losses(record, NE)
    return {str(one.training["name"]): at for one, at in zip(found.candidates, found.loss.tolist(), strict=True)}


def test_places_are_quantiles_of_the_losses() -> None:
    assert placed(trial("a", 3.0), trial("b", 1.0)) == {"a": 0.75, "b": 0.25}


def test_what_failed_is_last() -> None:
    assert placed(trial("a", None), trial("b", 1.0), trial("c", 2.0))["a"] == 1.0


def test_replicates_count_once_at_their_mean_rank() -> None:
    record = [trial("a", 1.0), trial("a", 4.0, replicate=1), trial("b", 2.0), trial("c", 3.0)]
    assert placed(*record) == {"a": 0.5, "b": 0.375, "c": 0.625}


def test_a_rung_shuffles_the_places_of_what_it_shares_with_the_one_below() -> None:
    below = [trial(name, value, rung=-1) for name, value in zip("abcd", (1.0, 2.0, 3.0, 4.0), strict=True)]
    found = placed(*below, trial("a", 60.0), trial("b", 50.0))
    assert found == {"a": 0.375, "b": 0.125, "c": 0.625, "d": 0.875}


def test_rungs_that_share_nothing_have_places_of_their_own() -> None:
    assert placed(trial("a", 1.0, rung=-1), trial("b", 2.0, rung=-1), trial("c", 90.0), trial("d", 80.0)) == {
        "a": 0.25,
        "b": 0.75,
        "c": 0.75,
        "d": 0.25,
    }


def test_losses_keep_replicates_apart_and_leave_failures_out() -> None:
    record = [trial("a", 1.0, stderr=0.1), trial("a", 2.0), trial("b", 3.0), trial("c", 4.0), trial("d", None)]
    found = losses(record, NE)
    assert found.loss.tolist() == [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_allclose(found.variance, [0.01, np.nan, np.nan, np.nan])


def test_losses_of_a_metric_that_is_to_grow_are_negated() -> None:
    record = [finished(0, Suggestion(candidate(str(at))), Evaluation({"auc": Metric(at / 10)})) for at in range(4)]
    assert losses(record, Objective("auc")).loss.tolist() == pytest.approx([0.0, -0.1, -0.2, -0.3])


def test_what_was_pruned_is_no_better_than_the_median() -> None:
    found = lost(*(trial(name, float(at)) for at, name in enumerate("abc")), pruned("d", 0.5), pruned("e", 9.0))
    assert (found["d"], found["e"]) == (1.0, 9.0)


def test_losses_of_a_lower_rung_are_carried_along_the_line_of_what_both_have() -> None:
    below = [trial(str(at), float(at), rung=-1) for at in range(6)]
    above = [trial(str(at), 10.0 + 2.0 * at) for at in range(4)]
    found = lost(*below, *above)
    assert found == pytest.approx({"0": 10.0, "1": 12.0, "2": 14.0, "3": 16.0, "4": 18.0, "5": 20.0})


def test_a_lower_rung_that_shares_too_little_is_left_out() -> None:
    below = [trial(str(at), float(at), rung=-1) for at in range(6)]
    assert set(lost(*below, *(trial(name, 1.0) for name in "012x"))) == {"0", "1", "2", "x"}


def test_the_full_rung_counts_once_it_has_four_records() -> None:
    below = [trial(str(at), float(at), rung=-1) for at in range(6)]
    assert len(lost(*below, trial("0", 9.0))) == 6


def test_failures_are_what_ended_without_a_value() -> None:
    record = [trial("a", 1.0), trial("b", None), finished(0, Suggestion(candidate("c")), Evaluation({}))]
    assert failures(record, NE)[1].tolist() == [False, True, True]


def test_an_empty_record_teaches_nothing() -> None:
    assert not places([], NE).teach
    assert not losses([], NE).teach


def test_a_record_of_equals_teaches_nothing() -> None:
    record = [trial(name, 1.0) for name in "abcde"]
    assert not places(record, NE).teach
    assert not losses(record, NE).teach
