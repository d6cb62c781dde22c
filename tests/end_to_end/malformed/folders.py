"""Malformed folders with `fields.json`, and malformed copies of published files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tests.end_to_end.malformed.case import (
    Case,
    Spoil,
    both,
    cut,
    dangling,
    folder_instead,
    nothing,
    overwritten,
    removed,
    written,
)
from tests.end_to_end.malformed.published_files import AVAZU_HEADER, avazu_line, criteo_line, kdd12_line

FOLDER = ("data", "prepare", "fields", "--out", "made")
CACHED = ("data", "prepare", "fields")


def _recipe(name: str, *more: str) -> tuple[str, ...]:
    return (
        "data",
        "prepare",
        name,
        "--from",
        f"raw/{name.partition('-')[0]}",
        "--minimum-count",
        "1",
        "--out",
        "made",
        *more,
    )


def column(part: str, name: str, values: Sequence[object] | None) -> Spoil:
    """Puts other values into a column of a part."""

    def spoil(place: Path) -> None:
        path = place / "fields" / f"{part}.parquet"
        frame = pl.read_parquet(path)
        new = frame.drop(name) if values is None else frame.with_columns(pl.Series(name, values, strict=False))
        new.write_parquet(path)

    return spoil


def lines(name: str, *added: str) -> Spoil:
    """Adds lines to a text."""

    def spoil(place: Path) -> None:
        path = place / "raw" / name
        path.write_text(path.read_text(encoding="utf-8") + "".join(f"{line}\n" for line in added), encoding="utf-8")

    return spoil


def _line(line: str, at: int, value: str, separator: str = "\t") -> str:
    parts = line.split(separator)
    parts[at] = value
    return separator.join(parts)


FIELDS: list[tuple[str, str | bytes, tuple[str, ...]]] = [
    ("empty", "", ("fields.json",)),
    ("cut", '{"I1": {"kind": "den', ("fields.json",)),
    ("null", "null", ("fields.json",)),
    ("list", "[]", ("fields.json",)),
    ("nothing", "{}", ("fields.json",)),
    ("utf16", '{"I1": {}}'.encode("utf-16"), ("fields.json",)),
    ("noise", bytes(range(256)), ("fields.json",)),
    ("deep", "[" * 100_000, ("fields.json",)),
    ("kind_missing", '{"I1": {}}', ("I1",)),
    ("kind_unknown", '{"I1": {"kind": "numeric"}}', ("I1", "numeric")),
    ("kind_reserved", '{"I1": {"kind": "sequence"}}', ("I1", "sequence")),
    ("kind_list", '{"I1": {"kind": ["dense"]}}', ("I1",)),
    ("facts_text", '{"I1": "dense"}', ("I1",)),
    ("column_unknown", '{"I9": {"kind": "dense"}}', ("I9",)),
    ("column_null_character", '{"I\\u0000": {"kind": "dense"}}', ("train.parquet",)),
    ("column_surrogate", '{"\\ud800": {"kind": "dense"}}', ("fields",)),
    ("label_as_field", '{"label": {"kind": "dense"}}', ("label",)),
]

CASES: list[Case] = [
    *(Case(f"fields_{name}", written("fields/fields.json", text), FOLDER, names) for name, text, names in FIELDS),
    Case("fields_folder_instead", folder_instead("fields/fields.json"), FOLDER, ("fields",)),
    Case("fields_dangling", dangling("fields/fields.json"), FOLDER, ("fields",)),
    Case("without_train", removed("fields/train.parquet"), FOLDER, ("train.parquet",)),
    Case("without_valid", removed("fields/valid.parquet"), CACHED, ("valid.parquet",)),
    Case("train_cut", cut("fields/train.parquet", 200), CACHED, ("train.parquet",)),
    Case("train_is_csv", written("fields/train.parquet", "label,I1\n0,1\n"), FOLDER, ("train.parquet",)),
    Case("train_is_folder", folder_instead("fields/train.parquet"), FOLDER, ("train.parquet",)),
    Case("train_dangling", dangling("fields/train.parquet"), FOLDER, ("train.parquet",)),
    Case("train_spoiled", overwritten("fields/train.parquet", 4, b"\xee" * 150), FOLDER, ("train.parquet",)),
    Case("valid_lacks_column", column("valid", "C1", None), FOLDER, ("C1", "valid.parquet")),
    Case("train_lacks_label", column("train", "label", None), FOLDER, ("label", "train.parquet")),
    Case("test_lacks_label", column("test", "label", None), FOLDER, ("label", "test.parquet")),
    Case("label_text", column("train", "label", ["yes", "no", "yes", "no"]), FOLDER, ("label", "yes")),
    Case("one_class", column("valid", "label", [1, 1]), FOLDER, ("valid",)),
    Case("dense_text", column("train", "I1", ["a", "b", "c", "d"]), FOLDER, ("I1",)),
    Case("dense_lists", column("train", "I1", [[1.0]] * 4), FOLDER, ("I1",)),
    Case("dense_infinite", column("valid", "I1", [float("inf"), 1.0]), FOLDER, ("I1", "inf")),
    Case("categorical_lists", column("train", "C1", [["a"]] * 4), FOLDER, ("C1",)),
    Case("aux_short", lambda place: _aux(place, "train", {"time_ms": [1]}), FOLDER, ("aux_train.parquet",)),
    Case("aux_without_time", lambda place: _aux(place, "valid", {"other": [1, 2]}), FOLDER, ("time_ms",)),
    Case("aux_missing_in_valid", removed("fields/aux_valid.parquet"), FOLDER, ("aux_valid.parquet",)),
    Case("aux_time_text", lambda place: _aux(place, "train", {"time_ms": ["x"] * 4}), FOLDER, ("time_ms", "x")),
    Case("aux_cut", cut("fields/aux_train.parquet", 50), FOLDER, ("aux_train.parquet",)),
    Case("criteo_missing", nothing, ("data", "prepare", "criteo"), ("criteo", "--from")),
    Case("criteo_elsewhere", nothing, ("data", "prepare", "criteo", "--from", "nowhere"), ("nowhere",)),
    Case("criteo_in_another_folder", nothing, ("data", "prepare", "criteo", "--from", "raw/avazu"), ("train.txt",)),
    Case("criteo_split_unknown", nothing, _recipe("criteo", "--split", "random"), ("random",)),
    Case("criteo_split_time", nothing, _recipe("criteo", "--split", "time"), ("time",)),
    Case("criteo_empty", written("raw/criteo/train.txt", ""), _recipe("criteo"), ("train.txt", "empty")),
    Case(
        "criteo_with_commas",
        written("raw/criteo/train.txt", criteo_line(1).replace("\t", ",") + "\n"),
        _recipe("criteo"),
        ("train.txt", "line 1"),
    ),
    Case("criteo_short_line", lines("criteo/train.txt", "1\t2\t3"), _recipe("criteo"), ("line 41", "40 columns")),
    Case("criteo_long_line", lines("criteo/train.txt", criteo_line(1) + "\tx"), _recipe("criteo"), ("line 41",)),
    Case("criteo_cut", cut("raw/criteo/train.txt", -40), _recipe("criteo"), ("line 40",)),
    Case("criteo_label", lines("criteo/train.txt", _line(criteo_line(1), 0, "-1")), _recipe("criteo"), ("label", "-1")),
    Case(
        "criteo_number", lines("criteo/train.txt", _line(criteo_line(1), 3, "many")), _recipe("criteo"), ("I3", "many")
    ),
    Case(
        "criteo_test_file",
        written("raw/criteo/train.txt", "".join(criteo_line(row).partition("\t")[2] + "\n" for row in range(40))),
        _recipe("criteo"),
        ("train.txt",),
    ),
    Case(
        "criteo_latin1",
        written("raw/criteo/train.txt", _line(criteo_line(1), 20, "\u00e9").encode("latin-1")),
        _recipe("criteo"),
        ("train.txt", "0xe9"),
    ),
    Case("criteo_folder_instead", folder_instead("raw/criteo/train.txt"), _recipe("criteo"), ("train.txt",)),
    Case("criteo_dangling", dangling("raw/criteo/train.txt"), _recipe("criteo"), ("train.txt",)),
    Case(
        "criteo_gz_garbage",
        both(removed("raw/criteo/train.txt"), written("raw/criteo/train.txt.gz", "no gzip")),
        _recipe("criteo"),
        ("train.txt.gz",),
    ),
    Case("criteo_noise", written("raw/criteo/train.txt", bytes(range(256)) * 4), _recipe("criteo"), ("train.txt",)),
    Case(
        "criteo_one_class",
        written("raw/criteo/train.txt", "".join(f"{_line(criteo_line(row), 0, '0')}\n" for row in range(40))),
        _recipe("criteo"),
        ("label",),
    ),
    Case(
        "avazu_without_header",
        written("raw/avazu/train.csv", "".join(f"{avazu_line(row)}\n" for row in range(40))),
        _recipe("avazu"),
        ("train.csv",),
    ),
    Case("avazu_header_alone", written("raw/avazu/train.csv", AVAZU_HEADER + "\n"), _recipe("avazu"), ("train",)),
    Case(
        "avazu_without_a_column",
        written("raw/avazu/train.csv", AVAZU_HEADER.replace("C14,", "") + "\n"),
        _recipe("avazu"),
        ("C14",),
    ),
    Case(
        "avazu_hour_short",
        lines("avazu/train.csv", _line(avazu_line(1), 2, "141021", ",")),
        _recipe("avazu"),
        ("hour", "141021"),
    ),
    Case(
        "avazu_hour_impossible",
        lines("avazu/train.csv", _line(avazu_line(1), 2, "14139999", ",")),
        _recipe("avazu"),
        ("hour", "14139999"),
    ),
    Case(
        "avazu_hour_text",
        lines("avazu/train.csv", _line(avazu_line(1), 2, "noontime", ",")),
        _recipe("avazu"),
        ("hour", "noontime"),
    ),
    Case("avazu_hour_missing", lines("avazu/train.csv", _line(avazu_line(1), 2, "", ",")), _recipe("avazu"), ("hour",)),
    Case("avazu_short_line", lines("avazu/train.csv", "1,2,3"), _recipe("avazu"), ("line 42",)),
    Case("avazu_click", lines("avazu/train.csv", _line(avazu_line(1), 1, "5", ",")), _recipe("avazu"), ("click", "5")),
    Case("kdd12_without_profile", removed("raw/kdd12/userid_profile.txt"), _recipe("kdd12"), ("userid_profile.txt",)),
    Case("kdd12_empty_profile", written("raw/kdd12/userid_profile.txt", ""), _recipe("kdd12"), ("userid_profile.txt",)),
    Case(
        "kdd12_blank_profile",
        written("raw/kdd12/userid_profile.txt", "\n\n"),
        _recipe("kdd12"),
        ("userid_profile.txt",),
    ),
    Case(
        "kdd12_profile_text",
        written("raw/kdd12/userid_profile.txt", "1\tmale\t3\n"),
        _recipe("kdd12"),
        ("gender", "male"),
    ),
    Case(
        "kdd12_profile_large",
        written("raw/kdd12/userid_profile.txt", "1\t999\t3\n"),
        _recipe("kdd12"),
        ("gender", "999"),
    ),
    Case(
        "kdd12_profile_short",
        written("raw/kdd12/userid_profile.txt", "1\t2\n"),
        _recipe("kdd12"),
        ("userid_profile.txt",),
    ),
    Case(
        "kdd12_click_negative",
        lines("kdd12/training.txt", _line(kdd12_line(1), 0, "-1")),
        _recipe("kdd12"),
        ("click", "-1"),
    ),
    Case(
        "kdd12_user_text",
        lines("kdd12/training.txt", _line(kdd12_line(1), 11, "me")),
        _recipe("kdd12"),
        ("userID", "me"),
    ),
    Case(
        "kdd12_user_huge",
        lines("kdd12/training.txt", _line(kdd12_line(1), 11, "9" * 40)),
        _recipe("kdd12"),
        ("userID",),
    ),
    Case("kdd12_short_line", lines("kdd12/training.txt", "1\t2"), _recipe("kdd12"), ("line 41",)),
    Case("kdd12_empty", written("raw/kdd12/training.txt", ""), _recipe("kdd12"), ("training.txt",)),
    Case("movielens_without_items", removed("raw/movielens/ml-100k.item"), _recipe("movielens-100k"), ("movielens",)),
    Case(
        "movielens_rating_text",
        lines("movielens/ml-100k.inter", "1\t10\tgood\t100"),
        _recipe("movielens-100k"),
        ("movielens",),
    ),
    Case("movielens_short_line", lines("movielens/ml-100k.inter", "1\t10"), _recipe("movielens-100k"), ("movielens",)),
    Case("movielens_empty", written("raw/movielens/ml-100k.inter", ""), _recipe("movielens-100k"), ("ml-100k.inter",)),
    Case(
        "movielens_not_a_zip",
        written("ml.zip", "no zip"),
        ("data", "prepare", "movielens-100k", "--from", "ml.zip"),
        ("ml.zip",),
    ),
    Case("movielens_nowhere", nothing, ("data", "prepare", "movielens-100k", "--from", "nowhere"), ("nowhere",)),
]


def _aux(place: Path, part: str, columns: dict[str, list[object]]) -> None:
    pl.DataFrame(columns).write_parquet(place / "fields" / f"aux_{part}.parquet")
