"""Recipe `avazu`: mobile ads of ten days, as given out for the Kaggle contest of 2014 by Avazu.

`train.csv`, with a header; `hour` is YYMMDDHH. `id` names the row and is left out; `hour` becomes the hour of the
day, the day of the week and whether it is a weekend, as in the published preparations (the rows' own time splits
them and orders them, and is no field). All fields are categorical. By default the last tenth tests, whole hours
at a time; `split: stratified` is the published random split, which lets a model see the hours that it is tested on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from evaluators._datasets.columns import Columns, Origin, require_columns
from evaluators._datasets.dataset import Facts
from evaluators._datasets.files import open_text
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.published import find_files, split_rule
from evaluators._datasets.source import Chunk, Options, Source
from evaluators._errors import DataError

NAME = "avazu"
FILES = ("train.csv",)
PLAIN = (
    *("C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category"),
    *("device_id", "device_ip", "device_model", "device_type", "device_conn_type"),
    *(f"C{number}" for number in range(14, 22)),
)
COLUMNS = Columns("click", (), ("hour", "weekday", "is_weekend", *PLAIN), "time")
MINIMUM_COUNT = 5
"""AutoCTR (Song et al., 2020) gives an id of its own to what is seen at least five times."""

MEANINGS = {
    "hour": "hour of the day",
    "weekday": "day of the week, 0 is Monday",
    "is_weekend": "1 on Saturday and Sunday",
}


def read_avazu(*, minimum_count: int, seed: int, copy: Path | None, options: Options) -> Source:
    """The recipe; `copy` is `train.csv`, plain or gzipped, or its folder.

    Raises:
        DataError: the file is not there, or an option is wrong.
    """
    split = split_rule(NAME, options, default="time", seed=seed, has_time=True)
    [file] = avazu_files(copy)
    facts = Facts(
        name=NAME,
        label=COLUMNS.label,
        time_column=COLUMNS.time,
        split=split.facts,
        minimum_count=minimum_count,
        source=f"Avazu mobile ads (Kaggle 2014), own copy of {file.name}",
        licence="terms of the contest",
        meanings=MEANINGS,
    )
    return Source(lambda: _chunks(file), COLUMNS, facts, split)


def avazu_files(copy: Path | None) -> list[Path]:
    """The file that is read."""
    return find_files(NAME, copy, FILES)


def _chunks(file: Path) -> Iterator[Chunk]:
    text, reader = open_text(file, ","), RowReader(COLUMNS)
    wanted = (COLUMNS.label, "hour", *PLAIN)
    require_columns(wanted, text.column_names(), file=file)
    for frame, origin in text.frames(wanted):
        yield Chunk(reader.read(_with_calendar(frame, origin), origin))


def _with_calendar(frame: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    hour = frame["hour"]
    time = (hour + "00").str.strptime(pl.Datetime("ms"), "%y%m%d%H%M", strict=False)
    wrong = time.is_null() | (hour.str.len_bytes() != 8).fill_null(True)
    if wrong.any():
        row = wrong.arg_max() or 0
        raise DataError(
            f"the hour of an Avazu row is YYMMDDHH, but column 'hour' of {origin.file} has {hour[row]!r} in "
            f"{origin.place(row)}; mend the line"
        )
    weekday = time.dt.weekday() - 1
    return frame.with_columns(
        hour=time.dt.hour().cast(pl.String),
        weekday=weekday.cast(pl.String),
        is_weekend=(weekday >= 5).cast(pl.Int8).cast(pl.String),
        time=time,
    )
