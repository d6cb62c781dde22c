"""The ground of a race: what losses are, what bounds hypervolumes, what stays hidden."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from automl._errors import AutomlError
from automl.bench.race.ground import OURS, course_on_table, course_on_trials, losses
from automl.bench.trial_files.source import Source
from evaluators import Evaluation, Goal, Metric, Objective
from evaluators._tabular.entries import FACTS_FILE, SEARCH, TRUTH, Entry, read_entries
from tests.automl.bench.race.grounds import OBJECTIVES, planted, trials_file
from tests.evaluators.small_tables import entries, write_table


def test_quality_is_as_it_is_and_costs_are_logarithms_that_are_smaller_when_better() -> None:
    some = Evaluation({"auc": Metric(0.7), "flops": Metric(1000.0), "qps": Metric(100.0)})
    assert losses(some, [Objective("auc"), Objective("flops"), Objective("qps")]) == pytest.approx([-0.7, 3.0, -2.0])
    assert math.isnan(losses(some, [Objective("ne")])[0])


def test_a_cost_of_nothing_is_told() -> None:
    with pytest.raises(AutomlError, match=r"must be above 0, but 'flops' is 0; race without it"):
        losses(Evaluation({"ne": Metric(0.8), "flops": Metric(0.0)}), OBJECTIVES)


def test_the_best_of_the_truth_is_that_of_the_hidden_trainings() -> None:
    found = entries(40)
    hidden: dict[int, list[float]] = {}
    for one in found:
        if one.role == "truth" and isinstance(one.outcome, Evaluation):
            hidden.setdefault(one.number, []).append(one.outcome.value("ne"))
    assert planted().ground.best == pytest.approx(min(sum(values) / len(values) for values in hidden.values()))


def test_logistic_regression_bounds_the_hypervolume_where_the_table_has_it(tmp_path: Path) -> None:
    found = entries(6)
    for at in range(5):
        outcome = Evaluation({"ne": Metric(0.7 + at / 100), "flops": Metric(2.0)})
        found.append(Entry(6, found[0].candidate, at, "control", outcome))
    folder = write_table(tmp_path / "t", found)
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    (folder / FACTS_FILE).write_text(
        json.dumps({**facts, "controls": {"zoo:logistic_regression": 6}}), encoding="utf-8"
    )
    course = course_on_table(folder, OBJECTIVES)
    assert course.ground.reference[0] == pytest.approx(0.72)
    assert course.ground.reference[1] == pytest.approx(course.ground.truth[:, 1].max(), abs=1e-8)
    assert len(course.numbers) == 6


def test_a_table_without_the_objectives_is_told(tmp_path: Path) -> None:
    with pytest.raises(AutomlError, match="no training of t has all of ne_calibrated, flops"):
        course_on_table(write_table(tmp_path / "t", entries(6)), [Objective("ne_calibrated"), Objective("flops")])


def test_replicates_in_a_file_are_noise_and_their_mean_is_true(tmp_path: Path) -> None:
    rows = [{"settings": {"a": a}, "acc_0": a / 10, "acc_1": a / 10 + 0.02} for a in range(5)]
    course = course_on_trials(Source(trials_file(tmp_path, rows), "acc", Goal.MAXIMIZE))
    assert course.ground.best == pytest.approx(-0.41)
    assert {len(outcomes) for outcomes in course.lookup.outcomes.values()} == {2}


def test_our_own_table_has_what_searchers_see_and_a_truth_that_they_do_not() -> None:
    found = read_entries(OURS)
    counts = Counter((one.role, one.replicate) for one in found if isinstance(one.outcome, Evaluation))
    assert [counts[SEARCH, at] for at in range(2)] == [600, 600]
    assert [counts[TRUTH, at] for at in range(2, 7)] == [100] * 5
    assert len({one.candidate.fingerprint for one in found if one.role == SEARCH}) == 600
    assert all({"ne", "flops"} <= set(one.outcome.metrics) for one in found if isinstance(one.outcome, Evaluation))
