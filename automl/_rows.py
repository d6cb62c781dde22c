"""Trials and studies as flat rows for lists, files and other programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from automl.control import gain
from evaluators import Objective, Trial

MEASURED = (
    "ne", "auc", "logloss", "calibration", "flops", "macs", "params", "embedding_bytes",
    "examples_per_second", "qps", "latency_ms_p50", "latency_ms_p99", "peak_memory_bytes", "energy_joules",
)  # fmt: skip
_WHOLE = frozenset({"flops", "macs", "params", "embedding_bytes", "peak_memory_bytes"})


def trial_row(trial: Trial, *, control: Trial | None = None, objective: Objective | None = None) -> dict[str, Any]:
    """One trial as JSON types: identity, state, every metric (null where it has none), lineage, failure.

    `gain_percent` is the gain over the control in the objective, null where they are not given or not measured.
    """
    outcome = trial.evaluation or trial.failure
    ne = trial.evaluation.metrics.get("ne") if trial.evaluation else None
    return {
        "number": trial.number,
        "state": trial.state.value,
        "stage": trial.stage,
        "fingerprint": trial.candidate.fingerprint,
        **{name: _measured(trial, name) for name in MEASURED},
        **_further_metrics(trial),
        "ne_stderr": ne.stderr if ne else None,
        "gain_percent": None if objective is None else gain(trial, control, objective),
        "seconds": outcome.seconds if outcome else None,
        "parents": list(trial.suggestion.parents),
        "origin": trial.suggestion.origin,
        "rung": trial.suggestion.fidelity.rung,
        "replicate": trial.suggestion.replicate,
        "failure": trial.failure.kind.value if trial.failure else None,
        "reason": trial.failure.reason if trial.failure else None,
    }


def trial_rows(
    trials: Iterable[Trial], *, control: Trial | None = None, objective: Objective | None = None
) -> list[dict[str, Any]]:
    """A row for each trial, as `trial_row` gives it."""
    return [trial_row(trial, control=control, objective=objective) for trial in trials]


def _measured(trial: Trial, name: str) -> float | int | None:
    value = trial.value(name)
    return int(value) if value is not None and name in _WHOLE else value


def _further_metrics(trial: Trial) -> dict[str, float]:
    metrics = trial.evaluation.metrics if trial.evaluation else {}
    return {name: metric.value for name, metric in metrics.items() if name not in MEASURED}
