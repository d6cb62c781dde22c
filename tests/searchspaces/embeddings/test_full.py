"""The full table: one row per id, all fields in one gather."""

import pytest
import torch

from searchspaces import ArchitectureError, FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.full import Full
from tests.searchspaces.graphs import schema

NO_VALUES = torch.zeros(2, 0)


@pytest.fixture
def source() -> Full:
    """Fields of 3 and 4 ids; row r of the table holds (r, -r)."""
    full = Full(FeatureSchema((Field("a", Kind.CATEGORICAL, 3), Field("b", Kind.CATEGORICAL, 4))), Options(dim=2))
    rows = torch.arange(7.0)
    with torch.no_grad():
        full.table.weight.copy_(torch.stack([rows, -rows], dim=1))
    return full


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_each_field_has_rows_of_its_own(source: Full, dtype: torch.dtype) -> None:
    vectors = source(NO_VALUES, source.looked_up(torch.tensor([[0, 0], [2, 3]], dtype=dtype)))
    assert vectors.tolist() == [[[0.0, 0.0], [3.0, -3.0]], [[2.0, -2.0], [6.0, -6.0]]]


def test_ids_are_taken_modulo_the_vocabulary(source: Full) -> None:
    inside = source(NO_VALUES, source.looked_up(torch.tensor([[1, 2], [0, 1]], dtype=torch.int32)))
    beyond = source(NO_VALUES, source.looked_up(torch.tensor([[4, 6], [300, 401]], dtype=torch.int32)))
    assert torch.equal(beyond, inside)


def test_rows_are_told_without_looking_them_up(source: Full) -> None:
    rows = source.lookups(torch.tensor([[1, 2], [4, 7]], dtype=torch.int32), "table")
    assert rows.tolist() == [[1, 5], [1, 6]]
    assert source.tables()["table"].parts == (("a", 3), ("b", 4))


def test_a_schema_without_categorical_fields_has_no_such_source() -> None:
    with pytest.raises(ArchitectureError, match="'full' needs a categorical field, but the schema has none"):
        Full.output(schema(categorical=0), Options(dim=4))
