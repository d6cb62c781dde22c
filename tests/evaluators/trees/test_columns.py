from __future__ import annotations

import numpy as np
import pytest

from evaluators._datasets import Part
from evaluators._trees.columns import PRIOR_ROWS, columns_of, earlier_rates
from evaluators._trees.settings import TreeSettings
from searchspaces import FeatureSchema, Field, Kind

SCHEMA = FeatureSchema(
    (
        Field("age", Kind.NUMERIC),
        Field("few", Kind.CATEGORICAL, vocabulary_size=3),
        Field("many", Kind.CATEGORICAL, vocabulary_size=100),
    )
)


def _part(many: list[int], labels: list[float]) -> Part:
    rows = len(labels)
    numeric = np.arange(rows, dtype=np.float32)[:, None]
    numeric[0] = np.nan
    ids = np.stack([np.arange(rows) % 3, np.asarray(many)], axis=1).astype(np.int32)
    return Part(np.asarray(labels, np.float32), numeric, ids)


TRAIN = _part([5, 5, 7, 5], [1, 0, 1, 1])
VALID = _part([5, 9], [0, 0])


def test_a_small_field_is_a_category_and_a_large_one_is_not() -> None:
    found = columns_of(TRAIN, VALID, SCHEMA, TreeSettings(native_up_to=3))
    assert found.categories == (1,)
    assert found.train[:, 1].tolist() == [0, 1, 2, 0]


def test_numbers_keep_their_missing_values() -> None:
    found = columns_of(TRAIN, VALID, SCHEMA, TreeSettings())
    assert np.isnan(found.train[0, 0])
    assert found.train[1:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("coding", "columns"), [("ordinal", 1), ("statistics", 2), ("both", 3)])
def test_a_large_field_becomes_as_many_numbers_as_its_coding_has(coding: str, columns: int) -> None:
    found = columns_of(TRAIN, VALID, SCHEMA, TreeSettings(large_fields=coding))
    assert found.train.shape == (4, 2 + columns)
    assert found.valid.shape == (2, 2 + columns)


def test_statistics_of_a_row_to_predict_are_those_of_all_training_rows() -> None:
    found = columns_of(TRAIN, VALID, SCHEMA, TreeSettings(large_fields="statistics"))
    mean = 0.75
    seen, unseen = (PRIOR_ROWS * mean + 2) / (PRIOR_ROWS + 3), mean
    assert found.valid[:, 2:] == pytest.approx(np.array([[np.log(4.0), seen], [0.0, unseen]]))


def test_a_training_row_sees_earlier_rows_alone() -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 5, 60).astype(np.int32)
    labels = rng.integers(0, 2, 60).astype(np.float32)
    mean = float(labels.mean())
    expected = [
        (PRIOR_ROWS * mean + labels[:at][ids[:at] == ids[at]].sum()) / (PRIOR_ROWS + (ids[:at] == ids[at]).sum())
        for at in range(60)
    ]
    assert earlier_rates(ids, labels) == pytest.approx(np.array(expected))


def test_statistics_never_look_at_labels_to_predict() -> None:
    other = Part(1 - VALID.label, VALID.numeric, VALID.categorical)
    settings = TreeSettings(large_fields="both")
    one, two = (columns_of(TRAIN, valid, SCHEMA, settings) for valid in (VALID, other))
    assert np.array_equal(one.valid, two.valid, equal_nan=True)
