from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluators import DataError
from evaluators._datasets import open_dataset
from evaluators._datasets.described import read_description
from evaluators.train import Train
from searchspaces import Kind

FIELDS: list[dict[str, Any]] = [
    {"name": "price", "kind": "numeric", "mean": 1, "std": 0.5},
    {"name": "user", "kind": "categorical", "vocabulary_size": 40},
]


def describe(folder: Path, content: object, name: str = "clicks.json") -> Path:
    """Writes a description; JSON is YAML too."""
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("name", ["clicks.json", "clicks.yaml"])
def test_a_description_gives_a_schema_and_no_rows(tmp_path: Path, name: str) -> None:
    dataset = open_dataset(describe(tmp_path, {"name": "mine", "fields": FIELDS}, name))
    assert dataset.name == "mine"
    assert [(one.name, one.kind, one.vocabulary_size) for one in dataset.schema.fields] == [
        ("price", Kind.NUMERIC, 0),
        ("user", Kind.CATEGORICAL, 40),
    ]
    assert (dataset.schema.numeric[0].mean, dataset.schema.numeric[0].std) == (1.0, 0.5)
    assert (dict(dataset.rows), dict(dataset.base_rate)) == ({}, {})


def test_the_name_of_the_file_stands_in(tmp_path: Path) -> None:
    assert open_dataset(describe(tmp_path, {"fields": FIELDS})).name == "clicks"


def test_the_digest_follows_the_content_and_not_the_file(tmp_path: Path) -> None:
    first = read_description(describe(tmp_path, {"name": "a", "fields": FIELDS}, "one.json"))
    same = read_description(describe(tmp_path, {"fields": FIELDS, "name": "a"}, "other.yaml"))
    other = read_description(describe(tmp_path, {"name": "a", "fields": FIELDS[::-1]}))
    assert first.digest == same.digest != other.digest
    assert first.digest.startswith("sha256:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    fields = [
        7,
        {"name": "", "kind": "dense"},
        {"name": "a", "kind": "categorical", "size": 4},
        {"name": "b", "kind": "numeric", "mean": "x", "std": 0, "vocabulary_size": -1},
    ]
    with pytest.raises(DataError) as caught:
        open_dataset(describe(tmp_path, {"name": 1, "fields": fields, "rows": 3}))
    text = str(caught.value)
    for message in (
        "has 10 mistake(s)",
        "unknown key 'rows'",
        "name must be a text of 1 to 200 characters, but is 1",
        "fields.0: a field looks like {name: user, kind: categorical, vocabulary_size: 100}, but is 7",
        "fields.1: name must be a text, but is ''",
        "fields.1: kind must be numeric or categorical, but is 'dense'",
        "fields.2: unknown key 'size'",
        "fields.2: a categorical field needs its vocabulary_size, out-of-vocabulary id included, but has 0",
        "fields.3: vocabulary_size must be a whole number from 1 to 2147483647, but is -1",
        "fields.3: mean must be a finite number, but is 'x'",
        "fields.3: std must be more than zero, but is 0",
    ):
        assert message in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"fields": []}, r"fields must be a list of at least one field, but is \[\]"),
        ({"fields": [FIELDS[0], FIELDS[0]]}, "describes no schema: field names must differ"),
        ([1], r"a description maps name and fields, but .* holds \[1\]"),
    ],
)
def test_what_is_no_schema_is_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_description(describe(tmp_path, content))


@pytest.mark.parametrize("text", ["{", "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "clicks.json").write_text(text)
    with pytest.raises(DataError, match=r"must be readable YAML or JSON, but .* is not"):
        read_description(tmp_path / "clicks.json")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clicks.json").write_text(" " * 10_000_001)
    with pytest.raises(DataError, match=r"takes at most 10000000 bytes, but .* has 10000001"):
        read_description(tmp_path / "clicks.json")


def test_who_needs_rows_is_told_what_to_do(tmp_path: Path) -> None:
    dataset = open_dataset(describe(tmp_path, {"fields": FIELDS}))
    with pytest.raises(DataError, match="describes columns without rows, but part 'train' was asked for; use the"):
        dataset.part("train")
    with pytest.raises(DataError, match="but a vocabulary was asked for"):
        dataset.vocabularies()
    with pytest.raises(DataError, match="but its content was asked for"):
        dataset.verify()


@pytest.mark.slow
def test_training_refuses_before_the_first_trial(tmp_path: Path) -> None:
    path = describe(tmp_path, {"fields": FIELDS})
    evaluator = Train(path, 1)
    with pytest.raises(ValueError, match="describes columns without rows"):
        evaluator.open()
    evaluator.close()


def test_no_data_is_a_dataset_that_refuses_its_rows() -> None:
    dataset = open_dataset("none")
    assert (dataset.name, [one.name for one in dataset.schema.fields], dict(dataset.rows)) == ("none", ["nothing"], {})
    with pytest.raises(DataError, match="describes columns without rows, but part 'train' was asked for"):
        dataset.part("train")


def test_a_folder_of_that_name_is_opened_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError):
        open_dataset("none")
