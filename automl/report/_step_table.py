"""Sets the predicted seconds of a training step in a table, term by term, each with what it rests on."""

from __future__ import annotations

from automl.report import _format
from automl.report._tables import Table
from automl.report._view import View
from evaluators import Trial
from evaluators._codesign.step import ORIGINS

_PREFIX = "step_seconds_"


def step_table(view: View) -> Table:
    """The winner's terms, the longest first, beside those of the rest of the front; empty where nothing tells terms."""
    if view.winner is None:
        return Table((), ())
    own = _terms(view.winner)
    whole = sum(own.values())
    others = [_terms(trial) for trial in view.front]
    rows = [
        (
            term.replace("_", " "),
            ORIGINS[term].value,
            f"{1e3 * seconds:.3f}",
            f"{100 * seconds / whole:.1f} %" if whole else _format.ABSENT,
            _span([each[term] for each in others if term in each]),
        )
        for term, seconds in sorted(own.items(), key=lambda pair: -pair[1])
    ]
    headings = ("Term", "Rests on", f"Trial {view.winner.number} (ms)", "Share of the step", "On the front (ms)")
    return Table(headings, tuple(rows), numeric=2)


def step_sentences() -> list[str]:
    """What the labels mean, and how good the fit is."""
    return [
        "Predicted by a model of the cluster, not measured. A term that is fitted has a coefficient fitted to measured "
        "runs; one that is formula only rests on data sheets and equations alone. What hides behind compute is left "
        "out, so that terms add up. How close the fit comes to runs that it has not seen: automl bench simulator.",
    ]


def _terms(trial: Trial) -> dict[str, float]:
    """Seconds by term."""
    known = {term: trial.value(f"{_PREFIX}{term}") for term in ORIGINS}
    return {term: seconds for term, seconds in known.items() if seconds is not None}


def _span(seconds: list[float]) -> str:
    low, high = f"{1e3 * min(seconds):.3f}", f"{1e3 * max(seconds):.3f}"
    return low if low == high else f"{low} to {high}"
