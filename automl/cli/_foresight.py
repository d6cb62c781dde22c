"""What is foreseen of a search, as a person reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from automl._machine import readable

HIDDEN = ("operators", "prediction", "problems", "warnings", "not_predicted")


def readable_facts(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a table: what is settled, then what is foreseen."""
    settled = {key: value for key, value in found.items() if key not in HIDDEN and value is not None}
    operators = {f"operator {name}": state for name, state in found["operators"].items()}
    foreseen = _foreseen(found["prediction"]) if found["prediction"] else {}
    return [{"": key, "value": value} for key, value in {**settled, **operators, **foreseen}.items()]


def _foreseen(found: Mapping[str, Any]) -> dict[str, str]:
    trials = f"{found['trials']} by budget.{found['limited_by']}" if found["trials"] else "no limit"
    beside = f", {found['workers']} at once" if found["workers"] > 1 else ""
    return {
        "trials": trials + beside,
        "seconds a trial": f"{_between(found['trial_seconds'])} on {found['device']}, {found['rehearsed']} rehearsed",
        "hours": f"{_between(found['hours'])} for the whole budget" if found["hours"] else "not known",
        "memory": _memory(found["memory"]),
        "disk": _disk(found["disk"]),
    }


def _memory(found: Mapping[str, Any]) -> str:
    peak = _between(found["peak"], readable)
    return (
        f"{peak} a trial, {readable(found['data'])} of it pages of the data; the largest needs "
        f"{readable(found['largest'])} of its own, and there are {readable(found['has'])}"
    )


def _disk(found: Mapping[str, Any]) -> str:
    kept = found["tracker_per_trial"]
    tracker = "?" if kept is None else readable(kept)
    each = f"{readable(found['store_per_trial'])} store and {tracker} tracker a trial"
    whole = f", {readable(found['budget'])} in all" if found["budget"] is not None else ""
    return f"{each}{whole}; exported weights {_between(found['weights'], readable)}; {readable(found['free'])} free"


def _short(value: float) -> str:
    return f"{value:.3g}"


def _between(found: Mapping[str, float], write: Callable[[float], str] = _short) -> str:
    return f"{write(found['expected'])} ({write(found['low'])} to {write(found['high'])})"
