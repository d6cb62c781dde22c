"""Source: one csv, tsv, txt (tab) or parquet table, described by a small YAML file; texts may be gzipped.

    table: clicks.csv
    label: click
    dense: [price]
    categorical: [user, item]
    time: when
    split: {valid: 0.1, test: 0.1}

Optional: `time`, `split`, `minimum_count`, `name`, and `columns`: the names of all columns in order, for a text
without a header. Paths resolve against the folder of the YAML file.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from evaluators._datasets.columns import Columns
from evaluators._datasets.dataset import Facts
from evaluators._datasets.files import open_table, read_frames
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.source import Chunk, Source
from evaluators._datasets.split import ByHash, ByTime, Shares, Split
from evaluators._errors import DataError
from evaluators._plain_yaml import plain_yaml
from searchspaces import did_you_mean

SUFFIXES = (".yaml", ".yml")
LONGEST_NAME = 200
KEYS = ("table", "label", "dense", "categorical", "time", "split", "minimum_count", "name", "columns")


@dataclass(frozen=True)
class Description:
    """What the YAML file says, checked."""

    name: str
    table: Path
    columns: Columns
    shares: Shares
    minimum_count: int
    names: tuple[str, ...] | None = None


def read_description(path: Path, *, label: str | None = None) -> Description:
    """Reads and checks a description; the table itself is not opened.

    `label` is the label column of a description that names none; by default each must name one.

    Raises:
        DataError: names every mistake of the file at once.
    """
    try:
        content = plain_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"a table needs a readable YAML description, but {path} is not ({error})") from error
    if not isinstance(content, dict):
        held = reprlib.repr(content)
        raise DataError(f"a description maps keys to values ({', '.join(KEYS)}), but {path} holds {held}")
    content = content if label is None else {"label": label, **content}
    mistakes = list(_mistakes(content))
    if mistakes:
        raise DataError(f"{path} has {len(mistakes)} mistake(s):\n" + "\n".join(f"- {one}" for one in mistakes))
    columns = Columns(
        label=content["label"],
        dense=tuple(content.get("dense") or ()),
        categorical=tuple(content.get("categorical") or ()),
        time=content.get("time"),
    )
    return Description(
        name=content.get("name", path.stem),
        table=path.parent / content["table"],
        columns=columns,
        shares=Shares(**(content.get("split") or {})),
        minimum_count=content.get("minimum_count", 2),
        names=tuple(content["columns"]) if content.get("columns") else None,
    )


def read_described(description: Description, *, minimum_count: int, seed: int) -> Source:
    """Opens the table; it is divided by time where a time column is named, else by a hash of the row number."""
    columns, shares = description.columns, description.shares
    split: Split = ByHash(shares, seed) if columns.time is None else ByTime(shares)
    facts = Facts(
        name=description.name,
        label=columns.label,
        time_column=columns.time,
        split=split.facts,
        minimum_count=minimum_count,
        source=f"table {description.table.name}",
    )
    return Source(lambda: (Chunk(frame) for frame in read_rows(description)), columns, facts, split)


def read_rows(description: Description, *, needs_label: bool = True) -> Iterator[pl.DataFrame]:
    """All rows, typed, as they stand in the file; without `needs_label` the table may lack its label.

    Raises:
        DataError: the table breaks a rule.
    """
    columns = description.columns
    reader = RowReader(columns, needs_label=needs_label)
    table = open_table(description.table, description.names)
    optional = () if needs_label else (columns.label,)
    for frame, origin in read_frames(table, columns.names, file=description.table, optional=optional):
        yield reader.read(frame, origin)


def _mistakes(content: Mapping[Any, Any]) -> Iterator[str]:
    for key in content:
        if key not in KEYS:
            yield f"unknown key {key!r}; {did_you_mean(str(key), KEYS)}"
    for key in ("table", "label"):
        if not isinstance(content.get(key), str) or not content[key]:
            yield f"{key} must be a text, but is {reprlib.repr(content.get(key))}"
    for key in ("time", "name"):
        if not isinstance(content.get(key, ""), str | None):
            yield f"{key} must be a text, but is {reprlib.repr(content[key])}"
    yield from _name_mistakes(content.get("name"))
    yield from _column_mistakes(content)
    yield from _split_mistakes(content.get("split"))
    count = content.get("minimum_count", 2)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        yield f"minimum_count must be a whole number of at least 1, but is {count!r}"


def _name_mistakes(name: object) -> Iterator[str]:
    if isinstance(name, str) and not 0 < len(name) <= LONGEST_NAME:
        yield f"name must have 1 to {LONGEST_NAME} characters, but has {len(name)}"


def _column_mistakes(content: Mapping[Any, Any]) -> Iterator[str]:
    named: list[str] = []
    for key in ("dense", "categorical", "columns"):
        value = content.get(key) or []
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            named += value if key != "columns" else ()
        else:
            yield f"{key} must be a list of column names, but is {reprlib.repr(value)}"
            return
    if not named:
        yield "dense or categorical must name at least one column, but both are empty"
    used = [*named, content.get("label"), content.get("time")]
    for name in _repeated(used):
        yield f"a column plays one part, but {name!r} is named {used.count(name)} times"
    for name in _repeated(content.get("columns") or []):
        yield f"each column needs a name of its own, but columns has {name!r} twice"


def _repeated(names: Sequence[Any]) -> list[str]:
    return sorted({one for one in names if isinstance(one, str) and names.count(one) > 1})


def _split_mistakes(split: object) -> Iterator[str]:
    if split is None:
        return
    if not isinstance(split, dict):
        yield f"split must be like {{valid: 0.1, test: 0.1}}, but is {reprlib.repr(split)}"
        return
    for key in split:
        if key not in ("valid", "test"):
            yield f"unknown key {key!r} of split; {did_you_mean(str(key), ('valid', 'test'))}"
    valid, test = split.get("valid", 0.1), split.get("test", 0.1)
    if any(isinstance(share, bool) or not isinstance(share, int | float) for share in (valid, test)):
        yield f"the shares of split must be numbers, but are {valid!r} and {test!r}"
    elif not (valid > 0 and test >= 0 and valid + test < 1):
        yield f"split must leave rows for train and valid, but valid is {valid!r} and test is {test!r}"
