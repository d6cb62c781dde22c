"""Reads MovieLens 100K in its two published forms: GroupLens' own files and the atomic files of RecBole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from evaluators._datasets.columns import require_columns
from evaluators._errors import DataError

ATOMIC_FILES = ("ml-100k.inter", "ml-100k.user", "ml-100k.item")
ORIGINAL_FILES = ("u.data", "u.user", "u.item")
# The order of the flags in u.item.
GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


@dataclass(frozen=True, eq=False)
class Ratings:
    """The three tables, all ids as text.

    ratings  user_id, item_id, rating (float), timestamp (seconds since 1970)
    users    user_id, age (text), gender, occupation, zip_code
    items    item_id, release_year (text or null), genres (separated by blanks)
    """

    ratings: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame


def read_atomic(content: Mapping[str, bytes], copy: Path) -> Ratings:
    """Reads `ml-100k.inter`, `.user` and `.item`, whose header names a type after each column.

    Raises:
        DataError: a file is damaged or lacks a column.
    """
    ratings, users, items = (_parse(content[name], name, copy=copy) for name in ATOMIC_FILES)
    for frame, name, wanted in (
        (ratings, ATOMIC_FILES[0], ("user_id", "item_id", "rating", "timestamp")),
        (users, ATOMIC_FILES[1], ("user_id", "age", "gender", "occupation", "zip_code")),
        (items, ATOMIC_FILES[2], ("item_id", "release_year", "class")),
    ):
        require_columns(wanted, frame.columns, file=f"{name} of {copy}")
    return _ratings(ratings, users, items=items.rename({"class": "genres"}), copy=copy)


def read_original(content: Mapping[str, bytes], copy: Path) -> Ratings:
    """Reads `u.data`, `u.user` and `u.item`, which have no header.

    Raises:
        DataError: a file is damaged.
    """
    ratings = _parse(content["u.data"], "u.data", copy=copy, names=("user_id", "item_id", "rating", "timestamp"))
    user_names = ("user_id", "age", "gender", "occupation", "zip_code")
    users = _parse(content["u.user"], "u.user", copy=copy, names=user_names, separator="|")
    item_names = ("item_id", "title", "released", "video_released", "url", *GENRES)
    items = _parse(content["u.item"], "u.item", copy=copy, names=item_names, separator="|")
    flags = [pl.when(pl.col(genre) == "1").then(pl.lit(genre)) for genre in GENRES]
    year = pl.coalesce(pl.col("title").str.extract(r"\((\d{4})\)\s*$"), pl.col("released").str.extract(r"(\d{4})$"))
    genres = pl.concat_str(flags, separator=" ", ignore_nulls=True)
    return _ratings(ratings, users, items=items.select("item_id", release_year=year, genres=genres), copy=copy)


def _parse(
    content: bytes, name: str, *, copy: Path, names: Sequence[str] | None = None, separator: str = "\t"
) -> pl.DataFrame:
    # u.item is Latin-1; every byte is a character there, so decoding cannot fail and ASCII files are unchanged.
    text = content.decode("latin-1").encode()
    try:
        frame = pl.read_csv(
            text,
            separator=separator,
            has_header=names is None,
            infer_schema=False,
            quote_char=None,
            truncate_ragged_lines=True,
        )
        if names is not None:
            return frame.rename(dict(zip(frame.columns, names, strict=True)))
        return frame.rename({column: column.partition(":")[0] for column in frame.columns})
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise DataError(f"a copy of MovieLens 100K must be whole, but {name} of {copy} is damaged ({error})") from error


def _ratings(ratings: pl.DataFrame, users: pl.DataFrame, *, items: pl.DataFrame, copy: Path) -> Ratings:
    year = pl.col("release_year").str.extract(r"^(\d{4})$")  # one film is filed without one
    try:
        typed = ratings.with_columns(
            pl.col("rating").cast(pl.Float64), pl.col("timestamp").cast(pl.Float64).cast(pl.Int64)
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"ratings and timestamps are numbers, but those of {copy} are not ({error})") from error
    return Ratings(typed, users, items.with_columns(year))
