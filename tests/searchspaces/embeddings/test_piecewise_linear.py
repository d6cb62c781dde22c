"""Numbers by how far they are through each bin."""

import math

import numpy as np
import pytest
import torch

from searchspaces import EDGES, FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.piecewise_linear import PiecewiseLinear
from tests.searchspaces.embeddings.known_statistics import KnownStatistics, given
from tests.searchspaces.embeddings.sources import first_weights

SPREAD = FeatureSchema((Field("a", Kind.NUMERIC),), KnownStatistics({"a": np.expm1(np.linspace(0, 4, EDGES)).tolist()}))


def encoded(fields: FeatureSchema, *values: float, bins: int = 4) -> list[list[float]]:
    rows: list[list[float]] = (
        PiecewiseLinear(fields, Options(dim=1, bins=bins)).encoded(torch.tensor(values)[:, None])[:, 0].tolist()
    )
    return rows


@pytest.mark.parametrize(
    ("logarithm", "shares"),
    [
        (0.0, [0, 0, 0, 0]),
        (0.5, [0.5, 0, 0, 0]),
        (1.0, [1, 0, 0, 0]),
        (2.25, [1, 1, 0.25, 0]),
        (4.0, [1, 1, 1, 1]),
    ],
)
def test_a_value_fills_the_bins_below_it(logarithm: float, shares: list[float]) -> None:
    """Edges whose logarithms are 0, 1, 2, 3 and 4."""
    assert encoded(SPREAD, math.expm1(logarithm))[0] == pytest.approx([*shares, 0.0], abs=1e-5)


def test_values_beyond_the_edges_count_as_the_edges() -> None:
    assert encoded(SPREAD, -100.0, 1e9) == [[0.0] * 5, [1.0, 1.0, 1.0, 1.0, 0.0]]


def test_a_missing_value_has_an_entry_of_its_own() -> None:
    assert encoded(SPREAD, math.nan) == [[0.0, 0.0, 0.0, 0.0, 1.0]]


def test_edges_that_coincide_are_a_step() -> None:
    same = FeatureSchema((Field("a", Kind.NUMERIC),), KnownStatistics({"a": [5.0] * EDGES}))
    assert encoded(same, 4.9, 5.0, 5.1, bins=2) == [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]


def test_encodings_go_through_a_matrix_of_the_field() -> None:
    source = first_weights("piecewise_linear", SPREAD, dim=3, bins=4)
    learned = dict(source.named_parameters())
    with torch.no_grad():
        learned["bias"].copy_(torch.tensor([1.0, 2.0, 3.0]))
    vectors = given(source, numeric=torch.tensor([[math.expm1(2.25)], [math.nan]]))
    rows = learned["weight"][0]
    torch.testing.assert_close(vectors[0, 0], rows[0] + rows[1] + 0.25 * rows[2] + learned["bias"], atol=1e-5, rtol=0)
    torch.testing.assert_close(vectors[1, 0], rows[4] + learned["bias"])
