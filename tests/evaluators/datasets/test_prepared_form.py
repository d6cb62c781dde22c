"""The prepared form: what is written is read back, whole or not at all."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators import DataError
from evaluators._datasets import Dataset, Facts, Part, open_dataset, write_prepared
from evaluators._datasets.stored import Appended
from evaluators._datasets.vocabulary import Vocabulary
from searchspaces import FeatureSchema, Field, Kind

SCHEMA = FeatureSchema((Field("price", Kind.NUMERIC), Field("place", Kind.CATEGORICAL, vocabulary_size=3)))
VOCABULARY = Vocabulary.of(["x", None], [5, 2])
FACTS = Facts("tiny", bayes_ne={"train": 0.5}, meanings={"price": "what it costs"})


def part(labels: list[float], time: list[float] | None = None) -> Part:
    rows = len(labels)
    return Part(
        np.array(labels, np.float32),
        np.linspace(0, 1, rows, dtype=np.float32)[:, None],
        (np.arange(rows, dtype=np.int32) % 3)[:, None],
        None if time is None else np.array(time),
    )


PARTS = {"train": part([0, 1, 1, 1]), "valid": part([0, 1]), "test": part([1])}


def write(folder: Path, parts: dict[str, Part] | None = None) -> Dataset:
    return write_prepared(folder, parts or PARTS, schema=SCHEMA, vocabularies=[VOCABULARY], facts=FACTS)


def test_a_written_dataset_reads_back_as_it_was(tmp_path: Path) -> None:
    written = write(tmp_path / "data")
    opened = open_dataset(tmp_path / "data")
    assert opened == written
    assert (opened.schema, opened.name, opened.bayes_ne) == (SCHEMA, "tiny", {"train": 0.5})
    assert opened.rows == {"train": 4, "valid": 2, "test": 1}
    assert opened.base_rate == {"train": 0.75, "valid": 0.5, "test": 1.0}
    assert opened.vocabularies() == [["x", None]]


def test_parts_are_memory_mapped_and_read_only(tmp_path: Path) -> None:
    train = write(tmp_path / "data").part("train")
    assert isinstance(train.numeric, np.memmap)
    assert [str(array.dtype) for array in (train.label, train.numeric, train.categorical)] == [
        "float32",
        "float32",
        "int32",
    ]
    assert len(train) == 4
    assert train.time is None
    with pytest.raises(ValueError, match=r"read-only"):
        train.label[0] = 1


def test_time_is_kept_where_there_is_one(tmp_path: Path) -> None:
    parts = {"train": part([0, 1], [1, 2]), "valid": part([0, 1], [3, 4])}
    valid = write(tmp_path / "data", parts).part("valid")
    assert valid.time is not None
    np.testing.assert_array_equal(valid.time, [3, 4])


def test_a_search_cannot_open_the_test_part(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a search must not see the test part.*open_test_part, which records"):
        write(tmp_path / "data").part("test")


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has the parts 'train' and 'valid', but 'holdout' was asked for"):
        write(tmp_path / "data").part("holdout")


def test_the_schema_file_reserves_kinds_that_come_later(tmp_path: Path) -> None:
    write(tmp_path / "data")
    content = json.loads((tmp_path / "data" / "schema.json").read_text())
    assert content["reserved_kinds"] == ["bag", "sequence", "weight", "group"]
    assert content["meanings"] == {"price": "what it costs"}


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "data")
    path = tmp_path / "data" / "schema.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 7'))
    with pytest.raises(
        DataError, match=r"must be of format version 1, but .*schema.json says 7; prepare the data again"
    ):
        open_dataset(tmp_path / "data")


def test_a_garbled_schema_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text("{")
    with pytest.raises(DataError, match=r"needs a readable .*schema.json .*; prepare the data again"):
        open_dataset(tmp_path)


def test_a_schema_file_that_lacks_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"format_version": 1}')
    with pytest.raises(
        DataError, match=r"lacks or garbles what a dataset needs .'name' is missing; .*; prepare the data again"
    ):
        open_dataset(tmp_path)


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    (tmp_path / "data" / "train" / "numeric.npy").unlink()
    with pytest.raises(DataError, match=r"needs its arrays, but .*numeric.npy cannot be read"):
        data.part("train")


def test_an_array_of_another_type_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    np.save(tmp_path / "data" / "train" / "label.npy", np.zeros(4))
    with pytest.raises(
        DataError, match=r"label.npy of a prepared part holds float32 in 1 dimensions, but .* holds float64 in 1"
    ):
        data.part("train")


def test_arrays_of_unequal_length_are_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    np.save(tmp_path / "data" / "train" / "label.npy", np.zeros(3, np.float32))
    with pytest.raises(DataError, match=r"must have the same number of rows, but in .* they have \[3, 4\]"):
        data.part("train")


def test_a_missing_vocabulary_is_named(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    data.vocabulary_files[0].unlink()
    with pytest.raises(DataError, match=r"needs its vocabularies, but .*000.parquet cannot be read"):
        data.vocabularies()


def test_untouched_data_verifies(tmp_path: Path) -> None:
    write(tmp_path / "data").verify()


def test_changed_data_does_not_verify(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    np.save(tmp_path / "data" / "valid" / "label.npy", np.array([1, 0], np.float32))
    with pytest.raises(
        DataError, match=r"must have the content that schema.json names, sha256:.*prepare the data again"
    ):
        data.verify()


def test_the_digest_covers_arrays_schema_and_vocabulary(tmp_path: Path) -> None:
    other_field = FeatureSchema((replace(SCHEMA.fields[0], mean=0.1), SCHEMA.fields[1]))
    other_values = Vocabulary.of(["x", "None"], [5, 2])
    written = [
        write(tmp_path / "a"),
        write(tmp_path / "b", {**PARTS, "test": part([0])}),
        write_prepared(tmp_path / "c", PARTS, schema=other_field, vocabularies=[VOCABULARY], facts=FACTS),
        write_prepared(tmp_path / "d", PARTS, schema=SCHEMA, vocabularies=[other_values], facts=FACTS),
    ]
    assert len({data.digest for data in written}) == 4


def test_the_same_data_has_one_digest_wherever_it_lies(tmp_path: Path) -> None:
    assert write(tmp_path / "one").digest == write(tmp_path / "other").digest


def test_writing_the_same_data_again_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "data")
    before = (tmp_path / "data" / "schema.json").stat().st_mtime_ns
    write(tmp_path / "data")
    assert (tmp_path / "data" / "schema.json").stat().st_mtime_ns == before


def test_a_prepared_folder_can_be_read_by_others(tmp_path: Path) -> None:
    write(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o755


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "diary.txt").write_text("dear")
    with pytest.raises(DataError, match=r"goes into a new or empty folder, but .*data holds something else; remove it"):
        write(tmp_path / "data")
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "diary.txt"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        DataError, match=r"needs a folder that can be written, but .*; name another folder, or set AUTOML_HOME"
    ):
        write(tmp_path / "file" / "data")


@pytest.mark.parametrize("place", [(Vocabulary, "write"), (Appended, "append")])
def test_a_failure_while_writing_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[type, str]
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(*place, full_disk)
    with pytest.raises(DataError, match=r"no space left"):
        write(tmp_path / "new" / "data")
    assert list(tmp_path.iterdir()) == []


def test_the_second_of_two_that_prepare_at_once_takes_the_first_ones_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_write = Vocabulary.write

    def write_while_another_finishes(self: Vocabulary, path: Path) -> None:
        monkeypatch.setattr(Vocabulary, "write", plain_write)
        write(tmp_path / "data")
        plain_write(self, path)

    monkeypatch.setattr(Vocabulary, "write", write_while_another_finishes)
    assert write(tmp_path / "data").rows["train"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_empty_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"each part of tiny needs rows, but valid has none"):
        write(tmp_path / "data", {**PARTS, "valid": part([])})


@pytest.mark.parametrize("name", ["train", "valid"])
def test_labels_of_one_class_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"need labels of both classes, but {name} has only 1 in its 2 rows"):
        write(tmp_path / "data", {**PARTS, name: part([1, 1])})


def test_a_dataset_without_valid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"needs the parts train and valid, but valid is missing"):
        write(tmp_path / "data", {"train": PARTS["train"]})


def test_arrays_that_contradict_the_schema_are_refused(tmp_path: Path) -> None:
    wide = replace(PARTS["train"], numeric=np.zeros((4, 2), np.float32))
    with pytest.raises(
        DataError, match=r"the arrays of train must have the shapes \(\(4, 1\), \(4, 1\)\) of the schema"
    ):
        write(tmp_path / "data", {**PARTS, "train": wide})


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the schema says \[3\] and the vocabularies have \[2\]"):
        write_prepared(tmp_path / "data", PARTS, schema=SCHEMA, vocabularies=[Vocabulary.of(["x"])], facts=FACTS)
