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
    vectors = source(NO_VALUES, torch.tensor([[0, 0], [2, 3]], dtype=dtype))
    assert vectors.tolist() == [[[0.0, 0.0], [3.0, -3.0]], [[2.0, -2.0], [6.0, -6.0]]]


def test_ids_are_taken_modulo_the_vocabulary(source: Full) -> None:
    inside = source(NO_VALUES, torch.tensor([[1, 2], [0, 1]], dtype=torch.int32))
    beyond = source(NO_VALUES, torch.tensor([[4, 6], [300, 401]], dtype=torch.int32))
    assert torch.equal(beyond, inside)


def test_gradients_hold_only_the_rows_of_the_batch_where_asked(source: Full) -> None:
    source.table.sparse = True
    source(NO_VALUES, torch.tensor([[1, 2], [1, 0]], dtype=torch.int32)).sum().backward()
    gradient = source.table.weight.grad
    assert gradient is not None
    assert gradient.is_sparse
    assert gradient.coalesce().indices().tolist() == [[1, 3, 5]]


def test_a_schema_without_categorical_fields_has_no_such_source() -> None:
    with pytest.raises(ArchitectureError, match="'full' needs a categorical field, but the schema has none"):
        Full.output(schema(categorical=0), Options(dim=4))
