"""Fields of the recipe `movielens-100k`: what is known of user, film and past when a film is shown.

The past of a row is what has a strictly earlier timestamp: users rate many films in one second, and what
shares the row's timestamp is not known yet, the row itself least of all.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from evaluators._datasets.columns import Columns
from evaluators._datasets.movielens_files import Ratings

CLICK_FROM_RATING = 4.0
AGE_BUCKETS = (18, 25, 35, 45, 50, 56)
MEANINGS = {
    "age": "age of the user, years",
    "film_age_years": "year of the rating less the year of release",
    "user_past_ratings": "the user's ratings before",
    "user_past_clicks": "clicks among them",
    "user_past_click_rate": "their share",
    "user_minutes_since_last": "minutes since the user's last earlier rating",
    "item_past_ratings": "ratings of the film before",
    "item_past_clicks": "clicks among them",
    "item_past_click_rate": "their share",
    "user_genre_past_ratings": "the user's ratings before of films with this first genre",
    "user_genre_past_click_rate": "share of clicks among them",
    "user_id": "user",
    "item_id": "film",
    "age_bucket": "age group of the user, by its lower bound",
    "gender": "gender of the user, as published",
    "occupation": "occupation of the user",
    "zip_prefix": "first three characters of the user's postal code",
    "release_year": "year of release",
    "genre": "first genre of the film",
    "genres": "all genres of the film together",
    "hour": "hour of day, UTC",
    "weekday": "day of week, UTC, 1 is Monday",
    "user_last_click": "the film that the user last clicked before",
    "user_last_click_genre": "its first genre",
}
COLUMNS = Columns(
    label="click",
    dense=tuple(MEANINGS)[:11],
    categorical=tuple(MEANINGS)[11:],
    time="timestamp",
)


def features(ratings: Ratings) -> pl.DataFrame:
    """One row per rating with all columns of `COLUMNS`, ordered by time, then user, then film."""
    first_genre = pl.col("genres").str.split(" ").list.first()
    items = ratings.items.select("item_id", "release_year", "genres", genre=first_genre)
    frame = (
        ratings.ratings.with_columns(click=(pl.col("rating") >= CLICK_FROM_RATING).cast(pl.Int64))
        .join(_users(ratings.users), on="user_id", how="left")
        .join(items, on="item_id", how="left")
    )
    frame = _with_past(frame, ["user_id"], name="user")
    frame = _with_past(frame, ["item_id"], name="item")
    frame = _with_past(frame, ["user_id", "genre"], name="user_genre")
    frame = _with_last(frame, items)
    return _with_calendar(frame).sort("timestamp", "user_id", "item_id").select(COLUMNS.names)


def _users(users: pl.DataFrame) -> pl.DataFrame:
    age = pl.col("age").cast(pl.Int64, strict=False)
    bucket = pl.sum_horizontal((age >= bound).cast(pl.Int64) for bound in AGE_BUCKETS)
    bounds = pl.Series([0, *AGE_BUCKETS], dtype=pl.Int64)
    return users.select(
        "user_id",
        "gender",
        "occupation",
        age=age,
        age_bucket=bucket.replace_strict(list(range(len(bounds))), bounds.to_list(), return_dtype=pl.Int64),
        zip_prefix=pl.col("zip_code").str.slice(0, 3),
    )


def _with_past(frame: pl.DataFrame, keys: Sequence[str], *, name: str) -> pl.DataFrame:
    """Adds ratings, clicks and click rate of the rows with the same keys and a strictly earlier timestamp."""
    instants = frame.group_by(*keys, "timestamp").agg(count=pl.len().cast(pl.Int64), clicks=pl.col("click").sum())
    # What an instant knows is the running sum up to it less what it adds itself.
    before = {column: pl.col(column).cum_sum().over(keys) - pl.col(column) for column in ("count", "clicks")}
    past = instants.sort(*keys, "timestamp").select(
        *keys,
        "timestamp",
        before["count"].alias(f"{name}_past_ratings"),
        before["clicks"].alias(f"{name}_past_clicks"),
    )
    count, clicks = pl.col(f"{name}_past_ratings"), pl.col(f"{name}_past_clicks")
    rated = past.with_columns(pl.when(count > 0).then(clicks / count).alias(f"{name}_past_click_rate"))
    return frame.join(rated, on=[*keys, "timestamp"], how="left")


def _with_last(frame: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Adds the minutes since the user's last earlier instant, and the last film clicked before."""
    number = pl.col("item_id").cast(pl.Int64, strict=False)
    # Of several clicks at one instant nobody knows the order; the highest film number makes it definite.
    clicked = pl.col("item_id").filter(pl.col("click") == 1).sort_by(number.filter(pl.col("click") == 1)).last()
    instants = frame.group_by("user_id", "timestamp").agg(clicked=clicked).sort("user_id", "timestamp")
    gap = (pl.col("timestamp") - pl.col("timestamp").shift(1).over("user_id")) / 60
    last = instants.select(
        "user_id",
        "timestamp",
        user_minutes_since_last=gap,
        user_last_click=pl.col("clicked").forward_fill().shift(1).over("user_id"),
    )
    genre = items.select(user_last_click="item_id", user_last_click_genre="genre")
    return frame.join(last, on=["user_id", "timestamp"], how="left").join(genre, on="user_last_click", how="left")


def _with_calendar(frame: pl.DataFrame) -> pl.DataFrame:
    moment = pl.from_epoch("timestamp", time_unit="s")
    release = pl.col("release_year").cast(pl.Int64, strict=False)
    return frame.with_columns(
        hour=moment.dt.hour(), weekday=moment.dt.weekday(), film_age_years=moment.dt.year() - release
    )
