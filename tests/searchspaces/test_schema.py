"""Feature schemas."""

import pytest

from searchspaces import FeatureSchema, Field, Kind, SchemaError
from tests.searchspaces.graphs import schema


def test_a_schema_survives_its_dictionary() -> None:
    one = schema(numeric=2, categorical=3)
    assert FeatureSchema.from_dict(one.to_dict()) == one
    assert FeatureSchema.from_dict(one.to_dict()).digest == one.digest


def test_groups_keep_the_column_order() -> None:
    mixed = FeatureSchema((Field("b", Kind.CATEGORICAL, 3), Field("a", Kind.NUMERIC), Field("c", Kind.CATEGORICAL, 4)))
    assert [field.name for field in mixed.categorical] == ["b", "c"]
    assert [field.name for field in mixed.numeric] == ["a"]


def test_the_digest_depends_on_the_content() -> None:
    assert schema(vocabulary=11).digest != schema(vocabulary=12).digest
    assert len(schema().digest) == 16


def test_a_cap_shortens_only_longer_vocabularies() -> None:
    capped = schema(categorical=3, vocabulary=10).capped(11)
    assert [field.vocabulary_size for field in capped.categorical] == [10, 11, 11]
    assert schema().capped(None) == schema()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "a schema needs at least one field, but has none"),
        ([{"name": "a", "kind": "numeric"}] * 2, "field names must differ, but 'a' appears 2 times"),
        ([{"name": "a", "kind": "bag"}], "no block reads fields of kind 'bag' yet, but 'a' is one"),
        ([{"name": "a", "kind": "categorical"}], "out-of-vocabulary id, but 'a' has size 0"),
        ([{"name": "a", "kind": "numeric", "std": 0.0}], "must be positive, but field 'a' has 0.0"),
        ([{"name": "a", "kind": "numeric", "std": float("inf")}], "mean and std must be finite numbers, but field 'a'"),
        ([{"name": "a", "kind": "numeric", "mean": "1"}], "mean and std must be finite numbers, but field 'a' has '1'"),
        ([{"name": 3, "kind": "numeric"}], "a field's name must be a text, but is 3"),
        (
            [{"name": "a", "kind": "categorical", "vocabulary_size": 2.5}],
            "must be a whole number of at most .* has 2.5",
        ),
        (
            [{"name": "a", "kind": "categorical", "vocabulary_size": 2**31}],
            "must be a whole number of at most 2147483647",
        ),
        ([{"name": "a", "kind": "image"}], "'image' is not a valid Kind"),
        ([{"kind": "numeric"}], "a field must have name, kind, vocabulary_size, mean and std"),
        ([{"name": "a", "kind": "numeric", "size": 3}], "unexpected keyword argument 'size'"),
    ],
)
def test_a_contradictory_schema_is_refused(fields: list[dict[str, object]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        FeatureSchema.from_dict({"fields": fields})


def test_fields_that_are_no_list_are_refused() -> None:
    with pytest.raises(SchemaError, match="a schema's 'fields' must be a list, but is 3"):
        FeatureSchema.from_dict({"fields": 3})


def test_a_cap_must_leave_a_row() -> None:
    with pytest.raises(SchemaError, match="must leave at least one row, but is 0"):
        schema().capped(0)
