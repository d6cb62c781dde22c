from __future__ import annotations

from xml.etree import ElementTree

import pytest
from scipy.stats import binomtest

from automl.bench.finals import Case, finals, wilson
from automl.bench.power_curves import power_curves
from automl.finals import Kind


def test_the_interval_of_a_share_is_scipys() -> None:
    reference = binomtest(7, 130).proportion_ci(method="wilson")
    assert wilson(7, 130) == pytest.approx((reference.low, reference.high), abs=1e-6)


def test_planted_finals_give_every_case_a_row_that_adds_up() -> None:
    found = finals(simulations=2)
    rows = [row for part in ("ties", "ties_hardest", "winners", "over_days") for row in found[part]]
    assert len(rows) == 18 + 18 + 72 + 7
    assert all(sum(row[kind.name.lower()] for kind in Kind) == pytest.approx(1.0) for row in rows)
    assert set(Case.__annotations__) <= set(rows[0])


def test_power_curves_are_drawn_for_every_plan() -> None:
    drawing = ElementTree.fromstring(power_curves(finals(simulations=1)))
    assert len([one for one in drawing.iter() if one.tag.endswith("polyline")]) == 2 * 6


def test_equal_seeds_plant_equal_finals() -> None:
    assert finals(simulations=1, seed=3)["winners"] == finals(simulations=1, seed=3)["winners"]
