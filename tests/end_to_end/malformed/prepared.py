"""Malformed prepared folders, and malformed descriptions of columns without rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.end_to_end.malformed.case import (
    Case,
    Spoil,
    changed,
    cut,
    dangling,
    dropped,
    edited,
    folder_instead,
    nothing,
    overwritten,
    removed,
    written,
)
from tests.end_to_end.malformed.studies import BOMB

CREATE = ("create", "study.yaml")
PREPARE = ("data", "prepare", "data")
TRAIN = ("train", "winner.yaml", "--data", "data")
SEARCH = ("search", "study.yaml", "--set", "evaluator={name: train, device: cpu, threads: 1, batch_size: 32}")
PREDICT = ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "data", "--part", "valid")
DESCRIBED = ("create", "study.yaml", "--set", "data=columns.yaml")
COLUMNS = {
    "name": "clicks",
    "fields": [
        {"name": "price", "kind": "numeric", "mean": 1.0, "std": 2.0},
        {"name": "user", "kind": "categorical", "vocabulary_size": 10},
    ],
}
SCHEMA = "data/schema.json"


def array(name: str, kind: str, *shape: int) -> Spoil:
    """Other numbers in a prepared array: zeros of a type and shape."""

    def spoil(place: Path) -> None:
        np.save(place / "data" / f"{name}.npy", np.zeros(shape, kind))

    return spoil


def objects(place: Path) -> None:
    """An array that only pickle could read."""
    np.save(place / "data/train/label.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)


def columns(*path: str | int, to: object) -> Spoil:
    """The description of columns with one value changed."""

    def spoil(place: Path) -> None:
        (place / "columns.yaml").write_text(json.dumps(COLUMNS), encoding="utf-8")
        edited("columns.yaml", *path, to=to)(place)

    return spoil


def _described(name: str, *path: str | int, to: object, names: tuple[str, ...]) -> Case:
    return Case(f"columns_{name}", columns(*path, to=to), DESCRIBED, names)


def _schema(name: str, *path: str | int, to: object, names: tuple[str, ...] = ("schema.json",)) -> Case:
    return Case(f"schema_{name}", edited(SCHEMA, *path, to=to), CREATE, names)


def _doubled_field(content: Any) -> None:
    content["fields"][1] = content["fields"][0]


CASES: list[Case] = [
    Case("schema_empty", written(SCHEMA, ""), CREATE, ("schema.json",)),
    Case("schema_cut", cut(SCHEMA, 100), CREATE, ("schema.json",)),
    Case("schema_list", written(SCHEMA, "[]"), CREATE, ("schema.json",)),
    Case("schema_null", written(SCHEMA, "null"), PREPARE, ("schema.json",)),
    Case("schema_noise", written(SCHEMA, bytes(range(256))), PREPARE, ("schema.json",)),
    Case("schema_utf16", written(SCHEMA, "{}".encode("utf-16")), CREATE, ("schema.json",)),
    Case("schema_deep", written(SCHEMA, "[" * 100_000), CREATE, ("schema.json",)),
    Case("schema_folder", folder_instead(SCHEMA), CREATE, ("data",)),
    Case("schema_dangling", dangling(SCHEMA), CREATE, ("data",)),
    Case("schema_missing", removed(SCHEMA), CREATE, ("data", "schema.json")),
    _schema("version_newer", "format_version", to=2),
    _schema("version_text", "format_version", to="1"),
    _schema("version_null", "format_version", to=None),
    _schema("name_number", "name", to=3),
    _schema("name_null", "name", to=None),
    _schema("fields_empty", "fields", to=[]),
    _schema("fields_text", "fields", to="price"),
    _schema("fields_number", "fields", to=3),
    _schema("field_text", "fields", 0, to="price"),
    _schema("field_key", "fields", 0, "kin", to="numeric"),
    _schema("field_kind", "fields", 0, "kind", to="dense"),
    _schema("field_kind_reserved", "fields", 0, "kind", to="sequence"),
    _schema("field_name_number", "fields", 0, "name", to=3),
    _schema("field_size_text", "fields", 1, "vocabulary_size", to="ten"),
    _schema("field_size_zero", "fields", 1, "vocabulary_size", to=0),
    _schema("field_size_fraction", "fields", 1, "vocabulary_size", to=2.5),
    _schema("field_size_huge", "fields", 1, "vocabulary_size", to=10**30),
    _schema("field_std_zero", "fields", 0, "std", to=0),
    _schema("field_std_text", "fields", 0, "std", to="wide"),
    _schema("field_mean_not_a_number", "fields", 0, "mean", to=float("nan")),
    _schema("field_mean_null", "fields", 0, "mean", to=None),
    _schema("rows_list", "rows", to=[60, 20, 20]),
    _schema("rows_text", "rows", "train", to="many"),
    _schema("rows_null", "rows", to=None),
    _schema("rate_text", "base_rate", to="half"),
    _schema("digest_number", "digest", to=3),
    _schema("digest_null", "digest", to=None),
    _schema("split_text", "split", to="time"),
    _schema("bayes_text", "bayes_ne", to="low"),
    _schema("label_list", "label", to=["click"]),
    Case("schema_doubled_field", changed(SCHEMA, _doubled_field), CREATE, ("schema.json", "price")),
    *(
        Case(f"schema_without_{key}", dropped(SCHEMA, key), CREATE, ("schema.json", key))
        for key in ("name", "label", "fields", "rows", "base_rate", "digest", "split", "source")
    ),
    Case("label_missing", removed("data/train/label.npy"), TRAIN, ("label.npy",)),
    Case("label_empty", written("data/train/label.npy", b""), TRAIN, ("label.npy",)),
    Case("label_cut", cut("data/train/label.npy", 200), TRAIN, ("label.npy",)),
    Case("label_header_cut", cut("data/train/label.npy", 20), TRAIN, ("label.npy",)),
    Case("label_noise", written("data/train/label.npy", bytes(range(256))), TRAIN, ("label.npy",)),
    Case("label_header_noise", overwritten("data/train/label.npy", 10, b"\xff" * 40), TRAIN, ("label.npy",)),
    Case("label_kind", array("train/label", "float64", 60), TRAIN, ("label.npy", "float64")),
    Case("label_short", array("train/label", "float32", 10), TRAIN, ("train", "rows")),
    Case("label_square", array("train/label", "float32", 60, 2), TRAIN, ("label.npy",)),
    Case("label_objects", objects, TRAIN, ("label.npy",)),
    Case("label_folder", folder_instead("data/train/label.npy"), TRAIN, ("label.npy",)),
    Case("numeric_kind", array("train/numeric", "int32", 60, 1), TRAIN, ("numeric.npy", "int32")),
    Case("numeric_wide", array("train/numeric", "float32", 60, 4), TRAIN, ("numeric", "data/train")),
    Case("numeric_flat", array("train/numeric", "float32", 60), TRAIN, ("numeric.npy",)),
    Case("categorical_narrow", array("train/categorical", "int32", 60, 1), TRAIN, ("categorical", "data/train")),
    Case("categorical_missing_in_valid", removed("data/valid/categorical.npy"), TRAIN, ("categorical.npy",)),
    Case("train_missing", removed("data/train"), TRAIN, ("train",)),
    Case("valid_missing", removed("data/valid"), TRAIN, ("valid",)),
    Case("search_without_train", removed("data/train"), SEARCH, ("train",)),
    Case("search_with_short_labels", array("train/label", "float32", 10), SEARCH, ("train", "rows")),
    Case("vocabulary_missing", removed("data/vocabulary"), (*PREDICT[:-1], "train"), ("vocabular",)),
    Case(
        "vocabulary_garbage",
        written("data/vocabulary/000.parquet", "no parquet"),
        (*PREDICT[:-1], "train"),
        ("000.parquet",),
    ),
    Case("vocabulary_swapped", lambda place: _swap(place / "data/vocabulary"), PREDICT, ("vocabular",)),
    Case("prepared_again_elsewhere", nothing, (*PREPARE, "--out", "other"), ("other",)),
    Case("columns_name_list", columns("name", to=["x"]), DESCRIBED, ("columns.yaml", "name")),
    _described("name_empty", "name", to="", names=("name",)),
    _described("name_long", "name", to="n" * 300, names=("name",)),
    _described("fields_empty", "fields", to=[], names=("fields",)),
    _described("fields_mapping", "fields", to={"price": "numeric"}, names=("fields",)),
    _described("field_text", "fields", 0, to="price", names=("fields.0",)),
    _described("field_kind", "fields", 0, "kind", to="dense", names=("fields.0", "kind")),
    _described("field_kind_list", "fields", 0, "kind", to=["numeric"], names=("fields.0", "kind")),
    _described("field_key", "fields", 0, "sdt", to=1, names=("sdt",)),
    _described("field_twice", "fields", 1, "name", to="price", names=("price",)),
    _described("size_huge", "fields", 1, "vocabulary_size", to=2**40, names=("vocabulary_size",)),
    _described("size_text", "fields", 1, "vocabulary_size", to="10", names=("vocabulary_size",)),
    _described("std_negative", "fields", 0, "std", to=-1, names=("std",)),
    _described("mean_not_a_number", "fields", 0, "mean", to=float("nan"), names=("mean",)),
    _described("mean_boolean", "fields", 0, "mean", to=True, names=("mean",)),
    Case("columns_bomb", written("columns.yaml", BOMB + "name: *i\nfields: *i\n"), DESCRIBED, ("columns.yaml",)),
    Case(
        "columns_latin1", written("columns.yaml", "fields: [caf\u00e9]".encode("latin-1")), DESCRIBED, ("columns.yaml",)
    ),
    Case("columns_deep", written("columns.yaml", "fields: " + "[" * 900), DESCRIBED, ("columns.yaml",)),
    Case(
        "columns_json_cut",
        written("columns.json", '{"fields": ['),
        ("create", "study.yaml", "--set", "data=columns.json"),
        ("columns.json",),
    ),
    Case(
        "columns_json_huge",
        written("columns.json", '{"fields": [{"name": "a", "kind": "numeric", "mean": 1' + "0" * 400 + "}]}"),
        ("create", "study.yaml", "--set", "data=columns.json"),
        ("mean",),
    ),
    Case(
        "columns_trained",
        columns("name", to="clicks"),
        (*SEARCH, "--set", "data=columns.yaml"),
        ("columns.yaml", "without rows"),
    ),
]


def _swap(folder: Path) -> None:
    first, second = folder / "000.parquet", folder / "001.parquet"
    content = first.read_bytes()
    first.write_bytes(second.read_bytes() + b"x")
    second.write_bytes(content)
