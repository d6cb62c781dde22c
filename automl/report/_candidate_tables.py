"""Sets candidates in tables by what the study asks for: the front and its systems, and the baselines."""

from __future__ import annotations

from collections.abc import Sequence

from automl.control import gain
from automl.report import _format
from automl.report._plotting import baseline_label
from automl.report._tables import Table, parents
from automl.report._view import View, gain_of, seconds_of
from evaluators import Trial

_MEASURES = {
    "ne": "NE",
    "auc": "AUC",
    "flops": "FLOPs",
    "macs": "MACs",
    "params": "Parameters",
    "embedding_bytes": "Embeddings (MB)",
    "qps": "QPS",
    "latency_ms_p99": "p99 latency (ms)",
}
"""What is told beside the objectives, where trials have it."""

_SAME = "The same in all"


def front_table(view: View) -> Table:
    """The front, best quality first: its objectives, then whatever else is known."""
    metrics = _metrics(view)
    rows = [
        (
            str(trial.number),
            *_values(trial, metrics),
            _format.gained(gain_of(trial, view)),
            f"{seconds_of(trial):.1f}",
            parents(trial),
        )
        for trial in view.front
    ]
    headings = ("Trial", *_headings(metrics), "Gain", "Seconds", "Parents")
    return _without_empty(Table(headings, tuple(rows), numeric=1), kept=1 + len(view.objectives))


def system_table(view: View) -> Table:
    """Settings of the front's systems: a column for each that differs, those of all tables in one."""
    told = [_settings(trial) for trial in view.front]
    names = sorted({name for one in told for name in one})
    alike = [name for name in names if len({one.get(name) for one in told}) == 1]
    differing = [name for name in names if name not in alike]
    rows = [
        (str(trial.number), *(one.get(name, _format.ABSENT) for name in differing))
        for trial, one in zip(view.front, told, strict=True)
    ]
    return Table(("Trial", *differing), tuple(rows)) if differing else Table((), ())


def same_settings(view: View) -> str:
    """Settings that all systems of the front share; empty where there are none."""
    told = [_settings(trial) for trial in view.front]
    shared = sorted(set.intersection(*(set(one.items()) for one in told))) if told else []
    return f"{_SAME}: {'; '.join(f'{name} {value}' for name, value in shared)}." if shared else ""


def baseline_table(view: View) -> Table:
    """The baselines, best first, their gains over the control, and how far the winner is from each."""
    metrics = _metrics(view)
    rows = [
        (
            baseline_label(trial, view),
            *_values(trial, metrics),
            _format.gained(gain_of(trial, view)),
            f"{seconds_of(trial):.1f}",
            _winner_against(view, trial),
        )
        for trial in view.measured_baselines
    ]
    headings = ("Baseline", *_headings(metrics), "Gain", "Seconds", "Winner's gain over it")
    return _without_empty(Table(headings, tuple(rows), numeric=1), kept=1 + len(view.objectives))


def _metrics(view: View) -> tuple[str, ...]:
    asked = dict.fromkeys(one.metric for one in view.objectives)
    return tuple(dict.fromkeys([*asked, *_MEASURES]))


def _headings(metrics: Sequence[str]) -> tuple[str, ...]:
    return tuple(_MEASURES.get(metric, _capitalised(_format.label(metric))) for metric in metrics)


def _values(trial: Trial, metrics: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        _format.megabytes(trial.value(metric))
        if metric == "embedding_bytes"
        else _format.value(metric, trial.value(metric))
        for metric in metrics
    )


def _without_empty(table: Table, *, kept: int) -> Table:
    """Without columns after the first `kept` in which no row has anything."""
    full = [
        at for at in range(len(table.headings)) if at < kept or any(row[at] != _format.ABSENT for row in table.rows)
    ]
    rows = tuple(tuple(row[at] for at in full) for row in table.rows)
    return Table(tuple(table.headings[at] for at in full), rows, table.numeric)


def _settings(trial: Trial) -> dict[str, str]:
    """Texts by name; what is told by table (`sharding.user`) is one setting."""
    found: dict[str, list[str]] = {}
    for slot, value in trial.candidate.system.items():
        name, _, part = slot.partition(".")
        found.setdefault(name, []).append(f"{part} {_told(value)}" if part else _told(value))
    return {name.replace("_", " "): ", ".join(values) for name, values in found.items()}


def _told(value: object) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _winner_against(view: View, baseline: Trial) -> str:
    if view.winner is None:
        return _format.ABSENT
    return _format.gained(gain(view.winner, baseline, view.quality))


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
