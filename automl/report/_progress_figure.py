"""Draws the progress of a search: every trial in the order they ended, and the best so far."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from automl.front import is_feasible
from automl.report._labels import spread
from automl.report._plotting import (
    INK,
    PLOT_PIXELS,
    RED,
    Figure,
    Json,
    axis_title,
    baseline_label,
    dots,
    layout,
    quality_limits,
    what_is_outside,
)
from automl.report._view import View, quality_of
from evaluators import Goal, Trial

# Okabe and Ito (2008), Color universal design: told apart by colour-blind readers too; red is the baselines'.
ORIGIN_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#7a5195", "#8c8c2b", "#6b7684")


def progress_figure(view: View) -> Figure | None:
    """Quality of each finished trial in the order they ended, with the best so far; None without trials."""
    finished = sorted((trial for trial in view.search if trial.state.is_finished), key=_finish_order)
    places = {trial.number: place for place, trial in enumerate(finished, start=1)}
    measured = [trial for trial in finished if trial.value(view.quality.metric) is not None]
    if not finished or not (measured or view.measured_baselines):
        return None
    limits = quality_limits(view, [*measured, *view.measured_baselines])
    failed = [trial for trial in finished if trial.failure is not None]
    traces = [
        *_origin_traces(measured, view, places),
        *([_best_so_far(finished, view)] if measured else []),
        *([_failed_trace(failed, places, _worst_end(view, limits))] if failed else []),
    ]
    frame = layout(axis_title(view.quality), "finished trials")
    frame["yaxis"] |= {"range": list(limits)} | ({} if view.has_quality else {"tickformat": "~s"})
    frame["xaxis"]["range"] = [0, len(finished) * 1.01 + 0.5]
    frame["margin"]["r"] = 170 if view.measured_baselines else 24
    frame["shapes"], frame["annotations"] = _baseline_lines(view, limits)
    return Figure({"data": traces, "layout": frame}, what_is_outside(view, limits))


def _origin_traces(trials: Sequence[Trial], view: View, places: dict[int, int]) -> list[Json]:
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.suggestion.origin or "unnamed", []).append(trial)
    by_size = sorted(groups, key=lambda origin: -len(groups[origin]))
    shown, rest = by_size[: len(ORIGIN_COLOURS) - 1], by_size[len(ORIGIN_COLOURS) - 1 :]
    named = [(origin, groups[origin]) for origin in shown]
    if rest:
        named.append(("other origins", [trial for origin in rest for trial in groups[origin]]))
    return [
        dots(members, view, name=html.escape(origin), colour=colour)
        | {"x": [places[trial.number] for trial in members]}
        for (origin, members), colour in zip(named, ORIGIN_COLOURS, strict=False)
    ]


def _best_so_far(finished: Sequence[Trial], view: View) -> Json:
    best, places, values = math.inf, [], []
    for place, trial in enumerate(finished, start=1):
        value = trial.value(view.quality.metric)
        if value is not None and is_feasible(trial, view.objectives):
            best = min(best, view.quality.loss(value))
        if best < math.inf:
            places.append(place)
            values.append(view.quality.loss(best))
    line = {"color": INK, "width": 2, "shape": "hv"}
    return {"type": "scatter", "mode": "lines", "name": "Best so far", "x": places, "y": values, "line": line}


def _failed_trace(failed: Sequence[Trial], places: dict[int, int], height: float) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Failed",
        "x": [places[trial.number] for trial in failed],
        "y": [height] * len(failed),
        "marker": {"symbol": "x", "color": RED, "size": 7},
        "text": [f"trial {trial.number} failed: {trial.failure.kind.value}" for trial in failed if trial.failure],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _baseline_lines(view: View, limits: tuple[float, float]) -> tuple[list[Json], list[Json]]:
    shown = [trial for trial in view.measured_baselines if limits[0] <= quality_of(trial, view) <= limits[1]]
    scale = PLOT_PIXELS[1] / (limits[1] - limits[0])
    heights = [quality_of(trial, view) for trial in shown]
    line = {"color": RED, "width": 1, "dash": "dot"}
    lines = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line} for y in heights]
    labels = [
        {
            "xref": "paper",
            "x": 1.01,
            "y": height / scale + limits[0],
            "xanchor": "left",
            "showarrow": False,
            "text": html.escape(baseline_label(trial, view)),
            "font": {"color": RED, "size": 12},
        }
        for trial, height in zip(shown, spread([(y - limits[0]) * scale for y in heights], gap=16.0), strict=True)
    ]
    return lines, labels


def _worst_end(view: View, limits: tuple[float, float]) -> float:
    inset = 0.02 * (limits[1] - limits[0])
    return limits[1] - inset if view.quality.goal is Goal.MINIMIZE else limits[0] + inset


def _finish_order(trial: Trial) -> tuple[float, int]:
    return (math.inf if trial.finish_order is None else trial.finish_order, trial.number)
