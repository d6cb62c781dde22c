"""Predictions of searchers against what was measured, and how they are drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from automl.report._predictions import agreement, agreement_sentences
from automl.report._predictions_figure import predictions_figure
from automl.report._view import View, look_at
from evaluators import Objective, Trial
from searchspaces import Options
from tests.automl.report.studies import FLOPS, NE, failed, laid_out, measured

SPEED = Objective("examples_per_second")
CUBICML = {"searcher": {"name": "cubicml"}}
WL_EHVI = {"searcher": {"name": "wl_ehvi"}}


def speeds(*pairs: tuple[float, float]) -> View:
    """Trials of these predicted and measured speeds; guides predict losses, so that signs are turned."""
    made = [laid_out(at, found, Options(predicted=-told, spread=5.0)) for at, (told, found) in enumerate(pairs)]
    return look_at(made, [SPEED])


def nes(*pairs: tuple[float, float]) -> View:
    trials = [
        replace(one, suggestion=replace(one.suggestion, memo=Options(predicted=told, std=0.01)))
        for one, (told, _) in ((measured(at, pair[1], 1e5), pair) for at, pair in enumerate(pairs))
    ]
    return look_at(trials, [NE, FLOPS])


def test_a_guide_with_a_unit_has_its_error_and_its_order() -> None:
    found = agreement(speeds((110.0, 100.0), (180.0, 200.0), (300.0, 300.0)), CUBICML)
    assert found is not None
    assert (found.has_unit, found.tau) == (True, 1.0)
    assert found.mape == pytest.approx((0.1 + 0.1 + 0.0) / 3)
    assert [one.predicted for one in found.trials] == [110.0, 180.0, 300.0]


def test_a_wrong_order_has_a_negative_correlation() -> None:
    found = agreement(speeds((300.0, 100.0), (200.0, 200.0), (100.0, 300.0)), CUBICML)
    assert found is not None
    assert found.tau == -1.0


def test_architectures_are_compared_too() -> None:
    found = agreement(nes((0.90, 0.91), (0.80, 0.81), (0.85, 0.84)), WL_EHVI)
    assert found is not None
    assert (found.objective, found.has_unit, found.tau) == (NE, True, 1.0)
    assert found.mape == pytest.approx(0.0117, abs=1e-4)


@pytest.mark.parametrize(
    ("searcher", "has_unit"),
    [
        ({"name": "wl_ehvi", "guide": {"name": "lambdarank"}}, False),
        ({"name": "wl_ehvi", "guide": "gp"}, True),
        ({"name": "predictor_rl"}, False),
        ({"name": "predictor_rl", "guide": {"name": "wl_gp", "trees": False}}, True),
        ({"name": "somebodys_own"}, False),
    ],
    ids=str,
)
def test_only_some_guides_have_a_unit(searcher: dict[str, Any], has_unit: bool) -> None:
    found = agreement(nes((0.1, 0.91), (0.2, 0.92), (0.3, 0.93)), {"searcher": searcher})
    assert found is not None
    assert (found.has_unit, found.mape is not None, found.tau) == (has_unit, has_unit, 1.0)


def test_trials_without_a_prediction_or_a_value_do_not_count() -> None:
    blind, known = measured(3, 0.9, 1e5), measured(4, 0.9, 1e5)
    memo = Options(predicted=0.9, std=0.1)
    lost: Trial = replace(failed(5), suggestion=replace(known.suggestion, memo=memo))
    ranked = replace(known, suggestion=replace(known.suggestion, memo=Options(predicted=0.9, rank=1, mutants=9)))
    assert agreement(look_at([blind, lost, ranked], [NE]), WL_EHVI) is None
    assert predictions_figure(None, look_at([blind], [NE])) is None


def test_the_sentences_tell_the_numbers_and_what_they_are_not() -> None:
    view = speeds((110.0, 100.0), (180.0, 200.0), (300.0, 300.0))
    found = agreement(view, CUBICML)
    assert found is not None
    first, second = agreement_sentences(found)
    assert "3 trials had a prediction of their training examples/s" in first
    assert "is 1.00 (Kendall's tau" in first
    assert "mean absolute error is 6.67 % of the measured value" in first
    assert "promise too much" in second
    unknown = agreement(view, {})
    assert unknown is not None
    assert "error" not in agreement_sentences(unknown)[0]
    assert "an order, not a unit" in agreement_sentences(unknown)[1]


def test_predictions_with_a_unit_are_drawn_beside_the_line_on_which_they_are_right() -> None:
    view = speeds((110.0, 100.0), (180.0, 200.0), (300.0, 300.0))
    figure = predictions_figure(agreement(view, CUBICML), view)
    assert figure is not None
    dots, line = figure.content["data"]
    assert (dots["x"], dots["y"]) == ([110.0, 180.0, 300.0], [100.0, 200.0, 300.0])
    assert dots["error_x"]["array"] == [5.0] * 3
    assert line["x"] == line["y"] == [100.0, 300.0]
    assert figure.content["layout"]["xaxis"]["type"] == "linear"
    go.Figure(figure.content)


def test_speeds_that_differ_widely_are_on_logarithmic_axes() -> None:
    view = speeds((110.0, 100.0), (180.0, 200.0), (3000.0, 3000.0))
    figure = predictions_figure(agreement(view, CUBICML), view)
    assert figure is not None
    assert {figure.content["layout"][axis]["type"] for axis in ("xaxis", "yaxis")} == {"log"}


def test_predictions_without_a_unit_have_no_line_and_say_so() -> None:
    view = nes((0.1, 0.91), (0.2, 0.92), (0.3, 0.93))
    figure = predictions_figure(agreement(view, {}), view)
    assert figure is not None
    assert len(figure.content["data"]) == 1
    assert "the guide's own scale" in figure.content["layout"]["xaxis"]["title"]["text"]
