"""Rows of trials are read from every kind of file, and a file that cannot be read is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from searchspaces import Candidate, Options, SpaceError
from searchspaces.trial_rows import candidate_of, read_rows


def test_lines_of_json_and_parquet_give_the_same_rows_packed_or_not(tmp_path: Path) -> None:
    rows = [{"rate": 0.5, "act": "relu"}, {"rate": 1.0, "act": "tanh"}]
    text = '{"rate": 0.5, "act": "relu"}\n{"rate": 1.0, "act": "tanh"}\n'
    (tmp_path / "t.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(text.encode("utf-8")))
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    assert [read_rows(tmp_path / name) for name in ("t.jsonl", "t.jsonl.gz", "t.parquet")] == [rows] * 3


def test_an_empty_line_is_a_row_of_nothing_so_that_numbers_of_rows_are_those_of_lines(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"rate": 1}\n\n{"rate": 2}\n', encoding="utf-8")
    assert read_rows(tmp_path / "t.jsonl") == [{"rate": 1}, {}, {"rate": 2}]


def test_cells_of_a_csv_file_stay_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("rate,act\n0.5,relu\n", encoding="utf-8")
    assert read_rows(tmp_path / "t.csv") == [{"rate": "0.5", "act": "relu"}]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"x" * 5000)[:20], "Compressed file ended"),
        (gzip.compress(b"x")[:10] + b"\xff" * 8, "Error -3 while decompressing"),
        (b'{"rate": 1}', "Not a gzipped file"),
    ],
    ids=["cut off", "overwritten", "never packed"],
)
def test_a_broken_packed_file_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "t.jsonl.gz").write_bytes(content)
    with pytest.raises(
        SpaceError, match=rf"packed whole, but .*t\.jsonl\.gz is broken: {why}.*; fetch or pack it again"
    ):
        read_rows(tmp_path / "t.jsonl.gz")


def test_a_candidate_is_whole_or_of_named_columns_or_not_there() -> None:
    whole = Candidate(training=Options(rate=0.5))
    assert candidate_of({"candidate": whole.to_dict()}, "row 1") == whole
    assert candidate_of({"rate": "0.5", "act": "relu"}, "row 1", training=["rate"]) == whole
    assert candidate_of({"rate": "0.5"}, "row 1") is None
    with pytest.raises(SpaceError, match="row 1 has a malformed candidate"):
        candidate_of({"candidate": "{"}, "row 1")
