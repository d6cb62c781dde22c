"""The numeric source transforms, standardises and fills in."""

import math

import numpy as np
import pytest
import torch

from searchspaces import ArchitectureError, FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.numeric import Numeric
from tests.searchspaces.graphs import schema

NO_IDS = torch.zeros(3, 0, dtype=torch.int32)


def test_values_are_logarithms_in_standard_units() -> None:
    fields = FeatureSchema((Field("a", Kind.NUMERIC, mean=0.5, std=2.0), Field("b", Kind.NUMERIC)))
    raw = torch.tensor([[3.0, -3.0], [0.0, 1e9], [-1.0, 0.5]])
    given = Numeric(fields, Options())(raw, NO_IDS, {}).numpy()
    logs = np.sign(raw.numpy()) * np.log1p(np.abs(raw.numpy()))
    assert given == pytest.approx((logs - [0.5, 0.0]) / [2.0, 1.0], rel=1e-6)


def test_a_missing_value_counts_as_the_mean() -> None:
    source = Numeric(FeatureSchema((Field("a", Kind.NUMERIC, mean=0.5, std=2.0),)), Options())
    raw = torch.tensor([[math.nan], [math.expm1(0.5)], [math.nan]])
    assert source(raw, NO_IDS, {}).tolist() == [[0.0]] * 3


def test_a_missing_value_may_tell_that_it_is_missing() -> None:
    fields = FeatureSchema((Field("a", Kind.NUMERIC), Field("b", Kind.NUMERIC)))
    raw = torch.tensor([[math.nan, 0.0], [0.0, math.nan], [0.0, 0.0]])
    given = Numeric(fields, Options(missing=True))(raw, NO_IDS, {})
    assert given.tolist() == [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0] * 4]


def test_some_fields_come_in_column_order() -> None:
    fields = FeatureSchema(tuple(Field(name, Kind.NUMERIC) for name in "abc"))
    given = Numeric(fields, Options(fields=["c", "a"]))(torch.tensor([[0.0, 7.0, math.e - 1]] * 3), NO_IDS, {})
    assert given[0].tolist() == pytest.approx([0.0, 1.0], abs=1e-6)


def test_the_statistics_are_stored_with_the_weights() -> None:
    assert sorted(Numeric(schema(), Options()).state_dict()) == ["mean", "std"]


def test_a_schema_without_numeric_fields_has_no_such_source() -> None:
    with pytest.raises(ArchitectureError, match="'numeric' needs a numeric field, but the schema has none"):
        Numeric.output(schema(numeric=0), Options())
