from __future__ import annotations

import pytest

from automl.report._view import look_at, robust_range
from evaluators import Objective
from tests.automl.report.studies import FLOPS, NE, baselines, failed, measured


def test_outliers_do_not_squeeze_the_axis() -> None:
    low, high = robust_range([0.80, 0.81, 0.82, 0.83, 5.0])
    assert low < 0.80
    assert 0.83 < high < 1.0


def test_the_axis_reaches_what_must_always_be_seen() -> None:
    assert robust_range([0.80, 0.81, 0.82], always=[0.95])[1] > 0.95


def test_equal_values_still_give_an_axis() -> None:
    low, high = robust_range([0.9, 0.9])
    assert low < 0.9 < high


def test_ne_is_the_y_axis_wherever_it_stands_among_the_objectives() -> None:
    view = look_at([], [FLOPS, NE])
    assert view.quality == NE
    assert view.cost == FLOPS


def test_the_first_objective_is_the_y_axis_where_no_quality_is_asked_for() -> None:
    view = look_at([], [Objective("qps"), FLOPS])
    assert view.quality.metric == "qps"


def test_one_objective_is_drawn_against_flops_where_they_are_known() -> None:
    cost = look_at([measured(0, 0.9, 1e5)], [NE]).cost
    assert cost is not None
    assert cost.metric == "flops"
    assert look_at([], [NE]).cost is None


def test_baselines_and_later_stages_are_not_on_the_front() -> None:
    trials = [*baselines(), measured(7, 0.95, 1e5), measured(8, 0.1, 1.0, stage="finals")]
    view = look_at(trials, [NE, FLOPS])
    assert [trial.number for trial in view.front] == [7]
    assert [trial.number for trial in view.search] == [7]


def test_a_bound_does_not_disqualify_a_baseline() -> None:
    view = look_at(baselines(), [Objective("ne", bound=0.5), FLOPS])
    assert view.reference is not None
    assert view.reference is view.control
    assert view.reference.suggestion.origin == "zoo:dcnv2"


def test_failed_trials_are_listed() -> None:
    assert [trial.number for trial in look_at([measured(0, 0.9, 1.0), failed(1)], [NE]).failed] == [1]


@pytest.mark.parametrize(("metric", "expected"), [("auc", 1), ("ne", 0)])
def test_the_winner_is_the_best_in_quality(metric: str, expected: int) -> None:
    trials = [measured(0, 0.8, 1e6), measured(1, 0.9, 1e5)]
    trials[1].evaluation.metrics["auc"] = trials[0].evaluation.metrics["ne"]  # type: ignore[union-attr, index]
    winner = look_at(trials, [Objective(metric), FLOPS]).winner
    assert winner is not None
    assert winner.number == expected
