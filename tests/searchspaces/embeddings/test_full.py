"""The full table: one row per id, all fields in one gather."""

import re

import pytest
import torch

from searchspaces import ArchitectureError, FeatureSchema, Field, Kind, Node, Options
from searchspaces.build import build
from searchspaces.embeddings.full import Full
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.graphs import schema, with_output

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
    vectors = given(source, ids=torch.tensor([[0, 0], [2, 3]], dtype=dtype))
    assert vectors.tolist() == [[[0.0, 0.0], [3.0, -3.0]], [[2.0, -2.0], [6.0, -6.0]]]


def test_ids_are_taken_modulo_the_vocabulary(source: Full) -> None:
    inside = given(source, ids=torch.tensor([[1, 2], [0, 1]], dtype=torch.int32))
    beyond = given(source, ids=torch.tensor([[4, 6], [300, 401]], dtype=torch.int32))
    assert torch.equal(beyond, inside)


def test_rows_are_told_without_looking_them_up(source: Full) -> None:
    rows = source.lookups(NO_VALUES, torch.tensor([[1, 2], [4, 7]], dtype=torch.int32), "table")
    assert rows.tolist() == [[1, 5], [1, 6]]
    assert source.tables()["table"].parts == (("a", 3), ("b", 4))


def test_a_schema_without_categorical_fields_has_no_such_source() -> None:
    with pytest.raises(ArchitectureError, match="'full' needs a categorical field, but the schema has none"):
        Full.output(schema(categorical=0), Options(dim=4))


def test_a_group_of_fields_has_the_rows_that_the_whole_table_begins_with() -> None:
    """Rows are drawn by field, so that splitting fields into groups is no other start."""
    fields = schema(numeric=0, categorical=3, vocabulary=4)
    whole, some = (
        build(with_output(Node("full", (), Options(dim=2, **chosen))), fields, seed=3)
        for chosen in ({}, {"fields": ["c2", "c0"]})
    )
    ids = torch.tensor([[3, 1, 5], [4, 2, 7]], dtype=torch.int32)
    rows = [next(iter(model.sources().values())) for model in (whole, some)]
    assert torch.equal(given(rows[1], ids=ids), given(rows[0], ids=ids)[:, [0, 2]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "'fields' of block 'full' must be a list of names of fields, but is ()"),
        ("c0", "'fields' of block 'full' must be a list of names of fields, but is 'c0'"),
        ([1], "'fields' of block 'full' must be a list of names of fields, but is (1,)"),
        (["c0", "c0"], "'fields' of block 'full' must name each field once, but is ['c0', 'c0']"),
        (["c9"], "must be categorical fields of the schema, but 'c9' is none"),
        (["n0"], "must be categorical fields of the schema, but 'n0' is none"),
    ],
)
def test_fields_that_the_schema_has_not_are_refused(fields: object, message: str) -> None:
    with pytest.raises(ArchitectureError, match=re.escape(message)):
        Full.output(schema(), Options(dim=4, fields=fields))


def test_stored_tables_of_earlier_releases_can_be_loaded(source: Full) -> None:
    """They hold these names and no others."""
    assert sorted(source.state_dict()) == ["offsets", "sizes", "table.weight"]
