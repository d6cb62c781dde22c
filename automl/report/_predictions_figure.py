"""Draws predictions against what was measured of them."""

from __future__ import annotations

from automl.report import _format
from automl.report._plotting import BLUE, INK, Figure, Json, axis_title, hover, layout
from automl.report._predictions import Agreement
from automl.report._view import View, robust_range
from evaluators import Goal, Objective

WIDE = 5.0
"""Times that the largest value is of the smallest, from which on axes are logarithmic."""


def predictions_figure(found: Agreement | None, view: View) -> Figure | None:
    """A dot a trial; with a unit on both axes, the line on which a prediction is right, and bars of one deviation."""
    if found is None:
        return None
    metric, measured = _format.label(found.objective.metric), [one.measured for one in found.trials]
    scale = "" if found.has_unit else " (the guide's own scale, lower is better)"
    frame = layout(f"measured {axis_title(found.objective)}", f"predicted {metric}{scale}")
    is_wide = found.has_unit and _are_wide([*measured, *(one.predicted for one in found.trials)])
    low, high = (min(measured), max(measured)) if is_wide else _limits(found.objective, measured)
    for axis in (frame["xaxis"], frame["yaxis"]):
        axis |= {"tickformat": "", "exponentformat": "SI", "type": "log" if is_wide else "linear"}
    if not is_wide:
        frame["yaxis"]["range"] = [low, high]
    traces = [_dots(found, view), *([_right(min(measured), max(measured))] if found.has_unit else [])]
    outside = sum(not low <= one <= high for one in measured)
    notes = ["On the line a prediction is right; bars are one deviation of the prediction."] * found.has_unit
    notes += [f"Beyond the axis: {outside} trial{'s' * (outside != 1)}."] * bool(outside)
    return Figure({"data": traces, "layout": frame}, " ".join(notes))


def _dots(found: Agreement, view: View) -> Json:
    trace: Json = {
        "type": "scatter",
        "mode": "markers",
        "name": "Trials",
        "x": [one.predicted for one in found.trials],
        "y": [one.measured for one in found.trials],
        "text": [f"{hover(one.trial, view)}<br>predicted {_told(one.predicted, found)}" for one in found.trials],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": BLUE, "size": 7, "opacity": 0.75},
    }
    if found.has_unit:
        deviations = [one.spread for one in found.trials]
        trace["error_x"] = {"type": "data", "array": deviations, "color": BLUE, "thickness": 0.7, "width": 0}
    return trace


def _told(value: float, found: Agreement) -> str:
    return _format.value(found.objective.metric, value) if found.has_unit else f"{value:.4g}"


def _right(low: float, high: float) -> Json:
    line = {"color": INK, "width": 1, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "name": "Right", "x": [low, high], "y": [low, high], "line": line}


def _limits(objective: Objective, measured: list[float]) -> tuple[float, float]:
    low, high = robust_range([objective.loss(one) for one in measured])
    return (low, high) if objective.goal is Goal.MINIMIZE else (-high, -low)


def _are_wide(values: list[float]) -> bool:
    return min(values) > 0 and max(values) > WIDE * min(values)
