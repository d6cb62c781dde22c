"""Draws the first two objectives, a third one as a colour: the front, every trial, and the baselines in the frame."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from automl.report import _format
from automl.report._labels import label_shifts
from automl.report._plotting import (
    BLUE,
    GREY,
    PLOT_PIXELS,
    RED,
    Figure,
    Json,
    axis_title,
    baseline_label,
    cost_of,
    dots,
    layout,
    quality_limits,
    what_is_outside,
)
from automl.report._third_axis import ThirdAxis
from automl.report._view import View, quality_of
from evaluators import Goal, Trial


def front_figure(view: View) -> Figure | None:
    """Quality against cost: all trials, the front as a step line, baselines by name; None without points."""
    if view.cost is None:
        return None
    points = [trial for trial in view.complete if cost_of(trial, view) is not None]
    baselines = [trial for trial in view.measured_baselines if cost_of(trial, view) is not None]
    if not points and not baselines:
        return None
    limits = quality_limits(view, [*points, *baselines])
    is_log = all((cost_of(trial, view) or 0) > 0 for trial in [*points, *baselines])
    traces = [
        *_trial_traces(points, view),
        *([_baseline_trace(baselines, view)] if baselines else []),
        *([_winner_trace(view.winner, view)] if view.winner else []),
    ]
    frame = layout(axis_title(view.quality), f"{axis_title(view.cost)}{', log scale' if is_log else ''}")
    frame["yaxis"] |= {"range": list(limits)} | ({} if view.has_quality else {"tickformat": "~s"})
    frame["xaxis"] |= {"type": "log" if is_log else "linear", "exponentformat": "SI"}
    frame["annotations"] = _baseline_labels(baselines, view, limits, is_log)
    return Figure({"data": traces, "layout": frame}, " ".join([*_notes(view), what_is_outside(view, limits)]).strip())


def _trial_traces(points: Sequence[Trial], view: View) -> list[Json]:
    """The front and what is behind it, both on the scale of a third objective if there is one."""
    kept = {trial.number for trial in view.front}
    behind = [trial for trial in points if trial.number not in kept]
    traces = [dots(behind, view, name="Trials", colour=GREY), _front_trace(view)]
    third = view.third
    if third is None:
        return traces
    axis = ThirdAxis(third, [*points, *view.front])
    coloured = axis.colour(traces[0], behind, has_scale=False), axis.colour(traces[1], view.front, has_scale=True)
    coloured[0]["marker"] |= {"size": 6, "opacity": 0.45}
    return list(coloured)


def _notes(view: View) -> list[str]:
    notes = []
    if view.has_quality and any(_stderr(trial, view.quality.metric) for trial in view.front):
        notes.append(
            "Error bars: one standard error over the rows of the validation part; all trials share these rows, so "
            "their differences are known better than that."
        )
    if view.third is not None:
        notes.append(f"Colours: {_format.label(view.third.metric)}; large dots are the front, which no line can show.")
        undrawn = [_format.label(one.metric) for one in view.objectives if one not in view.drawn]
        notes += [f"Not drawn: {', '.join(undrawn)}; see the table."] * bool(undrawn)
    return notes


def _front_trace(view: View) -> Json:
    trace = dots(view.front, view, name="Front", colour=BLUE)
    errors = [_stderr(trial, view.quality.metric) for trial in view.front]
    if any(errors):
        trace["error_y"] = {"type": "data", "array": errors, "color": BLUE, "thickness": 1, "width": 4}
    trace["marker"] |= {"size": 9, "opacity": 1, "line": {"color": "white", "width": 1}}
    if len(view.objectives) == 2 and view.cost is not None:
        # A front of two objectives is a staircase: between two points the better one that is affordable holds.
        turn = "hv" if view.cost.goal is Goal.MINIMIZE else "vh"
        by_cost = sorted(range(len(view.front)), key=lambda at: trace["x"][at])
        for key in ("x", "y", "text"):
            trace[key] = [trace[key][at] for at in by_cost]
        if "error_y" in trace:
            trace["error_y"]["array"] = [errors[at] for at in by_cost]
        trace |= {"mode": "lines+markers", "line": {"shape": turn, "color": BLUE, "width": 2}}
    return trace


def _winner_trace(winner: Trial, view: View) -> Json:
    trace = dots([winner], view, name="Winner", colour=BLUE)
    trace["marker"] |= {"size": 17, "opacity": 1, "symbol": "star", "line": {"color": "white", "width": 1}}
    return trace


def _baseline_trace(trials: Sequence[Trial], view: View) -> Json:
    trace = dots(trials, view, name="Baselines", colour=RED)
    trace["marker"] |= {"size": 11, "opacity": 1, "symbol": "diamond", "line": {"color": "white", "width": 1}}
    return trace


def _baseline_labels(trials: Sequence[Trial], view: View, limits: tuple[float, float], is_log: bool) -> list[Json]:
    """Annotations beside the markers: unlike a trace's own text they can have a backing that keeps them legible."""
    shown = [trial for trial in trials if limits[0] <= quality_of(trial, view) <= limits[1]]
    across = [_scaled(trial, view, is_log) for trial in (*view.complete, *trials) if cost_of(trial, view) is not None]
    low, width = min(across), max(across) - min(across) or 1.0
    height = limits[1] - limits[0]

    def pixels(trial: Trial) -> tuple[float, float]:
        right = (_scaled(trial, view, is_log) - low) / width
        return right * PLOT_PIXELS[0], (quality_of(trial, view) - limits[0]) / height * PLOT_PIXELS[1]

    names = [baseline_label(trial, view) for trial in shown]
    shifts = label_shifts([pixels(one) for one in shown], names, [pixels(one) for one in view.front], PLOT_PIXELS)
    return [
        {
            "x": _scaled(trial, view, is_log),
            "y": quality_of(trial, view),
            "xshift": shift[0],
            "yshift": shift[1],
            "showarrow": False,
            "text": f"<b>{html.escape(name)}</b>",
            "font": {"color": RED, "size": 12},
            "bgcolor": "rgba(255,255,255,0.65)",
            "borderpad": 0,
        }
        for trial, name, shift in zip(shown, names, shifts, strict=True)
    ]


def _scaled(trial: Trial, view: View, is_log: bool) -> float:
    across = cost_of(trial, view) or 0.0
    return math.log10(across) if is_log else across


def _stderr(trial: Trial, metric: str) -> float:
    return (trial.evaluation.metrics[metric].stderr or 0.0) if trial.evaluation else 0.0
