"""Draws what a search has paid for its gain: the best gain so far against the seconds spent."""

from __future__ import annotations

import math

from automl.front import is_feasible
from automl.report import _format
from automl.report._plotting import BLUE, RED, Figure, Json, layout
from automl.report._view import View, gain_of, seconds_of
from evaluators import Trial

_SCALES = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def ledger_figure(view: View) -> Figure | None:
    """Best gain so far over cumulated evaluation time, failed trials included; None without a gain to tell."""
    finished = sorted((trial for trial in view.search if trial.state.is_finished), key=_finish_order)
    best, spent = -math.inf, 0.0
    points: list[tuple[float, float]] = []
    for trial in finished:
        spent += seconds_of(trial)
        gained = gain_of(trial, view) if is_feasible(trial, view.objectives) else None
        if gained is not None:
            best = max(best, gained)
        if best > -math.inf:
            points.append((spent, best))
    if not points:
        return None
    scale, unit = next(((one, name) for one, name in _SCALES if spent >= 2 * one), _SCALES[-1])
    frame = layout(f"best gain in {_format.label(view.quality.metric)} so far (%)", f"evaluation time ({unit})")
    frame["yaxis"] |= {"tickformat": ".3~g", "ticksuffix": " %"}
    frame["xaxis"]["rangemode"] = "tozero"
    frame["shapes"] = [_control_line()]
    note = "Zero is the control. Time is summed over the search's trials, failed ones included, one after the other."
    return Figure({"data": [_line(points, scale)], "layout": frame}, note)


def _line(points: list[tuple[float, float]], scale: float) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Best gain so far",
        "x": [seconds / scale for seconds, _ in points],
        "y": [gained for _, gained in points],
        "line": {"color": BLUE, "width": 2, "shape": "hv"},
    }


def _control_line() -> Json:
    line = {"color": RED, "width": 1, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": line}


def _finish_order(trial: Trial) -> tuple[float, int]:
    return (math.inf if trial.finish_order is None else trial.finish_order, trial.number)
