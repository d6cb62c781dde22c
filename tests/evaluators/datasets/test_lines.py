"""Delimited text is read in whole lines; a line that is wrong is named by its number."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluators import DataError
from evaluators._datasets import lines
from evaluators._datasets.lines import Text


def read(path: Path, content: bytes, *, names: tuple[str, ...] | None = None, quoted: bool = True) -> pl.DataFrame:
    path.write_bytes(content)
    text = Text(path, ",", names, quoted)
    frames = [frame for frame, _ in text.frames(text.column_names())]
    return pl.concat(frames) if frames else pl.DataFrame(schema=text.column_names())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


PLAIN = [("1", "x"), (None, "y")]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n,y\n",
        b"a,b\n1,x\n,y",
        b"a,b\r\n1,x\r\n,y\r\n",
        b"\xef\xbb\xbfa,b\n1,x\n,y\n\n\r\n\n",
        b'a,"b"\n"1",x\n,"y"\n',
    ],
)
def test_line_ends_marks_and_quotes_make_no_difference(file: Path, content: bytes) -> None:
    assert read(file, content).rows() == PLAIN
    assert read(file, content).columns == ["a", "b"]


def test_a_quoted_value_may_hold_separators_quotes_and_line_breaks(file: Path) -> None:
    assert read(file, b'a,b\n"1,5","say ""yes""\nor no"\n2,\n').rows() == [("1,5", 'say "yes"\nor no'), ("2", None)]


def test_without_quoting_a_quote_is_a_character(file: Path) -> None:
    assert read(file, b'1,5" pipe\n2,"x\n', names=("a", "b"), quoted=False).rows() == [("1", '5" pipe'), ("2", '"x')]


def test_a_gzipped_text_is_read_as_it_is(tmp_path: Path) -> None:
    assert read(tmp_path / "rows.csv.gz", gzip.compress(b"a,b\n1,x\n,y\n")).rows() == PLAIN


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.text('ab",\n', max_size=5), st.text("ab", min_size=1)), min_size=1), st.integers(1, 40))
def test_blocks_of_any_size_give_the_same_rows(tmp_path: Path, rows: list[tuple[str, str]], size: int) -> None:
    quoted = [(value.replace('"', '""'), other) for value, other in rows]
    content = "a,b\n" + "".join(f'"{value}",{other}\n' for value, other in quoted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", size)
        assert read(tmp_path / "rows.csv", content.encode()).rows() == rows


@pytest.mark.parametrize("size", [4, 1 << 20])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a,b\n1,2\n3\n", r"each line needs 2 columns \(a, b\), but line 3 of .*rows.csv has 1; mend the line"),
        (b"a,b\n1,2\n3,4,5\n", r"line 3 of .*rows.csv has 3; mend the line"),
        (b"a,b\n1,2\n\n3,4\n", r"line 3 of .*rows.csv has 1; mend the line"),
        (b"a,b\n1,2\n\n\n\n3,4\n", r"line 3 of .*rows.csv has 1; mend the line"),
        (
            b"a,b\n1,2\n3,\xff\n",
            r"must be UTF-8, but line 3 of .*rows.csv holds the byte 0xff; write the file as UTF-8",
        ),
        (b"", r"a table needs rows, but .*rows.csv is empty; check that it is the right file"),
        (b"a,a\n1,2\n", r"each column needs a name of its own, but .*rows.csv has 'a' twice; rename one"),
        (b'a,b\n"x\ny",2\n3\n', r"but row 2 of .*rows.csv has 1; mend the line"),
    ],
)
def test_a_wrong_line_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, complaint: str, size: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", size)
    with pytest.raises(DataError, match=complaint):
        read(file, content)


def test_a_quote_inside_an_unquoted_value_is_refused(file: Path) -> None:
    with pytest.raises(DataError, match=r"needs quotes that close, but .*rows.csv has others near row 1 .*; double"):
        read(file, b'a,b\n1,5" pipe\n2,6" pipe\n')


@pytest.mark.parametrize("content", [b'"a,b\n1,2\n', b'"\n'])
def test_a_quote_that_the_first_line_never_closes_is_named(file: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"a text table needs quotes that close, but .*rows.csv has others near line 1"):
        read(file, content)


@pytest.mark.parametrize("content", [b"a,b\r1,2\r", b"a," + b"b" * 200_000 + b"\n1,2\n"])
def test_a_first_line_that_names_no_columns_is_refused(file: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"begins with the names of its columns, but line 1 of .*rows.csv is no such"):
        read(file, content)


def test_a_wide_table_is_named_by_its_first_and_last_columns(file: Path) -> None:
    with pytest.raises(DataError, match=r"needs 9 columns \(c0, c1, c2, ..., c8\), but line 1"):
        read(file, b"1,2\n", names=tuple(f"c{number}" for number in range(9)))


def test_a_line_without_end_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE_BYTES", 100)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 64)
    with pytest.raises(DataError, match=r"a line has at most 100 bytes, but .*rows.csv has a longer one; check that"):
        read(file, b'a,b\n"' + b"1,2\n" * 100)


@pytest.mark.parametrize(
    "content", [b"not gzip", gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-12]], ids=["other", "cut"]
)
def test_a_damaged_gzip_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"must be a readable parquet or csv file, but .*rows.csv.gz cannot be read"):
        read(tmp_path / "rows.csv.gz", content)
