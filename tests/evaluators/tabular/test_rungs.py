"""Rungs are read from the curve of the whole training."""

from __future__ import annotations

import pytest

from evaluators import Evaluation, Metric, Point
from evaluators._tabular.rungs import read_at

LOSSES = (0.9, 0.8, 0.7, 0.6)
CURVE = tuple(Point(100 * (at + 1), {"train_logloss": loss}) for at, loss in enumerate(LOSSES))
METRICS = {
    "ne": Metric(0.8, 0.01),
    "logloss": Metric(0.4),  # so the entropy is 0.5
    "auc": Metric(0.7),
    "flops": Metric(64.0),
    "train_seconds": Metric(8.0),
}
WHOLE = Evaluation(METRICS, CURVE, seconds=10.0)


def _at(rows: int) -> Evaluation:
    found = read_at(WHOLE, rows)
    assert found is not None
    return found


def test_quality_is_the_loss_over_the_last_half_of_the_rows_so_far() -> None:
    assert _at(200).value("ne") == pytest.approx(0.8 / 0.5)
    assert _at(300).value("ne") == pytest.approx((0.8 + 0.7) / 2 / 0.5)
    assert _at(399).value("ne") == _at(300).value("ne")


def test_points_weigh_as_many_rows_as_they_have() -> None:
    uneven = Evaluation(METRICS, (CURVE[0], Point(120, {"train_logloss": 0.5}), *CURVE[1:]), seconds=1.0)
    found = read_at(uneven, 120)
    assert found is not None
    assert found.value("logloss") == pytest.approx((100 * 0.9 + 20 * 0.5) / 120)


def test_a_rung_of_one_point_has_a_quality() -> None:
    assert _at(100).value("logloss") == 0.9


def test_costs_stay_and_time_is_in_proportion() -> None:
    found = _at(200)
    assert (found.value("flops"), found.value("train_seconds"), found.seconds) == (64.0, 4.0, 5.0)


def test_what_is_only_known_at_the_end_is_left_out() -> None:
    assert "auc" not in _at(200).metrics
    assert [point.rows for point in _at(200).curve] == [100, 200]


def test_the_whole_training_stands_for_every_rung_beyond_it() -> None:
    assert _at(400) is WHOLE
    assert _at(10**9) is WHOLE


def test_before_its_first_point_a_curve_says_nothing() -> None:
    assert read_at(WHOLE, 99) is None
