"""How frequent ids are, as numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from searchspaces import FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.frequency import Frequency
from tests.searchspaces.embeddings.known_statistics import KnownStatistics, given
from tests.searchspaces.embeddings.sources import ids_of

COUNTS = {"a": [20, 60, 30, 10], "b": [0, 95, 5]}
FIELDS = replace(ids_of(4, 3), statistics=KnownStatistics(counts_of=COUNTS))


def in_standard_units(numbers: list[int], rows: list[int]) -> list[float]:
    """The logarithms of numbers, by writing every training row down."""
    logs = np.log1p(numbers)
    written = np.repeat(logs, rows)
    return [float(one) for one in (logs - written.mean()) / written.std()]


def test_numbers_are_logarithms_of_counts_in_standard_units() -> None:
    found = given(Frequency(FIELDS, Options()), ids=torch.tensor([[1, 0], [2, 1], [3, 2]], dtype=torch.int32))
    assert found[:, 0].numpy() == pytest.approx(in_standard_units([0, 60, 30, 10], COUNTS["a"])[1:], rel=1e-3)
    assert found[:, 1].numpy() == pytest.approx(in_standard_units(COUNTS["b"], COUNTS["b"]), rel=1e-3)


def test_a_value_out_of_the_vocabulary_is_rarer_than_all_in_it() -> None:
    """However many such values there are: 20 rows of them beside 10 of the rarest id."""
    numbers = given(Frequency(FIELDS, Options(fields=["a"])), ids=torch.tensor([[0, 0], [1, 0], [2, 0], [3, 0]]))
    assert numbers.argmin().item() == 0


def test_ids_that_share_a_row_are_counted_together() -> None:
    """Modulo 2: ids 0 and 2, and 1 and 3."""
    found = given(Frequency(FIELDS.capped(2), Options(fields=["a"])), ids=torch.tensor([[0, 0], [3, 0]]))
    assert found[:, 0].numpy() == pytest.approx(in_standard_units([30, 70], [50, 70]), rel=1e-3)


def test_a_field_of_one_id_says_nothing() -> None:
    fields = replace(ids_of(2), statistics=KnownStatistics(counts_of={"a": [0, 7]}))
    assert given(Frequency(fields, Options()), ids=torch.tensor([[1]])).tolist() == [[0.0]]


def test_a_rare_id_beside_one_of_almost_all_rows_is_no_outlier_without_bound() -> None:
    fields = replace(ids_of(2), statistics=KnownStatistics(counts_of={"a": [1, 10**8]}))
    assert given(Frequency(fields, Options()), ids=torch.tensor([[0]])).tolist() == [[-10.0]]


def test_an_id_takes_two_bytes_of_a_stored_model() -> None:
    fields = FeatureSchema((Field("a", Kind.CATEGORICAL, 1000),))
    assert sum(one.nbytes for one in Frequency(fields, Options()).state_dict().values()) == 2000
