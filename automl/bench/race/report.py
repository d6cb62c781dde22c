"""A race as one HTML file that opens without a network: courses with their bands, standings, duels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from automl._files import write_text
from automl.bench.race.comparison import band
from automl.bench.race.log import Log
from automl.bench.race.scores import stacked
from automl.bench.race.tables import Scores, scores_of, tables
from automl.bench.race.words import duel_rows, standing_rows
from automl.report._plotting import Figure, Json, layout
from automl.report._rendering import render

_PAGE = Path(__file__).parent / "page.html"

# Okabe and Ito (2008), Color universal design: told apart by colour-blind readers too.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#7a5195", "#8c8c2b", "#6b7684", "#1c2430")

TITLES = {
    "regret": "Regret of the declared winner",
    "volume": "Share of the table's hypervolume that the declared front lacks",
}


def write_report(path: Path, log: Log, *, scores: Scores | None = None) -> Path:
    """Writes the report whole or not at all; the same log gives the same bytes. `scores` are those of the log.

    Raises:
        ExportError: the file cannot be written.
    """
    scores = scores_of(log) if scores is None else scores
    found = tables(log, scores=scores)
    names = [name for name in TITLES if name == "regret" or len(log.ground.objectives) > 1]
    content: dict[str, Any] = {
        "name": log.ground.name,
        "subtitle": _subtitle(found),
        "plots": [(name, TITLES[name], course_figure(scores, name)) for name in names],
        "tables": [
            ("Standings", _standings_lead(found), standing_rows(found)),
            (f"{found['challenger']} against the others", _duels_lead(), duel_rows(found)),
        ],
    }
    write_text(path, render(_PAGE, content, [(name, figure) for name, _, figure in content["plots"]]))
    return path


def course_figure(scores: Scores, name: str) -> Figure:
    """Mean over seeds after each trial of every searcher, with 95 % bootstrap bands."""
    traces: list[Json] = []
    for at, (label, own) in enumerate(scores.items()):
        mean, low, high = band(stacked(list(own.values()), name))
        colour, trials = COLOURS[at % len(COLOURS)], list(range(1, len(mean) + 1))
        around = {"x": [*trials, *trials[::-1]], "y": [*high.tolist(), *low[::-1].tolist()]}
        fill = {"fill": "toself", "fillcolor": f"{colour}26", "line": {"width": 0}, "hoverinfo": "skip"}
        hidden = {"showlegend": False, "legendgroup": label}
        traces.append({"type": "scatter", "mode": "lines", **around, **fill, **hidden})
        line = {"color": colour, "width": 2}
        drawn = {"x": trials, "y": mean.tolist(), "name": label, "line": line, "legendgroup": label}
        traces.append({"type": "scatter", "mode": "lines", **drawn})
    frame = layout(TITLES[name], "trials")
    frame["yaxis"] |= {"type": "log", "tickformat": "~g"} if _is_positive(traces) else {"tickformat": "~g"}
    seeds = max((len(own) for own in scores.values()), default=0)
    return Figure({"data": traces, "layout": frame}, f"Mean over {seeds} seeds, bands of 95 % over seeds.")


def _is_positive(traces: Sequence[Json]) -> bool:
    return all(value > 0 for trace in traces for value in trace["y"])


def _subtitle(found: Mapping[str, Any]) -> str:
    return (
        f"{', '.join(found['objectives'])} · {found['candidates']} candidates · {found['trials']} trials a run, "
        f"the first {found['initial']} shared"
    )


def _standings_lead(found: Mapping[str, Any]) -> str:
    return (
        "Winners and fronts are declared by what a searcher has observed and judged by what is true. The target is "
        f"the mean of {found['target']['searcher']} after its last trial."
    )


def _duels_lead() -> str:
    return (
        "Ratio of means with its 95 % interval over seeds; Wilcoxon's signed-rank test over seeds with Holm's "
        "correction; A12 is how likely a run is better than one of the other."
    )
