"""Statistics as a test wants them to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from searchspaces import EDGES, FeatureSchema
from searchspaces.block import Source


@dataclass(frozen=True)
class KnownStatistics:
    """Edges and counts by field."""

    edges_of: Mapping[str, Sequence[float]] = field(default_factory=dict)
    counts_of: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def edges(self, field: str) -> NDArray[np.float32]:
        return np.asarray(self.edges_of[field], np.float32)

    def counts(self, field: str) -> NDArray[np.int64]:
        return np.asarray(self.counts_of[field], np.int64)


def with_statistics(schema: FeatureSchema) -> FeatureSchema:
    """The schema, its numbers evenly spread from -1000 to 1000 and its ids ever rarer."""
    edges = {one.name: np.linspace(-1000, 1000, EDGES).tolist() for one in schema.numeric}
    counts = {one.name: list(range(one.vocabulary_size, 0, -1)) for one in schema.categorical}
    return replace(schema, statistics=KnownStatistics(edges, counts))


def given(source: Source, *, numeric: torch.Tensor | None = None, ids: torch.Tensor | None = None) -> torch.Tensor:
    """What a source makes of columns of one kind, looked up in its own tables."""
    rows = len(numeric if numeric is not None else ids)  # type: ignore[arg-type]
    numbers = torch.zeros(rows, 0) if numeric is None else numeric
    numbered = torch.zeros(rows, 0, dtype=torch.int32) if ids is None else ids
    output: torch.Tensor = source(numbers, numbered, source.looked_up(numbers, numbered))
    return output
