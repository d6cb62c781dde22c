"""Numbers that tell candidates of a table apart, whatever space they come from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchspaces._architecture import Architecture
from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical

MOST_COLUMNS = 256
"""What occurs in the most rows is kept: guides and models of the search take all columns at once."""

GROUPS = ("training.", "system.")
DECADE = 10.0


@dataclass(frozen=True)
class _Column:
    """A feature of candidates as a number from 0 to 1 over those that it was made of, or whether they have it.

    `floor` is where logarithms begin, None where the number is taken as it is; `absent` stands for a missing number.
    """

    name: str
    absent: float
    low: float = 0.0
    span: float = 1.0
    floor: float | None = None
    tells_presence: bool = False

    def value(self, features: Mapping[str, float]) -> float:
        """Of a candidate with these features; beyond 0 and 1 where it goes beyond the others."""
        found = features.get(self.name)
        if self.tells_presence:
            return float(found is not None)
        if found is None:
            return self.absent
        return ((found if self.floor is None else math.log(max(found, self.floor))) - self.low) / self.span


@dataclass(frozen=True, eq=False)
class RowCodes:
    """The columns that tell candidates apart, from 0 to 1.

    Columns count nodes, blocks, their options and the edges between blocks, and hold settings: a number as it
    is, or its logarithm where it spans a decade, anything else as one column for each value. A number that only some
    rows have is in the middle for the others, and another column tells who has it. What all rows have in common is
    left out, and so is what says the same as another column.
    """

    columns: tuple[_Column, ...]

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> tuple[RowCodes, NDArray[np.float64]]:
        """The columns that tell these candidates apart, and their codes [candidates, columns]."""
        found = [_features(candidate) for candidate in candidates]
        occurs = Counter(name for one in found for name in one)
        names = sorted(occurs)
        columns = [column for name in names for column in _columns(name, [one.get(name) for one in found])]
        values = {column: np.array([column.value(one) for one in found]) for column in columns}
        varied = sorted(_different(values), key=lambda column: (-occurs[column.name], column.name))[:MOST_COLUMNS]
        kept = sorted(varied, key=lambda column: (column.name, column.tells_presence)) or [_Column("nodes", 0.0)]
        return cls(tuple(kept)), np.stack([values.get(one, np.zeros(len(found))) for one in kept], axis=1)

    def code(self, candidate: Candidate) -> NDArray[np.float64]:
        """Code of any candidate, [columns]; beyond 0 and 1 where it goes beyond those of the table."""
        features = _features(candidate)
        return np.array([column.value(features) for column in self.columns])


def _columns(name: str, cells: Sequence[float | None]) -> list[_Column]:
    known = np.array([cell for cell in cells if cell is not None])
    if "=" in name or not name.startswith(GROUPS):
        counts = known if len(known) == len(cells) else np.append(known, 0.0)
        low, high = counts.min(), counts.max()
        return [_Column(name, float(0.0 - low) / _span(low, high), float(low), _span(low, high))]
    floor = _floor(known)
    levels = known if floor is None else np.log(np.maximum(known, floor))
    low, high = levels.min(), levels.max()
    number = _Column(name, 0.5, float(low) if high > low else float(low) - 0.5, _span(low, high), floor)
    return [number] if len(known) == len(cells) else [number, _Column(name, 0.0, tells_presence=True)]


def _floor(values: NDArray[np.float64]) -> float | None:
    """Where positive values span a decade: the least, or where there are zeros one of their mean steps below it."""
    steps = np.unique(values[values > 0])
    if (values < 0).any() or len(steps) < 2 or steps[-1] < DECADE * steps[0]:
        return None
    step = float(np.log(steps[-1] / steps[0])) / (len(steps) - 1)
    return float(steps[0]) if (values > 0).all() else float(steps[0]) * math.exp(-step)


def _span(low: float, high: float) -> float:
    return float(high - low) if high > low else 1.0


def _different(values: Mapping[_Column, NDArray[np.float64]]) -> list[_Column]:
    """Columns that vary, the first of those that say the same."""
    first: dict[bytes, _Column] = {}
    for column, cells in values.items():
        if np.ptp(cells) > 0:
            first.setdefault(cells.round(12).tobytes(), column)
    return list(first.values())


def _features(candidate: Candidate) -> Mapping[str, float]:
    graph = _graph_features(canonical(candidate.architecture)) if candidate.architecture else {}
    return {**graph, **_settings("training", candidate.training), **_settings("system", candidate.system)}


def _graph_features(architecture: Architecture) -> Mapping[str, float]:
    nodes = architecture.nodes
    counts: Counter[str] = Counter({"nodes": len(nodes)})
    for node in nodes:
        counts[node.block] += 1
        counts.update(f"{node.block} {name}={value!r}" for name, value in node.options.items())
        counts.update(f"{nodes[source].block} > {node.block}" for source in node.inputs)
    return {name: float(count) for name, count in counts.items()}


def _settings(group: str, options: Mapping[str, object]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for name, value in options.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{group}.{name}"] = float(value)
        else:
            found[f"{group}.{name}={value!r}"] = 1.0
    return found
