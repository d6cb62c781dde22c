"""Other data in the ids of a finished model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluators import DataError
from evaluators._datasets import Dataset, Part, encode_part, held_out, prepare
from searchspaces import FeatureSchema
from tests.evaluators.datasets.small_sources import write_fields_folder, write_table


@pytest.fixture
def trained_on(tmp_path: Path) -> Dataset:
    return prepare(write_fields_folder(tmp_path / "things"), minimum_count=1)


def encode(source: Path, part: str, data: Dataset) -> Part:
    return encode_part(source, part, schema=data.schema, vocabularies=data.vocabularies())


def test_a_folder_with_a_test_part_alone_will_do(tmp_path: Path, trained_on: Dataset) -> None:
    folder = write_fields_folder(tmp_path / "other", change={"test": {"C1": ["rare"], "I1": [2.5]}})
    for part in ("train", "valid"):
        (folder / f"{part}.parquet").unlink()
    test = encode(folder, "test", trained_on)
    np.testing.assert_array_equal(test.categorical, [[3, 0]])
    np.testing.assert_array_equal(test.numeric, [[2.5]])
    assert test.label.tolist() == [1.0]


def test_rows_keep_the_order_of_their_file(tmp_path: Path, trained_on: Dataset) -> None:
    times: dict[str, list[object]] = {"train": [4, 3, 2, 1]}
    train = encode(write_fields_folder(tmp_path / "other", time=times), "train", trained_on)
    assert train.time is not None
    np.testing.assert_array_equal(train.time, [4, 3, 2, 1])
    np.testing.assert_array_equal(train.categorical, trained_on.part("train").categorical)


def test_a_bare_csv_with_the_fields_as_columns_will_do(tmp_path: Path, trained_on: Dataset) -> None:
    (tmp_path / "rows.csv").write_text("C2,C1,I1,label\n7,a,1.5,0\n,b,,1\n")
    part = encode(tmp_path / "rows.csv", "test", trained_on)
    np.testing.assert_array_equal(part.categorical, [[2, 1], [1, 2]])
    np.testing.assert_array_equal(part.numeric, [[1.5], [np.nan]])


def test_a_described_table_gives_all_its_rows(tmp_path: Path) -> None:
    text = "table: clicks.csv\nlabel: click\ndense: [price]\ncategorical: [user]\ntime: when\n"
    description = write_table(tmp_path, text)
    data = prepare(description)
    assert len(encode(description, "test", data)) == 40


def test_a_prepared_folder_is_recoded(tmp_path: Path, trained_on: Dataset) -> None:
    other = prepare(write_fields_folder(tmp_path / "other"))
    recoded = encode(other.folder, "train", trained_on)
    assert other.vocabularies() != trained_on.vocabularies()
    np.testing.assert_array_equal(recoded.categorical, [[1, 1], [0, 2], [1, 1], [0, 2]])


def test_the_test_part_of_a_prepared_folder_opens_on_record(trained_on: Dataset) -> None:
    before = held_out.openings(trained_on.digest)
    assert len(encode(trained_on.folder, "test", trained_on)) == 1
    assert held_out.openings(trained_on.digest) == before + 1


def test_a_field_that_the_source_lacks_is_named(tmp_path: Path, trained_on: Dataset) -> None:
    text = "table: clicks.csv\nlabel: click\ndense: [price]\ncategorical: [user]\n"
    description = write_table(tmp_path, text)
    with pytest.raises(DataError, match=r"clicks.yaml has no dense column 'I1' \(it has: price\)"):
        encode(description, "test", trained_on)


def test_a_prepared_folder_of_other_fields_is_refused(tmp_path: Path, trained_on: Dataset) -> None:
    text = "table: clicks.csv\nlabel: click\ndense: [price]\ncategorical: [user]\ntime: when\n"
    with pytest.raises(
        DataError, match=r"must have the fields that the model was trained on, \[\['I1'\], \['C1', 'C2'\]\]"
    ):
        encode(prepare(write_table(tmp_path, text)).folder, "valid", trained_on)


def test_vocabularies_of_another_dataset_are_refused(tmp_path: Path, trained_on: Dataset) -> None:
    schema = FeatureSchema(trained_on.schema.fields[:2])
    with pytest.raises(DataError, match=r"must be those of the schema, but their sizes differ"):
        encode_part(tmp_path, "test", schema=schema, vocabularies=trained_on.vocabularies())


def test_an_unknown_part_is_refused(tmp_path: Path, trained_on: Dataset) -> None:
    with pytest.raises(DataError, match=r"a part is one of train, valid, test, but 'all' was asked for"):
        encode(tmp_path, "all", trained_on)
