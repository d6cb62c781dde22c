"""Source: a folder with parquet parts and fields.json."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets import prepare
from tests.evaluators.datasets.small_sources import FIELDS, write_fields_folder


def test_fields_ids_and_numbers_come_from_the_training_part(tmp_path: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"))
    assert [(field.name, field.kind.value, field.vocabulary_size) for field in data.schema.fields] == [
        ("I1", "numeric", 0),
        ("C1", "categorical", 2),
        ("C2", "categorical", 3),
    ]
    assert data.vocabularies() == [["b"], ["7", None]]
    np.testing.assert_array_equal(data.part("train").categorical, [[1, 1], [0, 2], [1, 1], [0, 2]])
    np.testing.assert_array_equal(data.part("valid").categorical, [[0, 2], [0, 1]])
    np.testing.assert_array_equal(data.part("train").numeric, [[1.0], [np.nan], [3.0], [4.0]])


def test_facts_are_kept(tmp_path: Path) -> None:
    facts = prepare(write_fields_folder(tmp_path / "things")).facts
    assert (facts.name, facts.label, facts.minimum_count, facts.licence) == ("things", "label", 2, "CC BY 4.0")
    assert facts.split == {"rule": "given"}
    assert facts.meanings is not None
    assert facts.meanings["I1"] == "price: price of the thing"


def test_the_minimum_count_can_be_set(tmp_path: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"), minimum_count=1)
    assert data.vocabularies() == [["b", "a", "rare"], ["7", None]]


def test_a_time_column_beside_the_parts_orders_the_rows(tmp_path: Path) -> None:
    times: dict[str, list[object]] = {"train": [4, 3, 2, 3], "valid": [5, 6], "test": [7]}
    data = prepare(write_fields_folder(tmp_path / "things", time=times))
    train = data.part("train")
    assert data.facts.time_column == "time_ms"
    np.testing.assert_array_equal(train.time, [2, 3, 3, 4])
    np.testing.assert_array_equal(train.label, [0, 1, 1, 0])


def test_the_first_date_beside_the_parts_is_a_time_column(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    for part, days in (("train", [1, 2, 3, 4]), ("valid", [5, 6]), ("test", [7])):
        frame = pl.DataFrame({"n": days, "arrived": [date(1970, 1, day) for day in days]})
        frame.write_parquet(folder / f"aux_{part}.parquet")
    data = prepare(folder)
    assert data.facts.time_column == "arrived"
    np.testing.assert_array_equal(data.part("valid").time, [4 * 86.4e6, 5 * 86.4e6])


def test_an_aux_file_of_another_length_is_refused(tmp_path: Path) -> None:
    times: dict[str, list[object]] = {"train": [1, 2, 3], "valid": [5, 6], "test": [7]}
    with pytest.raises(DataError, match=r"aux_train.parquet has 3 and .*train.parquet has 4; make both from the same"):
        prepare(write_fields_folder(tmp_path / "things", time=times))


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_missing_part_is_named(tmp_path: Path, part: str) -> None:
    folder = write_fields_folder(tmp_path / "things")
    (folder / f"{part}.parquet").unlink()
    with pytest.raises(DataError, match=f"a table must be a file, but there is no .*{part}.parquet; check the path"):
        prepare(folder)


def test_a_missing_column_is_named_with_its_nearest(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    (folder / "fields.json").write_text(json.dumps({**FIELDS, "C11": {"kind": "categorical"}}))
    with pytest.raises(DataError, match=r"train.parquet has no 'C11'; did you mean 'C1'\? .known: label, I1, C1, C2"):
        prepare(folder)


def test_a_bad_value_is_named_with_its_file(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things", change={"valid": {"I1": ["5", "six"]}})
    with pytest.raises(DataError, match=r"column 'I1' of .*valid.parquet has 'six' in row 2"):
        prepare(folder)


def test_labels_of_one_class_leave_no_trace(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things", change={"train": {"label": [1, 1, 1, 1]}})
    with pytest.raises(DataError, match=r"train has only 1 in its 4 rows"):
        prepare(folder, out=tmp_path / "out" / "data")
    assert not (tmp_path / "out").exists()


def test_an_unreadable_parquet_is_named(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    (folder / "valid.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match=r"must be a readable parquet or csv file, but .*valid.parquet cannot be read"):
        prepare(folder)


def test_unknown_and_reserved_kinds_are_refused_together(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    fields = {"I1": {"kind": "dens"}, "C1": {"kind": "bag"}, "C2": 3}
    (folder / "fields.json").write_text(json.dumps(fields))
    with pytest.raises(DataError) as raised:
        prepare(folder)
    assert "needs a kind that is read, but 'I1' has 'dens'; did you mean 'dense'? (known: dense, categorical)" in str(
        raised.value
    )
    assert "'C1' has 'bag', which is reserved and not read yet" in str(raised.value)
    assert "'C2' has None" in str(raised.value)


@pytest.mark.parametrize(("text", "complaint"), [("{", "needs a readable fields.json"), ("{}", "no mapping or empty")])
def test_a_broken_fields_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    folder = write_fields_folder(tmp_path / "things")
    (folder / "fields.json").write_text(text)
    with pytest.raises(DataError, match=complaint):
        prepare(folder)
