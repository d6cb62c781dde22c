"""A comparison as one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl._files import write_text
from automl.bench.race.report import COLOURS
from automl.comparing._words import agreement_table, duel_table, lines, standing_table
from automl.report._plotting import Figure, Json, layout
from automl.report._rendering import render

_PAGE = Path(__file__).parent / "page.html"


def write_page(path: Path, found: Mapping[str, Any]) -> None:
    """Writes the page whole or not at all; the same findings give the same bytes.

    Raises:
        ExportError: the file cannot be written.
    """
    figure = winners_figure(found)
    tables = [
        ("Entries", _ENTRIES, standing_table(found)),
        ("Differences", _DIFFERENCES, duel_table(found)),
    ]
    if found["agreement"]:
        tables.append(("Supernet and from scratch", _ORDERS, agreement_table(found)))
    seeds = len(found["seeds"])
    content: dict[str, Any] = {
        "name": found["name"],
        "subtitle": f"{found['data']['name']} · {found['rows']:,} rows a study · {seeds} seed{'s' * (seeds != 1)}",
        "sentences": lines(found),
        "figure": figure,
        "tables": tables,
    }
    write_text(path, render(_PAGE, content, [("winners", figure)]))


def winners_figure(found: Mapping[str, Any]) -> Figure:
    """The declared winners: test NE against FLOPs, a dot for each seed."""
    traces: list[Json] = []
    for at, entry in enumerate(found["entries"]):
        own = [one for one in found["runs"] if one["entry"] == entry["entry"] and one["flops"]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": entry["entry"],
                "x": [one["flops"] for one in own],
                "y": [one["test_ne"] for one in own],
                "text": [f"seed {one['seed']}, {one['trials']} trials, {one['rows']:,} rows" for one in own],
                "marker": {"color": COLOURS[at % len(COLOURS)], "size": 10, "opacity": 0.8},
            }
        )
    frame = layout("test NE (lower is better)", "FLOPs an example")
    frame["xaxis"] |= {"type": "log", "tickformat": "~s"}
    return Figure({"data": traces, "layout": frame}, "The declared winner of each study, a dot for each seed.")


_ENTRIES = (
    "Winners are chosen on the validation part and judged on the test part, by means over fresh seeds of finals, then "
    "over the seeds of the comparison. A row counts once for each model that was trained or scored on it."
)
_DIFFERENCES = (
    "Wilcoxon's signed-rank test over the seeds, two-sided, with Holm's correction over all pairs of a score; the "
    "ratio of means with its 95 % interval over resampled seeds; A12 is the chance that a run of the first has less."
)
_ORDERS = (
    "Kendall's tau between scores in the method's supernet and quality after training from scratch as the search "
    "trains, over what the method has read out and candidates drawn at random: by other studies of the seed, or for "
    "this where they drew too few. The ceiling is what the noise of one such training allows, told by candidates that "
    "were trained under a second seed; its share is what tau reaches of it."
)
