"""Draws how well a searcher's guide has told good candidates from bad ones, over the course of the search."""

from __future__ import annotations

from collections.abc import Sequence

from automl.report._plotting import BLUE, GREY, RED, Figure, Json, layout
from automl.report._view import View
from storage import StudyReading

_LINES = {
    "predictor/cross_validated": ("cross-validated", BLUE),
    "predictor/cross_validated_upper": ("its upper 90 % bound", GREY),
    "predictor/rank_correlation": ("of mutants, before they were trained", RED),
}


def guide_figure(view: View) -> Figure | None:
    """Kendall's tau of the guide over ended trials; None where no guide has told one."""
    drawn = [
        _line(title, colour, alike)
        for name, (title, colour) in _LINES.items()
        if (alike := [one for one in view.guide if one.name == name])
    ]
    if not drawn:
        return None
    frame = layout("rank correlation (Kendall's tau)", "ended trials")
    frame["yaxis"] |= {"tickformat": ".2~f", "zeroline": True}
    frame["xaxis"]["rangemode"] = "tozero"
    note = (
        "1: the guide puts candidates in their right order; 0: it guesses. Trials are compared that it had not seen "
        "when it was asked."
    )
    return Figure({"data": drawn, "layout": frame}, note)


def _line(title: str, colour: str, readings: Sequence[StudyReading]) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": title,
        "x": [one.step for one in readings],
        "y": [one.value for one in readings],
        "line": {"color": colour, "width": 2, "shape": "hv"},
        "marker": {"color": colour, "size": 5},
    }
