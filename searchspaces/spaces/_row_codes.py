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
    is, anything else as one column for each value. What all rows have in common is left out.
    """
    return RowCodes.of(candidates)[1]


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
