"""Reads finished trials of anybody's file into trainings of different candidates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from automl._errors import AutomlError
from automl.bench.trial_files.cells import Row, flat, number, said
from automl.bench.trial_files.columns import Asked, Verdict, is_repetition, judged
from automl.bench.trial_files.source import Source
from evaluators import Evaluation, Failure, FailureKind, Metric
from evaluators._tabular.entries import SEARCH, Entry
from searchspaces import Candidate, Options, did_you_mean
from searchspaces.trial_rows import candidate_of, read_rows

STATES = ("state", "status")
FAILED = frozenset({"fail", "failed", "error", "crashed", "timeout"})
UNFINISHED = FAILED | {"pruned", "running", "waiting", "stopped"}

WHOLE = re.compile(r"^(suggestion\.)?candidate\.(architecture|training|system)(\.|$)")
"""Where the trackers of this project write a candidate."""

EVALUATED = ("metrics.", "evaluation.metrics.")
"""Where they write metrics: there a list is a value and its error."""

Outcome = Evaluation | Failure


class TrialFileError(AutomlError):
    """A file of trials, or what is asked of it, does not do."""


@dataclass(frozen=True)
class TrialFile:
    """Trainings of different candidates, in the order of the file, and what became of rows and columns."""

    source: Source
    entries: tuple[Entry, ...]
    verdict: Verdict
    rows: Mapping[str, int]

    def about(self) -> dict[str, Any]:
        """What was asked, what counted and what was dropped, in JSON types."""
        found = {
            key: value if isinstance(value, Mapping) else list(value) for key, value in asdict(self.verdict).items()
        }
        return {
            "file": self.source.file.name,
            "metric": self.source.metric,
            "goal": self.source.wanted.value,
            "where": dict(self.source.where),
            "rows": dict(self.rows),
            **found,
        }


@dataclass(frozen=True)
class _Line:
    """A row as it is written, what its cells say, and where it is."""

    row: Row
    cells: Mapping[str, Any]
    where: str

    def says(self, states: Iterable[str]) -> bool:
        """Whether the trial is in one of these states."""
        found = [said(self.cells[name]) for name in STATES if self.cells.get(name) is not None]
        return any(state.lower().rpartition(".")[2] in states for state in found)


def read_trials(source: Source, *, fewest: int = 2) -> TrialFile:
    """Reads and filters rows; those of equal settings are replicates of one candidate.

    The metric may be one column, or several that differ in a number at the end (`val_acc_0`, `val_acc_1`), by the
    name that they share: these are replicates as well. Trials that failed stay, as failures; other unfinished ones do
    not. Rows that hold a whole candidate, as the trackers write it, need no choices.

    Raises:
        TrialFileError: no such column, a filter that no row passes, or fewer candidates with the metric than `fewest`.
        SpaceError: the file cannot be read, or a candidate is malformed.
    """
    rows = enumerate(read_rows(source.file), start=1)
    every = [_Line(row, flat(row), f"row {at} of {source.file}") for at, row in rows]
    names = list(dict.fromkeys(name for line in every for name in line.cells))
    metrics, costs = (_columns(source, name, names) for name in (source.metric, source.cost))
    filtered = _filtered(every, source, names)
    trials = [(line, _outcomes(line, source, metrics, costs)) for line in filtered]
    values = [[one.value(source.known_as) for one in outcomes if isinstance(one, Evaluation)] for _, outcomes in trials]
    measured = [(line, np.mean(found)) for (line, _), found in zip(trials, values, strict=True) if found]
    is_whole = any(map(WHOLE.match, names))
    verdict = _whole(source) if is_whole else _judged(measured, names, source)
    entries = _entries(trials, None if is_whole else verdict.choices)
    unfinished = sum(line.says(UNFINISHED) for line in filtered)
    counts = {
        "read": len(every),
        "other": len(every) - len(filtered),
        "unfinished": unfinished,
        "without_metric": len(filtered) - unfinished - len(measured),
        "candidates": len({one.number for one in entries if isinstance(one.outcome, Evaluation)}),
    }
    if counts["candidates"] < fewest:
        raise TrialFileError(
            f"{fewest} different candidates with {source.metric!r} are needed, but {source.file} has "
            f"{counts['candidates']} (rows: {counts}; choices: {', '.join(verdict.choices) or 'none'}); name others "
            "with --choices"
        )
    return TrialFile(source, tuple(entries), verdict, counts)


def _columns(source: Source, metric: str | None, names: Sequence[str]) -> list[str]:
    """Where the figure is: in its own column, among the metrics of an evaluation, or in one for each repetition."""
    if metric is None:
        return []
    for name in (metric, *(f"{prefix}{metric}" for prefix in EVALUATED)):
        if name in names:
            return [name]
    found = [name for name in names if is_repetition(name, metric) and name.startswith(metric)]
    if not found:
        raise TrialFileError(f"{source.file} has no column {metric!r}; {did_you_mean(metric, names)}")
    return sorted(found, key=lambda name: int(re.findall(r"\d+$", name)[0]))


def _filtered(lines: Sequence[_Line], source: Source, names: Sequence[str]) -> list[_Line]:
    for name in source.where:
        if name not in names:
            raise TrialFileError(f"{source.file} has no column {name!r} to filter by; {did_you_mean(name, names)}")
    kept = [line for line in lines if all(said(line.cells.get(name)) == value for name, value in source.where.items())]
    if not kept:
        raise TrialFileError(f"no row of {source.file} has {dict(source.where)}; see what the column holds")
    return kept


def _outcomes(line: _Line, source: Source, metrics: Sequence[str], costs: Sequence[str]) -> list[Outcome]:
    """One for each repetition; none where the trial did not end, or lacks the metric or what it costs."""
    if line.says(FAILED):
        return [Failure(FailureKind.CRASHED, "the trial failed")]
    if line.says(UNFINISHED):
        return []
    found = [value for name in costs if (value := _figure(line, name)) is not None]
    if costs and not found:
        return []
    beside = {source.cost_known_as: Metric(float(np.mean(found)))} if source.cost_known_as and found else {}
    values = [value for name in metrics if (value := _figure(line, name)) is not None]
    return [Evaluation({source.known_as: Metric(value), **beside}) for value in values]


def _figure(line: _Line, name: str) -> float | None:
    cell = line.cells.get(name)
    if name.startswith(EVALUATED) and isinstance(cell, list | tuple):
        cell = cell[0] if cell else None
    return number(cell)


def _whole(source: Source) -> Verdict:
    if source.exclude or source.choices:
        raise TrialFileError(
            f"--choices and --exclude name columns of settings, but {source.file} has whole candidates; leave them out"
        )
    return Verdict((), {})


def _judged(measured: Sequence[tuple[_Line, Any]], names: Sequence[str], source: Source) -> Verdict:
    columns = {name: [line.cells.get(name) for line, _ in measured] for name in names}
    known = np.array([value for _, value in measured], dtype=np.float64)
    return judged(columns, known, Asked(source.metric, source.exclude, source.choices, source.cost))


def _entries(trials: Sequence[tuple[_Line, Sequence[Outcome]]], choices: Sequence[str] | None) -> list[Entry]:
    known: dict[Hashable, tuple[int, Candidate]] = {}
    seen: Counter[int] = Counter()
    found = []
    for line, outcomes in trials:
        candidate = _candidate(line, choices) if outcomes else None
        if candidate is None:
            continue
        key = candidate.fingerprint if choices is None else candidate.training  # 1 and 1.0 are one setting
        place, first = known.setdefault(key, (len(known), candidate))
        for outcome in outcomes:
            found.append(Entry(place, first, seen[place], SEARCH, outcome))
            seen[place] += 1
    return found


def _candidate(line: _Line, choices: Sequence[str] | None) -> Candidate | None:
    """The whole one of the row, or that of its choices."""
    if choices is None:
        return candidate_of(line.row, line.where)
    cells = {name: _setting(line.cells[name]) for name in choices if line.cells.get(name) is not None}
    return Candidate(training=Options(cells))


def _setting(cell: Any) -> Any:
    """Lists of lists and scalars may be settings; what holds objects becomes text."""
    if isinstance(cell, list | tuple) and "{" in said(cell):
        return said(cell)
    return cell
