"""Costs by stage and the price of a gain, against hand-made sums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.ledger import Cost, ledger_of, ledger_rows, ledger_words
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Point, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options

NE, FLOPS = Objective("ne"), Objective("flops")
UNPRICED = {
    "control": None,
    "metric": None,
    "gain_percent": None,
    "seconds_per_hundredth_percent": None,
    "rows_per_hundredth_percent": None,
    "joules_per_hundredth_percent": None,
}


def trial(number: int, ne: float, *, rows: int = 1000, joules: float | None = 50.0, stage: str = "search") -> Trial:
    metrics = {"ne": Metric(ne, 0.001), "flops": Metric(10.0 * number)}
    if joules is not None:
        metrics["energy_joules"] = Metric(joules)
    evaluation = Evaluation(metrics, (Point(rows // 2, {}), Point(rows, {})), None, 2.0)
    origin = "baseline" if stage == "baseline" else "random"
    suggestion = Suggestion(Candidate(None, Options(number=number)), origin=origin)
    return Trial(number, stage, suggestion, TrialState.COMPLETE, evaluation)


def failed(number: int, seconds: float = 4.0) -> Trial:
    failure = Failure(FailureKind.CRASHED, "it fell over", seconds)
    return replace(trial(number, 1.0), state=TrialState.FAIL, evaluation=None, failure=failure)


def waiting(number: int) -> Trial:
    return replace(trial(number, 1.0), state=TrialState.WAITING, evaluation=None, losses=2)


def test_each_stage_has_its_states_and_sums() -> None:
    trials = [trial(0, 0.9, stage="baseline", rows=500), trial(1, 0.855), failed(2), waiting(3), trial(4, 0.88)]
    baseline, search = ledger_rows(ledger_of(trials, [NE, FLOPS]))
    assert baseline == {
        "stage": "baseline",
        "complete": 1,
        "pruned": 0,
        "failed": 0,
        "unfinished": 0,
        "losses": 0,
        "seconds": 2.0,
        "rows": 500,
        "rows_known_of": 1,
        "energy_joules": 50.0,
        "energy_known_of": 1,
        "failed_seconds": 0.0,
        "failed_share": 0.0,
        "peak_memory_bytes": None,
        "seconds_per_step": None,
        **UNPRICED,
    }
    known = {name: search[name] for name in ("complete", "failed", "unfinished", "losses", "seconds", "rows")}
    assert known == {"complete": 2, "failed": 1, "unfinished": 1, "losses": 2, "seconds": 8.0, "rows": 2000}
    assert (search["rows_known_of"], search["energy_joules"], search["energy_known_of"]) == (2, 100.0, 2)
    assert (search["failed_seconds"], search["failed_share"]) == (4.0, 0.5)


def test_the_whole_search_is_paid_for_the_gain_failures_and_losers_included() -> None:
    trials = [trial(0, 0.9, stage="baseline"), trial(1, 0.855), failed(2), trial(3, 0.95)]
    ledger = ledger_of(trials, [NE, FLOPS])
    assert ledger.gain == pytest.approx(5.0)
    search = ledger_rows(ledger)[1]
    assert (search["control"], search["metric"]) == ("baseline", "ne")
    assert search["seconds_per_hundredth_percent"] == pytest.approx(8.0 / 500)
    assert search["rows_per_hundredth_percent"] == 4
    assert search["joules_per_hundredth_percent"] == pytest.approx(100.0 / 500)
    assert ledger_words(ledger)[0] == (
        "each 0.01 % of ne gained has cost 0.016 seconds, 4 rows, 0.2 joules of search: 5.00 % at trial 1"
    )


def test_energy_that_no_device_tells_is_not_a_zero() -> None:
    trials = [trial(0, 0.9, stage="baseline", joules=None), trial(1, 0.855, joules=None)]
    ledger = ledger_of(trials, [NE])
    search = ledger_rows(ledger)[1]
    assert search["energy_joules"] is None
    assert search["joules_per_hundredth_percent"] is None
    assert "joules" not in ledger_words(ledger)[0]
    assert ledger_words(ledger)[1] == "no energy is known: the device tells none, or not to this user"


def test_what_is_not_in_the_sums_is_said() -> None:
    trials = [trial(0, 0.9, stage="baseline"), trial(1, 0.855), failed(2), failed(3)]
    assert ledger_words(ledger_of(trials, [NE]))[1:3] == [
        "the rows of 2 finished trials are not known and not in the sums",
        "the energy of 2 finished trials is not known and not in the sums",
    ]


@pytest.mark.parametrize(
    ("trials", "words"),
    [
        ([trial(0, 0.9, stage="baseline")], "no gain yet: the search has no feasible trial that is complete"),
        ([trial(0, 0.9, stage="baseline"), failed(1)], "no gain yet: the search has no feasible trial"),
        (
            [trial(0, 0.9, stage="baseline"), trial(1, 0.945)],
            "no gain yet: trial 1 is 5.00 % worse than the control, your baseline",
        ),
        (
            [trial(0, 0.9, stage="baseline"), trial(1, 0.9)],
            "no gain yet: trial 1 is as good as the control, your baseline",
        ),
        ([trial(0, 0.9)], "no gain can be told: there is no control to compare with"),
        ([replace(failed(0), stage="baseline"), trial(1, 0.9)], "no gain can be told: there is no control"),
        ([], "no gain yet: the search has no feasible trial"),
    ],
)
def test_without_a_gain_it_says_why_and_names_no_price(trials: list[Trial], words: str) -> None:
    ledger = ledger_of(trials, [NE])
    assert ledger_words(ledger)[0].startswith(words)
    assert ledger.price is None


def test_the_gain_is_in_quality_wherever_that_stands_among_the_objectives() -> None:
    ledger = ledger_of([trial(0, 0.9, stage="baseline"), trial(1, 0.855)], [FLOPS, NE])
    assert ledger.gain == pytest.approx(5.0)


def test_a_trial_that_breaks_a_bound_has_gained_nothing() -> None:
    trials = [trial(0, 0.9, stage="baseline"), trial(1, 0.88), trial(2, 0.855)]
    ledger = ledger_of(trials, [NE, Objective("flops", bound=10.0)])
    assert ledger.winner is trials[1]


def test_a_trial_stopped_early_without_a_curve_counts_the_rows_it_saw() -> None:
    stopped = replace(trial(0, 0.9), state=TrialState.PRUNED, evaluation=Evaluation({}, (), 300, 1.0))
    [row] = ledger_rows(ledger_of([stopped], [NE]))
    assert (row["pruned"], row["rows"], row["rows_known_of"]) == (1, 300, 1)


def test_costs_add_what_is_known() -> None:
    assert Cost(1.0, 2, None) + Cost(2.0, 3, 4.0) == Cost(3.0, 5, 4.0)
    assert Cost(1.0, 2) + Cost(2.0, 3) == Cost(3.0, 5, None)
