"""What the plots share: colours, axes, dots with their hover texts, in Plotly's JSON."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from automl.report import _format
from automl.report._view import View, gain_of, quality_of, robust_range
from evaluators import Goal, Objective, Trial

Json = dict[str, Any]

GREY, BLUE, RED, INK, LINES = "#a3adba", "#1d5fd1", "#c8442f", "#1c2430", "#e6eaf0"
HEIGHT = 470
PLOT_PIXELS = (900.0, 370.0)
"""About the size of the area inside the axes: enough to keep labels apart."""


_HOVERED = ("ne", "auc", "flops", "params")


@dataclass(frozen=True)
class Figure:
    """A plot and the sentence under it."""

    content: Json
    note: str


def dots(trials: Sequence[Trial], view: View, *, name: str, colour: str) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [cost_of(trial, view) for trial in trials],
        "y": [quality_of(trial, view) for trial in trials],
        "text": [hover(trial, view) for trial in trials],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "size": 7, "opacity": 0.65},
    }


def layout(y_title: str, x_title: str) -> Json:
    axis = {"gridcolor": LINES, "zeroline": False, "linecolor": "#c5ccd6", "ticks": "outside", "tickcolor": "#c5ccd6"}
    return {
        "height": HEIGHT,
        "margin": {"l": 84, "r": 24, "t": 44, "b": 56},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "font": {"family": "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif", "size": 13, "color": INK},
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "white", "bordercolor": "#c5ccd6", "align": "left"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "xaxis": {**axis, "title": {"text": x_title, "font": {"size": 13}}},
        "yaxis": {**axis, "title": {"text": y_title, "font": {"size": 13}}, "tickformat": ".4~f"},
    }


def quality_limits(view: View, trials: Sequence[Trial]) -> tuple[float, float]:
    losses = [view.quality.loss(quality_of(trial, view)) for trial in trials]
    reference = view.reference
    always = [view.quality.loss(quality_of(reference, view))] if reference else []
    low, high = robust_range(losses, always)
    return (low, high) if view.quality.goal is Goal.MINIMIZE else (-high, -low)


def what_is_outside(view: View, limits: tuple[float, float]) -> str:
    low, high = limits
    trials = sum(not low <= quality_of(trial, view) <= high for trial in view.complete)
    names = [
        f"{_format.baseline_name(trial.suggestion.origin)} at {_format.value(view.quality.metric, quality)}"
        for trial in view.measured_baselines
        if not low <= (quality := quality_of(trial, view)) <= high
    ]
    outside = [f"{trials} trial{'s' * (trials != 1)}"] * bool(trials) + names
    return f"Beyond the {_format.label(view.quality.metric)} axis: {', '.join(outside)}." if outside else ""


def baseline_label(trial: Trial, view: View) -> str:
    """A baseline's name in a plot; the control says that it is."""
    name = _format.baseline_name(trial.suggestion.origin)
    return f"{name} (control)" if view.control and trial.number == view.control.number else name


def axis_title(objective: Objective) -> str:
    better = "lower" if objective.goal is Goal.MINIMIZE else "higher"
    return f"{_format.label(objective.metric)} ({better} is better)"


def cost_of(trial: Trial, view: View) -> float | None:
    return trial.value(view.cost.metric) if view.cost else None


def hover(trial: Trial, view: View) -> str:
    """What is told of a trial under the pointer: its objectives among the measures that it has."""
    shown = (*_HOVERED, *(one.metric for one in view.objectives if one.metric not in _HOVERED))
    known = [(metric, value) for metric in shown if (value := trial.value(metric)) is not None]
    values = [f"{html.escape(_format.label(metric))} {_format.value(metric, value)}" for metric, value in known]
    seconds = f"{trial.evaluation.seconds:.1f} s" if trial.evaluation else ""
    origin = html.escape(trial.suggestion.origin or "unnamed")
    gained = gain_of(trial, view)
    against = [] if gained is None else [f"{_format.gained(gained)} against the control"]
    return "<br>".join([f"<b>trial {trial.number}</b>", *values, *against, seconds, origin])
