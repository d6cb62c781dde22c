"""Reads finished trials of any origin as trainings that can be looked up."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl._errors import AutomlError
from evaluators import KNOWN_METRICS, Evaluation, Failure, FailureKind, Goal, Metric
from evaluators._tabular.entries import SEARCH, Entry
from searchspaces.trial_rows import candidate_of, read_rows

LOG = logging.getLogger("automl")

MEASURES = frozenset({"acc", "auc", "loss", "error", "rmse", "time", "seconds", "latency", "flops", "params", "state"})
"""Words in the names of columns that are measured, not set."""

CONTINUOUS = 0.5
"""Share of different values from which a column of fractions counts as measured."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A file of finished trials: the metric to race on, another that costs, and the columns that hold settings.

    Where `choices` are empty they are the columns with objects, or else whatever does not look measured, but for those
    to `exclude`. Only rows that have each value of `where` in its column count.
    """

    file: Path
    metric: str
    maximize: bool = False
    cost: str | None = None
    choices: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def known_as(self) -> str:
        """Name under which searchers see the metric: its own where it is a known one of that goal."""
        goal = Goal.MAXIMIZE if self.maximize else Goal.MINIMIZE
        return self.metric if KNOWN_METRICS.get(self.metric) is goal else "auc" if self.maximize else "ne"

    @property
    def cost_known_as(self) -> str | None:
        """Name under which searchers see what a candidate costs."""
        if self.cost is None or KNOWN_METRICS.get(self.cost) is Goal.MINIMIZE:
            return self.cost
        return "params"


def read_trials(source: Source) -> list[Entry]:
    """The trials of a file as trainings; rows of one candidate, and columns METRIC_0, METRIC_1, ..., are replicates.

    Raises:
        SpaceError: the file cannot be read.
        AutomlError: no row has the metric, or fewer than two different candidates.
    """
    rows = [row for row in read_rows(source.file) if all(str(row.get(name)) == value for name, value in source.where)]
    columns = _replicate_columns(rows, source.metric)
    settings = source.choices or _settings_columns(rows, source, columns)
    found: list[Entry] = []
    numbers: dict[str, int] = {}
    seen: dict[str, int] = {}
    for at, row in enumerate(rows, start=1):
        candidate = candidate_of(row, f"row {at} of {source.file}", settings, ())
        outcomes = _outcomes(row, source, columns) if candidate is not None else []
        if candidate is None or not outcomes:
            continue
        number = numbers.setdefault(candidate.fingerprint, len(numbers))
        for outcome in outcomes:
            replicate = seen[candidate.fingerprint] = seen.get(candidate.fingerprint, -1) + 1
            found.append(Entry(number, candidate, replicate, SEARCH, outcome))
    if len(numbers) < 2:
        raise AutomlError(
            f"a race needs trials of two different candidates with {source.metric!r}, but {source.file} has "
            f"{len(numbers)}; name the metric with --metric, the columns of settings with --choices"
        )
    return found


def _replicate_columns(rows: Sequence[Row], metric: str) -> tuple[str, ...]:
    """The column of the metric, or those that have its replicates."""
    names = dict.fromkeys(name for row in rows for name in row)
    if metric in names or not any(_numbered(name, metric) for name in names):
        return (metric,)
    return tuple(sorted((name for name in names if _numbered(name, metric)), key=lambda name: int(_end(name))))


def _numbered(name: str, metric: str) -> bool:
    return name.startswith(f"{metric}_") and _end(name).isdecimal() and name == f"{metric}_{_end(name)}"


def _end(name: str) -> str:
    return name.rpartition("_")[2]


def _settings_columns(rows: Sequence[Row], source: Source, metric: Sequence[str]) -> tuple[str, ...]:
    if any(row.get("candidate") or row.get("suggestion") for row in rows):
        return ()
    names = list(
        dict.fromkeys(name for row in rows for name in row if name not in (*metric, *source.exclude, source.cost))
    )
    objects = [name for name in names if any(isinstance(row.get(name), Mapping) for row in rows)]
    if objects:
        # what stands beside the settings and repeats (a dataset, a family of models) tells trials apart as well
        labels = [name for name in names if name not in objects and _is_label(rows, name)]
        found = (*objects, *labels)
    else:
        found = tuple(name for name in names if not _is_measured(rows, name))
    LOG.info("settings of %s: %s (name others with --choices)", source.file, ", ".join(found))
    return found


def _is_label(rows: Sequence[Row], name: str) -> bool:
    values = [row.get(name) for row in rows]
    return all(isinstance(one, str) for one in values) and len(set(values)) < CONTINUOUS * len(values)


def _is_measured(rows: Sequence[Row], name: str) -> bool:
    """Whether a column looks like a figure or like the name of a row."""
    values = [value for row in rows if (value := _number(row.get(name))) not in (None, "")]
    different = len({str(value) for value in values})
    words = set(re.split(r"[^a-z]+", name.lower()))
    if not values or words & MEASURES or {"model", "size"} <= words:
        return True
    is_fraction = any(isinstance(value, float) and not value.is_integer() for value in values)
    is_text = all(isinstance(value, str) for value in values)
    return (is_fraction and different > CONTINUOUS * len(values)) or (is_text and different == len(rows) > 1)


def _outcomes(row: Row, source: Source, columns: Sequence[str]) -> list[Evaluation | Failure]:
    if row.get("state") == "FAIL":
        return [Failure(FailureKind.CRASHED, "the trial failed")]
    cost = _figure(row, source.cost) if source.cost else None
    values = [value for name in columns if (value := _figure(row, name)) is not None]
    if source.cost_known_as is not None and cost is None:
        return []
    costs = {} if source.cost_known_as is None or cost is None else {source.cost_known_as: Metric(cost)}
    return [Evaluation({source.known_as: Metric(value), **costs}) for value in values]


def _figure(row: Row, name: str) -> float | None:
    """A number of a row: in its own column, or among the metrics of an evaluation."""
    value = row.get(name)
    for group in (row.get("metrics"), (row.get("evaluation") or {}).get("metrics")):
        if value is None and isinstance(group, Mapping):
            value = group.get(name)
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    number = _number(value)
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return float(number) if is_number and abs(number) < float("inf") else None


def _number(value: Any) -> Any:
    """A cell of a CSV file is text: what reads as a number is one."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
