from __future__ import annotations

import pytest

from automl.report import _format
from automl.report._labels import label_shifts, spread


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (7, "7"), (0.5, "0.50"), (12.34, "12.3"), (999.96, "1.00 k"), (9_000, "9.00 k"), (123_456, "123 k")],
)
def test_quantities_have_three_digits(number: float, text: str) -> None:
    assert _format.quantity(number) == text


def test_durations_have_two_units() -> None:
    assert [_format.duration(seconds) for seconds in (4.25, 61, 3725)] == ["4.2 s", "1 min 1 s", "1 h 2 min"]


def test_a_missing_value_is_a_dash() -> None:
    assert {_format.value("ne", None), _format.megabytes(None), _format.quantity(None)} == {_format.ABSENT}


@pytest.mark.parametrize(
    ("origin", "name"), [("zoo:dcnv2", "DCNv2"), ("zoo:my_model", "My model"), ("zoo:wide_and_deep", "Wide & Deep")]
)
def test_baselines_have_the_names_people_know(origin: str, name: str) -> None:
    assert _format.baseline_name(origin) == name


def test_spread_keeps_the_order_and_the_gap() -> None:
    moved = spread([10.0, 30.0, 11.0, 12.0], gap=4.0)
    assert moved == [7.0, 30.0, 11.0, 15.0]


def test_a_label_avoids_its_neighbour() -> None:
    shifts = label_shifts([(100.0, 100.0), (100.0, 112.0)], ["one", "two"], [], (500.0, 300.0))
    assert shifts[0][1] <= 0
    assert shifts[1][1] >= 0


def test_a_label_stays_inside_the_plot() -> None:
    ((right, _),) = label_shifts([(2.0, 150.0)], ["a long name"], [], (500.0, 300.0))
    assert right > 0


def test_small_multiples_keep_two_digits() -> None:
    assert [_format.times(ratio).split()[0] for ratio in (2.514, 0.24, 0.00317)] == ["2.51", "0.24", "0.0032"]
