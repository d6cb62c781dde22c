"""Numbers that tell candidates of a table apart, whatever space they come from."""

from __future__ import annotations

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


@dataclass(frozen=True, eq=False)
class RowCodes:
    """Columns by name, each with its least value and its range over the candidates that it was made of."""

    names: tuple[str, ...]
    low: NDArray[np.float64]
    span: NDArray[np.float64]

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> tuple[RowCodes, NDArray[np.float64]]:
        """The columns that tell these candidates apart, and their codes [candidates, columns]."""
        found = [_features(candidate) for candidate in candidates]
        occurs = Counter(name for one in found for name in one)
        varied = [name for name in occurs if len({one.get(name, 0.0) for one in found}) > 1]
        names = sorted(sorted(varied, key=lambda name: (-occurs[name], name))[:MOST_COLUMNS]) or ["nodes"]
        values = np.array([[one.get(name, 0.0) for name in names] for one in found])
        low, high = values.min(axis=0), values.max(axis=0)
        codes = cls(tuple(names), low, np.where(high > low, high - low, 1.0))
        return codes, codes._scaled(values)

    def code(self, candidate: Candidate) -> NDArray[np.float64]:
        """Code of any candidate, [columns]; beyond 0 and 1 where it goes beyond those of the table."""
        found = _features(candidate)
        return self._scaled(np.array([found.get(name, 0.0) for name in self.names]))

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = (values - self.low) / self.span
        return scaled


def row_codes(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """A row for each candidate, with columns from 0 to 1.

    Columns count nodes, blocks, their options and the edges between blocks, and hold settings: a number as it
    is, or its logarithm where it spans a decade, anything else as one column for each value. A number that only some
    rows have is in the middle for the others, and another column tells who has it. What all rows have in common is
    left out, and so is what says the same as another column.
    """
    return RowCodes.of(candidates)[1]
    found = [_features(candidate) for candidate in candidates]
    occurs = Counter(name for one in found for name in one)
    varied = [name for name in occurs if len({one.get(name) for one in found}) > 1]
    names = sorted(sorted(varied, key=lambda name: (-occurs[name], name))[:MOST_COLUMNS])
    columns = [column for name in names for column in _columns(name, [one.get(name) for one in found])]
    different = list({column.tobytes(): column for column in columns if np.ptp(column) > 0}.values())[:MOST_COLUMNS]
    codes: NDArray[np.float64] = np.stack(different or [np.zeros(len(found))], axis=1)
    return codes


def _columns(name: str, cells: Sequence[float | None]) -> list[NDArray[np.float64]]:
    if "=" in name or not name.startswith(GROUPS):
        return [_scaled(np.array([cell or 0.0 for cell in cells]))]
    has = np.array([cell is not None for cell in cells])
    values = np.full(len(cells), 0.5)
    values[has] = _scaled(_levelled(np.array([cell for cell in cells if cell is not None])))
    return [values, has.astype(np.float64)]


def _levelled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms where positive values span a decade; zero is then one of their mean steps below the least."""
    steps = np.unique(values[values > 0])
    if (values < 0).any() or len(steps) < 2 or steps[-1] < DECADE * steps[0]:
        return values
    step = np.log(steps[-1] / steps[0]) / (len(steps) - 1)
    levels: NDArray[np.float64] = np.log(np.where(values > 0, values, steps[0] * np.exp(-step)))
    return levels


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = values.min(), values.max()
    scaled: NDArray[np.float64] = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return scaled


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
