"""Other data in the ids of a finished model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets import Dataset, Part, encode_part, held_out, prepare
from evaluators._datasets.digest import file_digest
from searchspaces import FeatureSchema
from tests.evaluators.datasets.small_sources import write_fields_folder, write_table


@pytest.fixture(autouse=True)
def own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "test_openings.jsonl"


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


def unlabelled(source: str, folder: Path) -> Path:
    """A source of one row (None, b, 8) without a label, in one of the forms."""
    if source == "folder":
        things = write_fields_folder(folder / "other")
        pl.read_parquet(things / "test.parquet").drop("label").write_parquet(things / "test.parquet")
        return things
    (folder / "rows.csv").write_text("C2,C1,I1\n8,b,\n")
    if source == "csv":
        return folder / "rows.csv"
    if source == "parquet":
        pl.DataFrame({"C2": [8], "C1": ["b"], "I1": [None]}).write_parquet(folder / "rows.parquet")
        return folder / "rows.parquet"
    label = "label: click\n" if source == "description with a label" else ""
    (folder / "rows.yaml").write_text(f"table: rows.csv\n{label}dense: [I1]\ncategorical: [C1, C2]\n")
    return folder / "rows.yaml"


@pytest.mark.parametrize("source", ["folder", "csv", "parquet", "description", "description with a label"])
def test_labels_that_are_not_there_are_nan_and_nothing_is_recorded(
    tmp_path: Path, trained_on: Dataset, source: str, own_record: Path
) -> None:
    part = encode(unlabelled(source, tmp_path), "test", trained_on)
    assert len(part) == 1
    assert part.label.dtype == np.float32
    assert np.isnan(part.label).all()
    np.testing.assert_array_equal(part.categorical, [[1, 0]])
    np.testing.assert_array_equal(part.numeric, [[np.nan]])
    assert not own_record.exists()


def test_a_training_source_still_needs_its_labels(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "other")
    pl.read_parquet(folder / "train.parquet").drop("label").write_parquet(folder / "train.parquet")
    with pytest.raises(DataError, match=r"train.parquet has no 'label'; \(known: I1, C1, C2\)"):
        prepare(folder)
    description = write_table(tmp_path, "table: clicks.csv\ndense: [price]\ncategorical: [user]\n")
    with pytest.raises(DataError, match="label must be a text, but is None"):
        prepare(description)


def test_labels_that_are_there_must_be_labels(tmp_path: Path, trained_on: Dataset) -> None:
    (tmp_path / "rows.csv").write_text("C2,C1,I1,label\n7,a,1.5,\n")
    with pytest.raises(DataError, match="a label is 0 or 1 in each row"):
        encode(tmp_path / "rows.csv", "test", trained_on)


def test_the_labelled_test_part_of_a_source_opens_on_record(
    tmp_path: Path, trained_on: Dataset, own_record: Path
) -> None:
    folder = write_fields_folder(tmp_path / "other")
    encode(folder, "train", trained_on)
    encode(folder, "valid", trained_on)
    assert not own_record.exists()
    encode(folder, "test", trained_on)
    [line] = own_record.read_text().splitlines()
    digest = "source:" + hashlib.sha256((folder / "test.parquet").read_bytes()).hexdigest()
    assert (json.loads(line)["digest"], json.loads(line)["purpose"]) == (digest, "scoring")
    assert held_out.openings(digest) == 1


def test_a_labelled_table_that_is_scored_as_test_opens_on_record(
    tmp_path: Path, trained_on: Dataset, own_record: Path
) -> None:
    (tmp_path / "rows.csv").write_text("C2,C1,I1,label\n7,a,1.5,0\n")
    encode(tmp_path / "rows.csv", "test", trained_on)
    assert file_digest(tmp_path / "rows.csv") in own_record.read_text()


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
