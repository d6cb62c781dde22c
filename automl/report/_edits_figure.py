"""Draws what kinds of edits have brought: the mean gain of each with its interval."""

from __future__ import annotations

import html

from automl.lineage import LEVEL, Importance
from automl.report import _format
from automl.report._plotting import BLUE, INK, Figure, Json, layout
from automl.report._view import View

MOST = 15
"""Kinds that are drawn; the table has all."""

ROW_PIXELS, MARGIN_PIXELS = 28, 120


def edits_figure(view: View) -> Figure | None:
    """The kinds with an interval, the best mean on top; None where no kind has one."""
    known = [one for one in view.lineage.edits if one.low is not None][:MOST]
    if not known:
        return None
    ordered = sorted(known, key=lambda one: one.gain)
    frame = layout("", f"gain in {_format.label(view.quality.metric)} over the parent")
    frame["height"] = MARGIN_PIXELS + ROW_PIXELS * len(ordered)
    frame["yaxis"] |= {"automargin": True, "tickformat": ""}
    frame["xaxis"] |= {"tickformat": ".3~g", "zeroline": True, "zerolinecolor": INK}
    drawn = {"data": [_dots(ordered)], "layout": frame}
    return Figure(
        drawn, f"Right of zero the child is better on the mean; bars are {100 * LEVEL:.0f} % intervals of it."
    )


def _dots(ordered: list[Importance]) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Mean gain",
        "x": [one.gain for one in ordered],
        "y": [f"{html.escape(one.kind)} ({one.count})" for one in ordered],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [(one.high or 0.0) - one.gain for one in ordered],
            "arrayminus": [one.gain - (one.low or 0.0) for one in ordered],
            "color": BLUE,
        },
        "marker": {"color": BLUE, "size": 8},
    }
