from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from automl.report._edits_figure import edits_figure
from automl.report._front_figure import front_figure
from automl.report._guide_figure import guide_figure
from automl.report._ledger_figure import ledger_figure
from automl.report._plotting import Figure
from automl.report._progress_figure import progress_figure
from automl.report._view import look_at
from evaluators import Objective, Trial
from searchspaces import Options
from tests.automl.report.studies import FLOPS, NE, baselines, failed, measured, own, search


def drawn(figure: Figure | None) -> dict[str, Any]:
    assert figure is not None
    return {trace["name"]: trace for trace in figure.content["data"]}


def front_of(*trials: Trial) -> Figure | None:
    return front_figure(look_at(trials, [NE, FLOPS]))


def test_the_front_is_a_staircase_by_cost_with_error_bars() -> None:
    trace = drawn(front_of(measured(0, 0.8, 3e5), measured(1, 0.9, 1e5), measured(2, 0.95, 2e5)))["Front"]
    assert trace["x"] == [1e5, 3e5]
    assert trace["y"] == [0.9, 0.8]
    assert trace["line"]["shape"] == "hv"
    assert trace["error_y"]["array"] == [0.0011, 0.0011]


def test_a_gain_on_the_x_axis_turns_the_staircase() -> None:
    view = look_at([measured(0, 0.8, 3e5), measured(1, 0.9, 1e5)], [NE, Objective("qps")])
    assert drawn(front_figure(view))["Front"]["line"]["shape"] == "vh"


def test_what_is_not_on_the_front_is_grey() -> None:
    traces = drawn(front_of(measured(0, 0.8, 3e5), measured(1, 0.9, 4e5)))
    assert traces["Trials"]["x"] == [4e5]
    assert traces["Winner"]["x"] == [3e5]


def test_every_baseline_is_labelled_by_name() -> None:
    figure = front_of(*baselines(), *search())
    assert figure is not None
    texts = {label["text"] for label in figure.content["layout"]["annotations"]}
    assert texts == {
        f"<b>{name}</b>" for name in ("DCNv2 (control)", "DLRM", "DeepFM", "Wide &amp; Deep", "Logistic regression")
    }


def test_the_hover_tells_the_trial_apart() -> None:
    text = drawn(front_of(measured(3, 0.8, 3e5, origin="mutation")))["Front"]["text"][0]
    assert text == (
        "<b>trial 3</b><br>NE 0.80000<br>AUC 0.75000<br>FLOPs 300 k<br>parameters 900 k<br>4.2 s<br>mutation"
    )


def test_flops_are_on_a_log_axis_unless_one_is_zero() -> None:
    for flops, kind in ((1e5, "log"), (0.0, "linear")):
        figure = front_of(measured(0, 0.8, flops), measured(1, 0.7, 2e5))
        assert figure is not None
        assert figure.content["layout"]["xaxis"]["type"] == kind


def test_what_lies_beyond_the_axis_is_counted_below_the_plot() -> None:
    figure = front_of(*baselines(), *search())
    assert figure is not None
    assert figure.note.endswith("Beyond the NE axis: 2 trials.")


def test_a_baseline_beyond_the_axis_is_named_below_the_plot() -> None:
    figure = front_of(*baselines())
    assert figure is not None
    assert figure.note.endswith("Beyond the NE axis: Logistic regression at 0.93100.")


def test_the_best_so_far_never_gets_worse_and_skips_failures() -> None:
    view = look_at([measured(0, 0.9, 1e5), failed(1), measured(2, 0.95, 1e5), measured(3, 0.8, 1e5)], [NE])
    traces = drawn(progress_figure(view))
    assert traces["Best so far"]["x"] == [1, 2, 3, 4]
    assert traces["Best so far"]["y"] == [0.9, 0.9, 0.9, 0.8]
    assert traces["Failed"]["x"] == [2]


def test_the_best_so_far_of_a_gain_rises() -> None:
    trials = [measured(0, 0.9, 1e5), measured(1, 0.95, 1e5), measured(2, 0.8, 1e5)]
    figure = progress_figure(look_at(trials, [Objective("auc")]))
    assert drawn(figure)["Best so far"]["y"] == [1.55 - 0.9, 1.55 - 0.9, 1.55 - 0.8]
    assert figure is not None
    low, high = figure.content["layout"]["yaxis"]["range"]
    assert low < 0.6 < 0.75 < high


def test_dots_are_coloured_by_origin_and_rare_origins_share_a_colour() -> None:
    trials = [measured(number, 0.9, 1e5, origin=f"operator {number % 12}") for number in range(36)]
    traces = drawn(progress_figure(look_at(trials, [NE])))
    assert len(traces) == 9
    assert len(traces["other origins"]["x"]) == 36 - 7 * 3


def test_baselines_are_lines_with_labels_that_do_not_meet() -> None:
    figure = progress_figure(look_at([*baselines(), *search()], [NE, FLOPS]))
    assert figure is not None
    layout = figure.content["layout"]
    heights = sorted(label["y"] for label in layout["annotations"])
    low, high = layout["yaxis"]["range"]
    gaps = [(above - below) / (high - low) * 370 for below, above in pairwise(heights)]
    assert len(layout["shapes"]) == 5
    assert min(gaps) > 15.9


def test_the_hover_tells_the_gain_where_there_is_a_control() -> None:
    text = drawn(front_of(own(ne=0.8), measured(9, 0.6, 3e5)))["Front"]["text"][0]
    assert "<br>+25.00 % against the control<br>" in text


def test_the_best_gain_so_far_stands_over_the_time_spent_failures_included() -> None:
    trials = [own(ne=0.8), measured(6, 0.9, 0.0), failed(7), measured(8, 0.95, 0.0), measured(9, 0.6, 0.0)]
    figure = ledger_figure(look_at(trials, [NE, FLOPS]))
    line = drawn(figure)["Best gain so far"]
    assert line["x"] == [3.5, 4.5, 8.0, 11.5]
    assert [round(value, 6) for value in line["y"]] == [-12.5, -12.5, -12.5, 25.0]
    assert figure is not None
    assert figure.content["layout"]["xaxis"]["title"]["text"] == "evaluation time (seconds)"
    assert figure.content["layout"]["yaxis"]["title"]["text"] == "best gain in NE so far (%)"


def test_long_searches_are_drawn_in_larger_units() -> None:
    for flops, unit in ((8e7, "minutes"), (6e9, "hours")):
        figure = ledger_figure(look_at([own(), measured(6, 0.9, flops)], [NE, FLOPS]))
        assert figure is not None
        assert figure.content["layout"]["xaxis"]["title"]["text"] == f"evaluation time ({unit})"


def test_without_a_control_there_is_no_gain_to_draw() -> None:
    assert ledger_figure(look_at([measured(0, 0.9, 1e5)], [NE])) is None


def test_nothing_measured_gives_no_figure() -> None:
    view = look_at([failed(0)], [NE, FLOPS])
    assert front_figure(view) is None
    assert progress_figure(view) is None


def test_the_guide_is_drawn_where_a_searcher_tells_of_it() -> None:
    trials = [
        replace(one, suggestion=replace(one.suggestion, memo=Options(tau=0.1 * at, tau_upper=0.1 * at + 0.2)))
        for at, one in enumerate((measured(7, 0.9, 1e5), measured(8, 0.9, 1e5)))
    ]
    traces = drawn(guide_figure(look_at(trials, [NE, FLOPS])))
    assert (traces["cross-validated"]["x"], traces["cross-validated"]["y"]) == ([8, 9], [0.0, 0.1])
    assert traces["its upper 90 % bound"]["y"] == pytest.approx([0.2, 0.3])
    assert guide_figure(look_at(baselines(), [NE, FLOPS])) is None


def test_the_edits_are_drawn_with_their_intervals() -> None:
    view = look_at([*baselines(), *search()], [NE, FLOPS])
    figure, [found] = edits_figure(view), view.lineage.edits
    assert figure is not None
    [dots] = figure.content["data"]
    assert (dots["x"], dots["y"]) == ([found.gain], [f"widen mlp ({found.count})"])
    assert found.low is not None
    assert dots["error_x"]["arrayminus"] == pytest.approx([found.gain - found.low])
    assert edits_figure(look_at(baselines(), [NE, FLOPS])) is None
