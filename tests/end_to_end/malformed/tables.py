"""Malformed descriptions of tables, and malformed tables: csv, tsv, parquet, gzipped."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from tests.end_to_end.malformed.case import (
    Case,
    Spoil,
    both,
    cut,
    dangling,
    edited,
    folder_instead,
    gzipped,
    nothing,
    overwritten,
    removed,
    written,
)
from tests.end_to_end.malformed.place import TABLE
from tests.end_to_end.malformed.studies import BOMB

PREPARE = ("data", "prepare", "table.yaml", "--out", "made")
CACHED = ("data", "prepare", "table.yaml")
HEADER = "click,price,user,item,when\n"
ROWS = "".join(f"{row % 2},{row / 4},u{row % 3},{row % 2},{row}\n" for row in range(40))

DESCRIPTIONS: list[tuple[str, str | bytes, tuple[str, ...]]] = [
    ("empty", "", ("table.yaml",)),
    ("scalar", "clicks.csv\n", ("table.yaml", "clicks.csv")),
    ("list", "[clicks.csv]\n", ("table.yaml",)),
    ("tab", "table:\tclicks.csv\n\tlabel: click\n", ("table.yaml",)),
    ("duplicate_key", TABLE + "label: price\n", ("table.yaml", "label")),
    ("open_bracket", TABLE.replace("[price]", "[price"), ("table.yaml",)),
    ("utf16", TABLE.encode("utf-16"), ("table.yaml",)),
    ("latin1", TABLE.replace("click", "cl\u00efck").encode("latin-1"), ("table.yaml",)),
    ("noise", bytes(range(256)), ("table.yaml",)),
    ("null_character", TABLE.replace("click", "cl\0ick"), ("table.yaml",)),
    ("python_tag", TABLE + "name: !!python/object/apply:os.getcwd []\n", ("table.yaml",)),
    ("alias_bomb", TABLE + BOMB, ("table.yaml",)),
    ("alias_bomb_as_list", BOMB + "name: *i\n", ("table.yaml",)),
    (
        "alias_bomb_alone",
        "- &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"- &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)),
        ("table.yaml",),
    ),
    ("own_alias", TABLE + "name: &own [*own]\n", ("table.yaml",)),
    ("deep", "table: " + "[" * 1000, ("table.yaml",)),
    ("number_key", TABLE + "3: 4\n", ("table.yaml", "3")),
    ("list_key", TABLE + "? [a]\n: 4\n", ("table.yaml",)),
    ("hexadecimal_huge", TABLE.replace("minimum_count: 1", f"minimum_count: 0x{'f' * 5000}"), ("table.yaml",)),
    ("long_text", TABLE + f"name: {'x' * 9000}\n", ("name",)),
    ("large_list", "[" + "x, " * 20000 + "x]", ("table.yaml",)),
]

VALUES: list[tuple[str, tuple[str | int, ...], object, tuple[str, ...]]] = [
    ("table_number", ("table",), 3, ("table", "3")),
    ("table_list", ("table",), ["clicks.csv"], ("table",)),
    ("table_empty", ("table",), "", ("table",)),
    ("table_missing", ("table",), "clicked.csv", ("clicked.csv",)),
    ("table_folder", ("table",), "fields", ("fields",)),
    ("table_other_kind", ("table",), "model.json", ("model.json", ".json")),
    ("table_itself", ("table",), "table.yaml", ("table.yaml",)),
    ("table_null_character", ("table",), "a\0b.csv", ("table",)),
    ("table_long", ("table",), "x" * 400 + ".csv", ("xxx",)),
    ("label_null", ("label",), None, ("label",)),
    ("label_missing", ("label",), "clicked", ("clicked", "click")),
    ("label_twice", ("dense",), ["price", "click"], ("click",)),
    ("label_wrong_column", ("label",), "when", ("when",)),
    ("dense_text", ("dense",), "price", ("dense",)),
    ("dense_numbers", ("dense",), [1], ("dense",)),
    ("dense_missing", ("dense",), ["prize"], ("prize", "price")),
    ("dense_is_text", ("dense",), ["price", "user"], ("user", "u")),
    ("categorical_nested", ("categorical",), [["user"]], ("categorical",)),
    ("time_number", ("time",), 7, ("time",)),
    ("time_is_text", ("time",), "user", ("user", "time")),
    ("split_text", ("split",), "random", ("split",)),
    ("split_key", ("split", "train"), 0.5, ("train",)),
    ("split_share_text", ("split", "valid"), "half", ("half",)),
    ("split_nothing_left", ("split",), {"valid": 0.5, "test": 0.5}, ("split",)),
    ("split_negative", ("split", "test"), -0.1, ("-0.1",)),
    ("split_not_a_number", ("split", "valid"), float("nan"), ("nan",)),
    ("split_infinite", ("split", "valid"), float("inf"), ("inf",)),
    ("split_tiny", ("split", "valid"), 1e-9, ("valid",)),
    ("count_zero", ("minimum_count",), 0, ("minimum_count",)),
    ("count_boolean", ("minimum_count",), True, ("minimum_count",)),
    ("count_text", ("minimum_count",), "two", ("minimum_count",)),
    ("name_list", ("name",), ["x"], ("name",)),
    ("columns_short", ("columns",), ["click", "price"], ("user",)),
    ("columns_doubled", ("columns",), ["click", "price", "user", "item", "when", "when"], ("when",)),
    ("unknown_key", ("lable",), "click", ("lable", "label")),
]


def parquet(name: str, **columns: object) -> Spoil:
    """A parquet file of 40 rows in which some columns are others; None leaves a column out."""
    base = {
        "click": [row % 2 for row in range(40)],
        "price": [row / 4 for row in range(40)],
        "user": [f"u{row % 3}" for row in range(40)],
        "item": [row % 2 for row in range(40)],
        "when": list(range(40)),
    }
    kept = {key: value for key, value in {**base, **columns}.items() if value is not None}
    stream = io.BytesIO()
    pl.DataFrame(kept, strict=False).write_parquet(stream)
    return both(written(name, stream.getvalue()), edited("table.yaml", "table", to=name))


def _csv(name: str, content: str | bytes, *names: str) -> Case:
    return Case(f"csv_{name}", written("clicks.csv", content), PREPARE, names)


def _renamed_csv(place: Path) -> None:
    (place / "clicks.csv").write_bytes((place / "clicks.parquet").read_bytes())


def _as(name: str, spoil: Spoil) -> Spoil:
    return both(spoil, edited("table.yaml", "table", to=name))


def _parquet_cut(place: Path) -> None:
    raw = (place / "clicks.parquet").read_bytes()
    (place / "clicks.parquet").write_bytes(raw[: len(raw) // 2])


BINARY = [b"\xff\xfe"] * 40
CASES: list[Case] = [
    *(Case(f"description_{name}", written("table.yaml", text), PREPARE, names) for name, text, names in DESCRIPTIONS),
    *(Case(name, edited("table.yaml", *path, to=value), PREPARE, names) for name, path, value, names in VALUES),
    _csv("empty", "", "clicks.csv", "empty"),
    _csv("header_alone", HEADER, "train"),
    _csv("one_row", HEADER + "1,2,u1,1,1\n", "valid"),
    _csv("blank_lines", "\n\n\n", "clicks.csv"),
    _csv("other_separator", (HEADER + ROWS).replace(",", ";"), "clicks.csv"),
    _csv("without_header", ROWS, "click"),
    _csv("doubled_column", HEADER.replace("price", "user") + ROWS, "user", "twice"),
    _csv("short_line", HEADER + ROWS + "1,2,u1\n", "clicks.csv", "42"),
    _csv("long_line", HEADER + ROWS + "1,2,u1,1,1,9\n", "clicks.csv", "42"),
    _csv("blank_line_within", HEADER + ROWS + "\n" + ROWS, "clicks.csv", "42"),
    _csv("open_quote", HEADER + ROWS + '1,2,"u1,1,1\n' + ROWS, "clicks.csv"),
    _csv("open_quote_in_header", '"' + HEADER + ROWS, "clicks.csv", "line 1"),
    _csv("old_line_ends", (HEADER + ROWS).replace("\n", "\r"), "clicks.csv", "line 1"),
    _csv("quote_within", HEADER + ROWS + '1,2,u"1"x,1,1\n' + '1,2,"u"1,1,1\n', "clicks.csv"),
    _csv("latin1", (HEADER + ROWS + "1,2,caf\u00e9,1,1\n").encode("latin-1"), "clicks.csv", "0xe9"),
    _csv("utf16", (HEADER + ROWS).encode("utf-16"), "clicks.csv"),
    _csv("noise", bytes(range(256)) * 8, "clicks.csv"),
    _csv("null_characters", HEADER + ROWS.replace("u1", "\0").replace("1.0", "\0"), "clicks.csv"),
    _csv("huge_field", HEADER + ROWS + f"1,{'9' * 1_000_000},u1,1,1\n", "price"),
    _csv("number_text", HEADER + ROWS + "1,cheap,u1,1,1\n", "price", "cheap"),
    _csv("number_infinite", HEADER + ROWS + "1,inf,u1,1,1\n", "price", "inf"),
    _csv("number_beyond_float", HEADER + ROWS + "1,1e999,u1,1,1\n", "price", "1e999"),
    _csv("number_with_comma", HEADER + ROWS + '1,"1,5",u1,1,1\n', "price", "1,5"),
    _csv("label_two", HEADER + ROWS + "2,1,u1,1,1\n", "click", "'2'"),
    _csv("label_missing", HEADER + ROWS + ",1,u1,1,1\n", "click"),
    _csv("label_not_a_number", HEADER + ROWS + "nan,1,u1,1,1\n", "click", "nan"),
    _csv("one_class", HEADER + ROWS.replace("\n1,", "\n0,"), "click"),
    _csv("time_missing", HEADER + ROWS + "1,1,u1,1,\n", "when"),
    _csv("time_text", HEADER + ROWS + "1,1,u1,1,soon\n", "when", "soon"),
    _csv("time_infinite", HEADER + ROWS + "1,1,u1,1,inf\n", "when"),
    _csv("one_instant", HEADER + "".join(f"{row % 2},1,u1,1,5\n" for row in range(40)), "train"),
    _csv("html", "<html><body>Not found</body></html>\n", "clicks.csv"),
    Case("csv_missing", removed("clicks.csv"), PREPARE, ("clicks.csv",)),
    Case("csv_missing_cached", removed("clicks.csv"), CACHED, ("clicks.csv",)),
    Case("csv_folder", folder_instead("clicks.csv"), PREPARE, ("clicks.csv",)),
    Case("csv_dangling", dangling("clicks.csv"), CACHED, ("clicks.csv",)),
    Case(
        "csv_in_search",
        written("clicks.csv", HEADER + ROWS + "2,1,u1,1,1\n"),
        ("search", "study.yaml", "--set", "data=table.yaml"),
        ("click",),
    ),
    Case(
        "csv_in_create",
        written("clicks.csv", ""),
        ("create", "study.yaml", "--set", "data=table.yaml"),
        ("clicks.csv",),
    ),
    Case("tsv_with_commas", _as("t.tsv", written("t.tsv", HEADER + ROWS)), PREPARE, ("t.tsv",)),
    Case("gz_garbage", _as("c.csv.gz", written("c.csv.gz", "no gzip at all")), PREPARE, ("c.csv.gz",)),
    Case("gz_empty", _as("c.csv.gz", written("c.csv.gz", b"")), PREPARE, ("c.csv.gz",)),
    Case("gz_of_nothing", _as("c.csv.gz", gzipped("c.csv.gz", "")), PREPARE, ("c.csv.gz",)),
    Case(
        "gz_cut",
        _as("c.csv.gz", both(gzipped("c.csv.gz", HEADER + ROWS), cut("c.csv.gz", -30))),
        PREPARE,
        ("c.csv.gz",),
    ),
    Case(
        "gz_wrong_sum",
        _as("c.csv.gz", both(gzipped("c.csv.gz", HEADER + ROWS), overwritten("c.csv.gz", 60, b"\0\0\0"))),
        PREPARE,
        ("c.csv.gz",),
    ),
    Case(
        "gz_trailing_garbage",
        _as("c.csv.gz", both(gzipped("c.csv.gz", HEADER + ROWS), lambda place: _append(place / "c.csv.gz"))),
        PREPARE,
        ("c.csv.gz",),
    ),
    Case("gz_named_csv", gzipped("clicks.csv", HEADER + ROWS), PREPARE, ("clicks.csv",)),
    Case("parquet_garbage", _as("p.parquet", written("p.parquet", "PAR1 and no more")), PREPARE, ("p.parquet",)),
    Case("parquet_empty", _as("p.parquet", written("p.parquet", b"")), PREPARE, ("p.parquet",)),
    Case("parquet_cut", _as("clicks.parquet", _parquet_cut), PREPARE, ("clicks.parquet",)),
    Case(
        "parquet_spoiled_pages",
        _as("clicks.parquet", overwritten("clicks.parquet", 4, b"\xff" * 200)),
        PREPARE,
        ("clicks.parquet",),
    ),
    Case(
        "parquet_spoiled_footer",
        _as("clicks.parquet", _spoiled_footer := lambda place: _footer(place / "clicks.parquet")),
        PREPARE,
        ("clicks.parquet",),
    ),
    Case(
        "parquet_named_csv",
        _renamed_csv,
        PREPARE,
        ("clicks.csv",),
    ),
    Case(
        "parquet_with_columns",
        both(parquet("p.parquet"), edited("table.yaml", "columns", to=["click"])),
        PREPARE,
        ("columns", "p.parquet"),
    ),
    Case("parquet_without_label", parquet("p.parquet", click=None), PREPARE, ("click",)),
    Case("parquet_label_null", parquet("p.parquet", click=[None] * 40), PREPARE, ("click",)),
    Case("parquet_label_lists", parquet("p.parquet", click=[[1]] * 40), PREPARE, ("click",)),
    Case(
        "parquet_price_dates",
        parquet("p.parquet", price=pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 9), eager=True)),
        PREPARE,
        ("price",),
    ),
    Case("parquet_price_infinite", parquet("p.parquet", price=[float("inf")] * 40), PREPARE, ("price", "inf")),
    Case("parquet_user_lists", parquet("p.parquet", user=[["a"]] * 40), PREPARE, ("user",)),
    Case("parquet_user_mappings", parquet("p.parquet", user=[{"a": 1}] * 40), PREPARE, ("user",)),
    Case("parquet_user_binary", parquet("p.parquet", user=pl.Series(BINARY, dtype=pl.Binary)), PREPARE, ("user",)),
    Case("parquet_time_lists", parquet("p.parquet", when=[[1]] * 40), PREPARE, ("when",)),
    Case("parquet_time_binary", parquet("p.parquet", when=pl.Series(BINARY, dtype=pl.Binary)), PREPARE, ("when",)),
    Case(
        "parquet_time_durations", parquet("p.parquet", when=pl.Series(range(40), dtype=pl.Duration)), PREPARE, ("when",)
    ),
    Case("parquet_time_of_day", parquet("p.parquet", when=pl.Series(range(40), dtype=pl.Time)), PREPARE, ("when",)),
    Case("parquet_time_null", parquet("p.parquet", when=[None] * 40), PREPARE, ("when",)),
    Case("parquet_no_rows", parquet("p.parquet", click=[], price=[], user=[], item=[], when=[]), PREPARE, ("train",)),
    Case("long_name_cached", edited("table.yaml", "name", to="n" * 300), CACHED, ("name", "300")),
    Case("count_huge", nothing, ("data", "prepare", "table.yaml", "--minimum-count", "9" * 30), ("999",)),
    Case("unknown_source", nothing, ("data", "prepare", "critoe"), ("critoe", "criteo")),
    Case("empty_source", nothing, ("data", "prepare", ""), ("has neither",)),
    Case("long_source", nothing, ("data", "prepare", "x" * 5000), ("xxx",)),
    Case("folder_without_schema", nothing, ("data", "prepare", "raw"), ("raw", "fields.json")),
    Case("file_of_no_kind", nothing, ("data", "prepare", "model.txt"), ("model.txt",)),
    Case("options_of_a_table", nothing, ("data", "prepare", "table.yaml", "--split", "time"), ("table.yaml",)),
    Case("copy_of_a_table", nothing, ("data", "prepare", "table.yaml", "--from", "raw"), ("table.yaml",)),
    Case("out_holds_something_else", nothing, ("data", "prepare", "table.yaml", "--out", "raw"), ("raw",)),
    Case("out_is_a_file", nothing, ("data", "prepare", "table.yaml", "--out", "clicks.csv"), ("clicks.csv",)),
    Case("out_below_a_file", nothing, ("data", "prepare", "table.yaml", "--out", "clicks.csv/made"), ("clicks.csv",)),
    Case(
        "out_holds_other_data",
        edited("table.yaml", "dense", to=[]),
        ("data", "prepare", "table.yaml", "--out", "data"),
        ("data",),
    ),
    Case(
        "out_on_a_read_only_system", nothing, ("data", "prepare", "table.yaml", "--out", "/proc/made"), ("/proc/made",)
    ),
    Case("out_long", nothing, ("data", "prepare", "table.yaml", "--out", "x" * 300), ("xxx",)),
    Case("count_of_zero", nothing, ("data", "prepare", "table.yaml", "--minimum-count", "0"), ("--minimum-count",)),
    Case(
        "cache_is_a_file", lambda place: both(removed("home"), written("home", "no folder"))(place), CACHED, ("home",)
    ),
]


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"not gzip any more")


def _footer(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-40:-8] = b"\xff" * 32
    path.write_bytes(raw)
