"""Reads finished trials of anybody's file into different candidates, each with one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import AutomlError
from automl.bench.predictors.cells import Row, flat, number, said
from automl.bench.predictors.columns import Asked, Verdict, is_repetition, judged
from searchspaces import Options, did_you_mean
from searchspaces.trial_rows import read_rows

FEWEST = 10
"""Different candidates below which there is nothing to measure."""

STATES = ("state", "status")
UNFINISHED = frozenset({"fail", "failed", "pruned", "running", "waiting", "error", "crashed", "stopped", "timeout"})


class TrialFileError(AutomlError):
    """A file of trials, or what is asked of it, does not do."""


@dataclass(frozen=True)
class Source:
    """A file, the column that is to be predicted, the rows that count, and what is known of the columns."""

    file: Path
    metric: str
    where: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialFile:
    """Different settings with the mean of their rows' values `[n]`, and what became of rows and columns."""

    settings: tuple[Options, ...]
    values: NDArray[np.float64]
    verdict: Verdict
    rows: Mapping[str, int]


def read_trials(source: Source) -> TrialFile:
    """Reads, filters, and merges rows of equal settings.

    The metric may be one column, or several that differ in a number at the end (`val_acc_0`, `val_acc_1`), by the
    name that they share: then a row's value is their mean.

    Raises:
        TrialFileError: no such column, a filter that no row passes, no choices, or too few different candidates.
        SpaceError: the file cannot be read.
    """
    every = [flat(row) for row in read_rows(source.file)]
    names = list(dict.fromkeys(name for row in every for name in row))
    metrics = _metrics(source, names)
    filtered = _filtered(every, source, names)
    ended = [row for row in filtered if _is_finished(row)]
    values = [_value(row, metrics) for row in ended]
    rows = [row for row, value in zip(ended, values, strict=True) if value is not None]
    known = np.array([value for value in values if value is not None])
    columns = {name: [row.get(name) for row in rows] for name in names}
    verdict = judged(columns, known, Asked(source.metric, source.exclude, source.choices))
    settings, merged = _merged(rows, known, verdict.choices)
    counts = {
        "read": len(every),
        "other": len(every) - len(filtered),
        "unfinished": len(filtered) - len(ended),
        "without_metric": len(ended) - len(rows),
        "candidates": len(settings),
    }
    if len(settings) < FEWEST:
        raise TrialFileError(
            f"a benchmark needs {FEWEST} different candidates, but {source.file} has {len(settings)} (rows: {counts}; "
            f"choices: {', '.join(verdict.choices) or 'none'}); name others with --choices"
        )
    return TrialFile(settings, merged, verdict, counts)


def _metrics(source: Source, names: Sequence[str]) -> list[str]:
    if source.metric in names:
        return [source.metric]
    found = [name for name in names if name != source.metric and is_repetition(name, source.metric)]
    found = [name for name in found if name.startswith(source.metric)]
    if not found:
        raise TrialFileError(f"{source.file} has no column {source.metric!r}; {did_you_mean(source.metric, names)}")
    return found


def _filtered(rows: Sequence[Row], source: Source, names: Sequence[str]) -> list[Row]:
    for name in source.where:
        if name not in names:
            raise TrialFileError(f"{source.file} has no column {name!r} to filter by; {did_you_mean(name, names)}")
    kept = [row for row in rows if all(said(row.get(name)) == value for name, value in source.where.items())]
    if not kept:
        raise TrialFileError(f"no row of {source.file} has {dict(source.where)}; see what the column holds")
    return kept


def _is_finished(row: Row) -> bool:
    states = [said(row[name]).lower().rpartition(".")[2] for name in STATES if row.get(name) is not None]
    return not any(state in UNFINISHED for state in states)


def _value(row: Row, metrics: Sequence[str]) -> float | None:
    found = [value for name in metrics if (value := number(row.get(name))) is not None]
    return float(np.mean(found)) if found else None


def _merged(
    rows: Sequence[Row], values: NDArray[np.float64], choices: Sequence[str]
) -> tuple[tuple[Options, ...], NDArray[np.float64]]:
    found: dict[Options, list[float]] = {}
    for row, value in zip(rows, values, strict=True):
        cells = {name: _setting(row[name]) for name in choices if row.get(name) is not None}
        found.setdefault(Options(cells), []).append(float(value))
    return tuple(found), np.array([np.mean(same) for same in found.values()])


def _setting(cell: Any) -> Any:
    """Lists of lists and scalars may be settings; what holds objects becomes text."""
    if isinstance(cell, list | tuple) and "{" in said(cell):
        return said(cell)
    return cell
