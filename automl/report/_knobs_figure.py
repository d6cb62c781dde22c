"""Shows which knobs of a system matter: the shares in a table, those of the first objective drawn."""

from __future__ import annotations

import html
from collections.abc import Sequence

from automl.report import _format
from automl.report._knobs import FEWEST, LEVEL, RESAMPLES, Importances, Share
from automl.report._plotting import BLUE, INK, Figure, Json, layout
from automl.report._tables import Table
from automl.report._view import View

MOST = 15
"""Knobs that are drawn and listed, by their share of the first objective."""

ROW_PIXELS, MARGIN_PIXELS = 28, 120


def knobs_figure(found: Sequence[Importances]) -> Figure | None:
    """Shares of the first metric with their intervals, the largest on top; None without any."""
    if not found:
        return None
    first = found[0]
    drawn = list(first.knobs.items())[:MOST][::-1]
    frame = layout("", f"share of the variance of {_format.label(first.metric)}")
    frame["height"] = MARGIN_PIXELS + ROW_PIXELS * len(drawn)
    frame["yaxis"] |= {"automargin": True, "tickformat": ""}
    frame["xaxis"] |= {"tickformat": ".0%", "zeroline": True, "zerolinecolor": INK}
    note = f"Bars hold {100 * LEVEL:.0f} % of {RESAMPLES} resamples of the trials; one that holds zero may be chance."
    return Figure({"data": [_dots(drawn)], "layout": frame}, note)


def knob_table(found: Sequence[Importances]) -> Table:
    """A row a knob, the most important one for the first metric on top, and one for all knobs at once."""
    if not found:
        return Table((), ())
    names = list(found[0].knobs)[:MOST]
    rows = [(name, *(_told(one.knobs.get(name)) for one in found)) for name in names]
    rows.append(("All knobs, each by itself", *(_told(one.together) for one in found)))
    return Table(("Knob", *(_format.label(one.metric) for one in found)), tuple(rows), numeric=1)


def knob_sentences(found: Sequence[Importances], view: View) -> list[str]:
    """What a share is, and what it must not be taken for; or that there are too few trials."""
    if not found:
        if len(view.complete) >= FEWEST:
            return ["No knob has been varied, or nothing came of it."]
        return [f"Too few trials to tell: {len(view.complete)} are complete, and {FEWEST} are needed."]
    left = len(found[0].knobs) - MOST
    rest = [f"{left} more knobs have smaller shares of the first objective."] if left > 0 else []
    return [
        "How much of the variance of a metric among the trials goes with each knob alone, learned from some of the "
        f"trials and judged by others; in brackets {100 * LEVEL:.0f} % of {RESAMPLES} resamples.",
        "What is missing to 100 % in the last row is what knobs do together, what is no knob, and noise. Shares are of "
        "the trials as they were chosen: a knob that the search soon left at one choice seems to matter less than it "
        "does.",
        *rest,
    ]


def _dots(drawn: Sequence[tuple[str, Share]]) -> Json:
    shares = [share for _, share in drawn]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Share",
        "x": [round(one.mean, 4) for one in shares],
        "y": [html.escape(name) for name, _ in drawn],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [round(one.high - one.mean, 4) for one in shares],
            "arrayminus": [round(one.mean - one.low, 4) for one in shares],
            "color": BLUE,
        },
        "marker": {"color": BLUE, "size": 8},
    }


def _told(share: Share | None) -> str:
    if share is None:
        return _format.ABSENT
    mean, low, high = (_format.percent(one) for one in (share.mean, share.low, share.high))
    return f"{mean} % ({low} to {high})"
