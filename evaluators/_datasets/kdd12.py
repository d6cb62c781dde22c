"""Recipe `kdd12`: ads beside a search engine's answers, track 2 of the KDD Cup 2012, given out by Tencent soso.

`training.txt` (tab-separated, no header) has one row for each user, query, ad and place, with how often the ad was
shown and clicked; `userid_profile.txt` has gender and age of users. A row counts as positive if it was clicked at
all, as in the published tables: the rate is one of rows, not of impressions, and `impression`, which is a field
there as here, tells of it (a row shown 500 times and clicked once is as positive as one shown and clicked once).
Users that have no profile get gender and age 0.

The rows have neither time nor a known order, so a hash of the row's number divides them; `split: stratified` is the
published random split. Profiles are held in memory, ten bytes a user, a few times that while they are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns, Origin
from evaluators._datasets.dataset import Facts
from evaluators._datasets.files import open_text
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.published import find_files, split_rule
from evaluators._datasets.source import Chunk, Options, Source
from evaluators._errors import DataError

NAME = "kdd12"
FILES = ("training.txt", "userid_profile.txt")
RAW = (
    *("click", "impression", "displayURL", "adID", "advertiserID", "depth", "position"),
    *("queryID", "keywordID", "titleID", "descriptionID", "userID"),
)
PROFILE = ("userID", "gender", "age")
MOST = {"userID": 2**63 - 1, "gender": 255, "age": 255}
COLUMNS = Columns(
    label="click",
    dense=("impression", "depth", "position"),
    categorical=(
        *("displayURL", "adID", "advertiserID", "queryID", "keywordID", "titleID", "descriptionID", "userID"),
        *("gender", "age"),
    ),
)
MINIMUM_COUNT = 10
"""AutoCTR (Song et al., 2020) gives an id of its own to what is seen at least ten times."""

MEANINGS = {
    "impression": "how often the ad was shown in this row: the more often, the likelier is one click",
    "gender": "of the user; 0 is unknown",
    "age": "age group of the user; 0 is unknown",
}


def read_kdd12(*, minimum_count: int, seed: int, copy: Path | None, options: Options) -> Source:
    """The recipe; `copy` is the folder of both files, or `training.txt` beside the other; each may be gzipped.

    Raises:
        DataError: a file is not there, or an option is wrong.
    """
    split = split_rule(NAME, options, default="hash", seed=seed)
    training, profile = kdd12_files(copy)
    facts = Facts(
        name=NAME,
        label=COLUMNS.label,
        split=split.facts,
        minimum_count=minimum_count,
        source=f"KDD Cup 2012 track 2, own copy of {training.name} and {profile.name}",
        licence="terms of the contest",
        meanings=MEANINGS,
    )
    return Source(lambda: _chunks(training, profile), COLUMNS, facts, split)


def kdd12_files(copy: Path | None) -> list[Path]:
    """The files that are read."""
    return find_files(NAME, copy, FILES)


def _chunks(training: Path, profile: Path) -> Iterator[Chunk]:
    users, reader = _Profiles(profile), RowReader(COLUMNS)
    for frame, origin in open_text(training, "\t", names=RAW).frames(RAW):
        clicks = _whole_numbers(frame["click"], origin)
        joined = frame.with_columns(
            pl.Series("click", clicks > 0),
            *users.of(_whole_numbers(frame["userID"], origin)),
        )
        yield Chunk(reader.read(joined, origin))


class _Profiles:
    """Gender and age by user."""

    def __init__(self, path: Path) -> None:
        found = [
            tuple(_whole_numbers(frame[name], origin, most=MOST[name]) for name in PROFILE)
            for frame, origin in open_text(path, "\t", names=PROFILE).frames(PROFILE)
        ]
        if not found:
            raise DataError(f"profiles of KDD Cup 2012 have a line for each user, but {path} has none; check the file")
        users, genders, ages = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(users, kind="stable")
        self._users = users[order]
        self._facts = np.stack([genders, ages]).astype(np.uint8)[:, order]

    def of(self, users: NDArray[np.int64]) -> list[pl.Series]:
        """The columns gender and age; 0 for users without a profile."""
        place = np.minimum(np.searchsorted(self._users, users), len(self._users) - 1)
        facts = np.where(self._users[place] == users, self._facts[:, place], 0)
        return [pl.Series(name, column).cast(pl.String) for name, column in zip(("gender", "age"), facts, strict=True)]


def _whole_numbers(column: pl.Series, origin: Origin, *, most: int = 2**63 - 1) -> NDArray[np.int64]:
    numbers = column.cast(pl.Int64, strict=False)
    wrong = numbers.is_null() | ((numbers < 0) | (numbers > most)).fill_null(True)
    if wrong.any():
        row = wrong.arg_max() or 0
        raise DataError(
            f"{column.name} of KDD Cup 2012 is a whole number from 0 to {most}, but {origin.file} has {column[row]!r} "
            f"in {origin.place(row)}; mend the line"
        )
    return numbers.to_numpy()
