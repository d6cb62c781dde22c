"""Recipe movielens-100k, on a few made-up ratings and without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets import prepare
from evaluators._datasets.digest import file_digest
from evaluators._datasets.movielens import fetch_wheel, read_copy
from evaluators._datasets.movielens_features import COLUMNS, features
from tests.evaluators.datasets.small_sources import INTER, atomic_files, many_ratings, write_wheel

Rating = tuple[int, int, int, int]


def table_of(folder: Path, ratings: list[Rating]) -> pl.DataFrame:
    return features(read_copy(write_wheel(folder / f"{len(list(folder.iterdir()))}.whl", ratings)))


def row_of(frame: pl.DataFrame, user: int, item: int) -> dict[str, object]:
    return frame.row(by_predicate=(pl.col("user_id") == str(user)) & (pl.col("item_id") == str(item)), named=True)


def test_a_rating_of_four_is_a_click(tmp_path: Path) -> None:
    frame = table_of(tmp_path, INTER)
    clicks = {(row["user_id"], row["item_id"]): row["click"] for row in frame.iter_rows(named=True)}
    assert clicks == {(str(user), str(item)): int(rating >= 4) for user, item, rating, _ in INTER}


def test_rows_are_in_time_order(tmp_path: Path) -> None:
    assert table_of(tmp_path, INTER)["timestamp"].to_list() == [100, 100, 160, 160, 400, 400]


def test_the_past_is_counted_from_strictly_earlier_timestamps(tmp_path: Path) -> None:
    frame = table_of(tmp_path, INTER)
    first, last = row_of(frame, 1, 11), row_of(frame, 1, 13)
    assert (first["user_past_ratings"], first["user_past_click_rate"], first["user_last_click"]) == (0, None, None)
    assert (last["user_past_ratings"], last["user_past_clicks"]) == (3, 2)
    assert last["user_past_click_rate"] == pytest.approx(2 / 3)
    assert (last["user_minutes_since_last"], last["user_last_click"]) == (4.0, "12")
    assert row_of(frame, 1, 12)["user_last_click"] == "10"
    assert row_of(frame, 1, 12)["user_last_click_genre"] == "Animation"
    seen = row_of(frame, 2, 10)
    assert (seen["item_past_ratings"], seen["item_past_clicks"], seen["user_minutes_since_last"]) == (1, 1, None)
    assert row_of(frame, 2, 11)["user_genre_past_ratings"] == 0


def history(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if "past" in name or "last" in name}


@pytest.mark.parametrize("number", range(0, 200, 17))
def test_neither_a_row_nor_its_instant_nor_the_future_shapes_its_own_features(tmp_path: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    ratings = [(1 + row % 3, 10 + int(rng.integers(4)), int(rng.integers(1, 6)), 60 * (row // 9)) for row in range(200)]
    ratings = list({(user, item, time): (user, item, score, time) for user, item, score, time in ratings}.values())
    user, item, _, time = ratings[number % len(ratings)]
    others = [
        (one, thing, 6 - score, when) if when >= time else (one, thing, score, when)
        for one, thing, score, when in ratings
    ]
    alone = [rating for rating in others if rating[3] < time or (rating[:2] == (user, item) and rating[3] == time)]
    frames = [table_of(tmp_path, version).filter(pl.col("timestamp") == time) for version in (ratings, others, alone)]
    whole, flipped, without = (history(row_of(frame, user, item)) for frame in frames)
    assert whole == flipped == without


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    assert table_of(tmp_path, INTER).equals(table_of(tmp_path, INTER[::-1]))


def test_user_film_and_calendar_fields_are_read(tmp_path: Path) -> None:
    row = row_of(table_of(tmp_path, INTER), 2, 10)
    assert (row["age"], row["age_bucket"], row["gender"], row["occupation"], row["zip_prefix"]) == (
        53,
        50,
        "F",
        "other",
        "T8H",
    )
    assert (row["release_year"], row["genre"], row["genres"]) == ("1995", "Animation", "Animation Children's Comedy")
    assert (row["hour"], row["weekday"], row["film_age_years"]) == (0, 4, 1970 - 1995)


def test_an_unknown_year_is_missing(tmp_path: Path) -> None:
    row = row_of(table_of(tmp_path, INTER), 1, 12)
    assert (row["release_year"], row["film_age_years"]) == (None, None)


def write_original(folder: Path) -> Path:
    folder.mkdir()
    (folder / "u.data").write_text("".join("\t".join(map(str, row)) + "\n" for row in INTER))
    (folder / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|T8H1N\n")
    flags = {10: (3, 4, 5), 11: (5, 14), 12: (0,), 13: (1, 6, 16)}
    titles = {10: "Toy Story (1995)", 11: "Gazon maudit \xe9 (1995)", 12: "unknown", 13: "Heat (1995)"}
    lines = [
        "|".join(
            [
                str(item),
                titles[item],
                "01-Jan-1995" if item != 12 else "",
                "",
                "",
                *(str(int(n in on)) for n in range(19)),
            ]
        )
        for item, on in flags.items()
    ]
    (folder / "u.item").write_bytes("\n".join(lines).encode("latin-1"))
    return folder


def test_both_published_forms_give_the_same_rows(tmp_path: Path) -> None:
    original = features(read_copy(write_original(tmp_path / "ml-100k")))
    assert original.equals(table_of(tmp_path, INTER))


def test_a_folder_around_the_files_will_do(tmp_path: Path) -> None:
    write_original(tmp_path / "ml-100k")
    assert features(read_copy(tmp_path)).height == len(INTER)


def test_a_folder_of_atomic_files_will_do(tmp_path: Path) -> None:
    for name, text in atomic_files(INTER).items():
        (tmp_path / name).write_text(text)
    assert features(read_copy(tmp_path)).height == len(INTER)


def test_the_recipe_prepares_from_an_own_copy(tmp_path: Path) -> None:
    copy = write_wheel(tmp_path / "own.whl", many_ratings())
    data = prepare("movielens-100k", copy=copy)
    assert data.rows == {"train": 160, "valid": 20, "test": 20}
    assert tuple(field.name for field in data.schema.fields) == (*COLUMNS.dense, *COLUMNS.categorical)
    assert data.facts.split == {"rule": "time", "valid": 0.1, "test": 0.1}
    assert data.facts.source == "MovieLens 100K, own copy"


def test_preparing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    copy = write_wheel(tmp_path / "own.whl", many_ratings())
    one, other = (prepare("movielens-100k", copy=copy, out=tmp_path / name) for name in "ab")
    assert one.digest == other.digest


def test_a_download_that_fails_names_the_way_out(tmp_path: Path) -> None:
    offline = [sys.executable, "-c", "import sys; sys.exit('no route to host')"]
    with pytest.raises(DataError) as raised:
        fetch_wheel(tmp_path, command=offline)
    assert "takes its files from the wheel recbole==1.2.1, but pip could not download it (no route to host)" in str(
        raised.value
    )
    assert "on a machine without network name your own copy with --from PATH" in str(raised.value)


def downloads(wheel: Path) -> list[str]:
    return [sys.executable, "-c", f"import shutil, sys; shutil.copy({str(wheel)!r}, sys.argv[2] + '/x.whl')"]


def test_a_wheel_with_the_published_digest_is_taken(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "own.whl", INTER)
    (tmp_path / "to").mkdir()
    fetched = fetch_wheel(tmp_path / "to", command=downloads(wheel), sha256=file_digest(wheel))
    assert fetched.read_bytes() == wheel.read_bytes()


def test_a_wheel_with_another_digest_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "own.whl", INTER)
    (tmp_path / "to").mkdir()
    with pytest.raises(
        DataError, match=r"must have the sha256 9c9948.*, but what was downloaded has .*; check the package"
    ):
        fetch_wheel(tmp_path / "to", command=downloads(wheel))


def test_a_copy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a wheel, a zip or a folder, but there is no .*gone.whl; check the path"):
        prepare("movielens-100k", copy=tmp_path / "gone.whl")
    with pytest.raises(DataError, match=r"there is no .*gone.whl"):
        read_copy(tmp_path / "gone.whl")


def test_a_copy_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds ml-100k.inter, .* or u.data, u.user, u.item, but .* does not"):
        read_copy(tmp_path)


def test_a_copy_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_text("hello")
    with pytest.raises(DataError, match=r"must be a wheel, a zip or a folder, but .*x.whl is none \(File is not a zip"):
        read_copy(tmp_path / "x.whl")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("ml-100k.inter", "user_id:token\titem_id:token\n1\t2\n", "ml-100k.inter of .* has no 'rating', 'timestamp'"),
        (
            "ml-100k.inter",
            "user_id:x\titem_id:x\trating:x\ttimestamp:x\n1\t10\tgood\t5\n",
            "ratings and timestamps are numbers",
        ),
        ("ml-100k.user", "", "ml-100k.user of .* is damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    for file, content in {**atomic_files(INTER), name: text}.items():
        (tmp_path / file).write_text(content)
    with pytest.raises(DataError, match=complaint):
        read_copy(tmp_path)


def test_a_damaged_original_file_is_named(tmp_path: Path) -> None:
    folder = write_original(tmp_path / "ml-100k")
    (folder / "u.user").write_text("1|24\n")
    with pytest.raises(DataError, match=r"u.user of .* is damaged"):
        read_copy(folder)
