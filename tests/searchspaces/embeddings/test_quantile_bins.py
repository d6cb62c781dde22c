"""Numbers as ids of quantile bins."""

import math
import re

import numpy as np
import pytest
import torch

from searchspaces import EDGES, ArchitectureError, FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.quantile_bins import QuantileBins
from tests.searchspaces.embeddings.known_statistics import KnownStatistics

NO_IDS = torch.zeros(1, 0, dtype=torch.int32)


def source(*edges: list[float], bins: int) -> QuantileBins:
    names = [f"n{at}" for at in range(len(edges))]
    known = KnownStatistics(dict(zip(names, edges, strict=True)))
    fields = FeatureSchema(tuple(Field(name, Kind.NUMERIC) for name in names), known)
    return QuantileBins(fields, Options(dim=2, bins=bins))


def bins_of(found: QuantileBins, *values: float) -> list[int]:
    raw = torch.tensor(values)[:, None]
    return found.lookups(raw, NO_IDS.expand(len(values), 0), "table")[:, 0].tolist()


def test_values_fall_between_quantiles_and_end_their_bin() -> None:
    found = source(list(range(EDGES)), bins=4)
    assert bins_of(found, -5.0, 0.0, 32.0, 32.5, 64.0, 96.0, 96.5, 128.0, 1e9) == [0, 0, 0, 1, 1, 2, 3, 3, 3]


def test_a_missing_value_has_the_last_row() -> None:
    assert bins_of(source(list(range(EDGES)), bins=8), math.nan) == [8]


def test_each_field_has_edges_and_rows_of_its_own() -> None:
    found = source(list(range(EDGES)), list(range(0, 10 * EDGES, 10)), bins=2)
    assert found.lookups(torch.tensor([[100.0, 100.0]]), NO_IDS, "table").tolist() == [[1, 3]]
    assert found.tables()["table"].parts == (("n0", 3), ("n1", 3))


def test_bins_have_equally_many_rows_where_values_differ() -> None:
    column = np.random.default_rng(1).lognormal(size=6400).astype(np.float32)
    edges = np.quantile(column, np.linspace(0, 1, EDGES), method="inverted_cdf").tolist()
    assert np.bincount(bins_of(source(edges, bins=32), *column.tolist())).tolist() == [200] * 32


def test_a_value_of_many_rows_is_alone_with_those_below_it() -> None:
    """Half of the rows are 0: they share a bin, which no larger value enters."""
    edges = [0.0] * 65 + list(range(1, 65))
    found = source(edges, bins=8)
    assert bins_of(found, 0.0) == [0]
    assert bins_of(found, 1.0) == [4]


@pytest.mark.parametrize("bins", [1, 3, 48, 256])
def test_bins_that_cannot_be_read_from_the_quantiles_are_refused(bins: int) -> None:
    message = f"'bins' of block 'quantile_bins' must be one of 2, 4, 8, 16, 32, 64 and 128, but is {bins}"
    with pytest.raises(ArchitectureError, match=re.escape(message)):
        source(list(range(EDGES)), bins=bins)
