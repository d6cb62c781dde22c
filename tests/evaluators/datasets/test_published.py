"""Recipes that read files as they were published: criteo, avazu, kdd12."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from evaluators import DataError
from evaluators._datasets import Dataset, open_dataset, prepare
from evaluators._datasets.avazu import PLAIN
from evaluators._datasets.criteo import COLUMNS

ROWS = 100


def criteo_lines(rows: int = ROWS) -> list[str]:
    """Number 1 is the row's own, number 2 missing in odd rows; category 1 has two values, category 2 none in odd."""
    return [
        "\t".join(
            [str(row % 2), str(row), "" if row % 2 else "-3", *["5"] * 11, f"c{row // 60}", "x" if row % 2 else ""]
        )
        + "\t68fd1e64" * 24
        for row in range(rows)
    ]


def criteo_file(folder: Path, lines: list[str] | None = None) -> Path:
    (folder / "train.txt").write_text("\n".join(lines or criteo_lines()) + "\n")
    return folder / "train.txt"


def avazu_file(folder: Path, *, hour: str = "14{day}{hour}") -> Path:
    names = ["id", "click", "hour", *PLAIN]
    rows = [
        [f"{10**18 + row}", str(row % 2), f"1410{21 + row // 48}{row // 2 % 24:02}", *["1"] * len(PLAIN)]
        for row in range(240)
    ]
    (folder / "train.csv").write_text("\r\n".join(",".join(row) for row in [names, *rows]) + "\r\n")
    return folder / "train.csv"


def kdd12_files(folder: Path) -> Path:
    rows = [[row % 4 // 3 * 2, 1 + row % 4, 7, 8, 9, 2, 1, row % 3, 4, 5, 6, 10 + row % 3] for row in range(ROWS)]
    text = "\n".join("\t".join(map(str, row)) for row in rows)
    (folder / "training.txt").write_text(text + "\n")
    (folder / "userid_profile.txt").write_text("12\t2\t6\n10\t1\t3\n")
    return folder


def values(data: Dataset, field: str) -> list[str | None]:
    names = [one.name for one in data.schema.categorical]
    return data.vocabularies()[names.index(field)]


def test_criteo_has_thirteen_numbers_and_twenty_six_categories_by_the_published_minimum_count(tmp_path: Path) -> None:
    data = prepare("criteo", copy=criteo_file(tmp_path))
    assert tuple(field.name for field in data.schema.fields) == (*COLUMNS.dense, *COLUMNS.categorical)
    assert (data.rows, data.facts.minimum_count) == ({"train": 80, "valid": 10, "test": 10}, 11)
    assert values(data, "C1") == ["c0", "c1"]
    assert values(data, "C2") == ["x", None]
    np.testing.assert_array_equal(data.part("train").numeric[:2, :3], [[0, -3, 5], [1, np.nan, 5]])


def test_criteo_rows_are_split_in_the_order_of_the_file(tmp_path: Path) -> None:
    data = prepare("criteo", copy=criteo_file(tmp_path))
    assert data.facts.split == {"rule": "order of the file", "valid": 0.1, "test": 0.1}
    np.testing.assert_array_equal(data.part("valid").numeric[:, 0], np.arange(80, 90))


def test_the_published_random_split_is_an_option(tmp_path: Path) -> None:
    data = prepare("criteo", copy=criteo_file(tmp_path), options={"split": "stratified"})
    assert data.facts.split == {"rule": "stratified random folds", "seed": 2018, "valid": 0.1, "test": 0.1}
    assert (data.rows, data.base_rate["valid"]) == ({"train": 80, "valid": 10, "test": 10}, 0.5)
    assert data.part("valid").numeric[:, 0].tolist() != list(range(80, 90))


def test_line_ends_and_compression_make_no_difference(tmp_path: Path) -> None:
    plain = prepare("criteo", copy=criteo_file(tmp_path))
    content = criteo_file(tmp_path).read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "train.txt.gz").write_bytes(gzip.compress(content))
    assert prepare("criteo", copy=tmp_path / "other").digest == plain.digest


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("0\t1\t2", r"each line needs 40 columns \(label, I1, I2, ..., C26\), but line 3 of .*train.txt has 3; mend"),
        (criteo_lines()[2].replace("0\t2", "yes\t2", 1), r"a label is 0 or 1 .* has 'yes' in line 3; name the right"),
        (criteo_lines()[2].replace("0\t2", "0\ttwo", 1), r"column 'I1' of .*train.txt has 'two' in line 3; mend"),
        ("", r"line 3 of .*train.txt has 1; mend the line, or check that this is the file that it should be"),
    ],
)
def test_a_wrong_line_of_criteo_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    lines = criteo_lines()
    lines[2] = line
    with pytest.raises(DataError, match=complaint):
        prepare("criteo", copy=criteo_file(tmp_path, lines))


def test_the_unlabelled_lines_of_criteo_are_not_taken_for_labelled_ones(tmp_path: Path) -> None:
    lines = [line.split("\t", 1)[1] for line in criteo_lines()]
    with pytest.raises(DataError, match=r"needs 40 columns .* line 1 of .*train.txt has 39; mend"):
        prepare("criteo", copy=criteo_file(tmp_path, lines))


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(DataError, match=r"a table needs rows, but .*train.txt is empty"):
        prepare("criteo", copy=tmp_path / "train.txt")


def test_avazu_hours_become_calendar_fields_and_the_time_that_splits(tmp_path: Path) -> None:
    data = prepare("avazu", copy=avazu_file(tmp_path), minimum_count=1)
    assert [field.name for field in data.schema.fields] == ["hour", "weekday", "is_weekend", *PLAIN]
    assert sorted(map(str, values(data, "hour")), key=int) == [str(hour) for hour in range(24)]
    assert sorted(map(str, values(data, "weekday"))) == ["1", "2", "3", "4"]  # 21 October 2014 was a Tuesday
    assert (data.rows, data.facts.time_column) == ({"train": 192, "valid": 24, "test": 24}, "time")
    time = data.part("train").time
    assert time is not None
    assert time[2] - time[1] == 3_600_000
    assert data.schema.numeric == ()


def test_avazu_weekends_are_marked(tmp_path: Path) -> None:
    data = prepare("avazu", copy=avazu_file(tmp_path), minimum_count=1, options={"split": "order"})
    assert values(data, "is_weekend") == ["0"]  # the 25th, a Saturday, is in the later parts
    text = (tmp_path / "train.csv").read_text().replace(",141021", ",141025")
    (tmp_path / "train.csv").write_text(text)
    data = prepare("avazu", copy=tmp_path, minimum_count=1, options={"split": "hash"})
    assert sorted(map(str, values(data, "is_weekend"))) == ["0", "1"]


@pytest.mark.parametrize("hour", ["14102x00", "14102124", "1410210000", ""])
def test_a_wrong_hour_is_named(tmp_path: Path, hour: str) -> None:
    path = avazu_file(tmp_path)
    path.write_text(path.read_text().replace(",14102101,", f",{hour},", 1))
    with pytest.raises(
        DataError, match=r"an Avazu row is YYMMDDHH, but column 'hour' of .*train.csv has .* in line 4;"
    ):
        prepare("avazu", copy=path)


def test_an_avazu_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = avazu_file(tmp_path)
    path.write_text(path.read_text().replace("device_ip", "ip", 1))
    with pytest.raises(DataError, match=r"train.csv has no 'device_ip'; did you mean"):
        prepare("avazu", copy=path)


def test_kdd12_clicks_are_any_click_and_users_bring_gender_and_age(tmp_path: Path) -> None:
    data = prepare("kdd12", copy=kdd12_files(tmp_path), minimum_count=1)
    assert [field.name for field in data.schema.numeric] == ["impression", "depth", "position"]
    assert sorted(map(str, values(data, "gender"))) == ["0", "1", "2"]
    assert sorted(map(str, values(data, "age"))) == ["0", "3", "6"]
    train = data.part("train")
    np.testing.assert_array_equal(train.label == 1, train.numeric[:, 0] == 4)
    ids = {name: number for number, name in enumerate(field.name for field in data.schema.categorical)}
    users = np.array([None, *values(data, "userID")])[train.categorical[:, ids["userID"]]]
    genders = np.array([None, *values(data, "gender")])[train.categorical[:, ids["gender"]]]
    assert set(zip(users, genders, strict=True)) == {("10", "1"), ("11", "0"), ("12", "2")}
    assert data.facts.split == {"rule": "hash of the row number", "seed": 0, "valid": 0.1, "test": 0.1}


def test_a_click_count_that_is_none_is_named(tmp_path: Path) -> None:
    path = kdd12_files(tmp_path) / "training.txt"
    path.write_text(path.read_text().replace("0\t1\t7", "-1\t1\t7", 1))
    with pytest.raises(
        DataError,
        match=r"click of KDD Cup 2012 is a whole number from 0 to 9223372036854775807, but .* has '-1' in line 1;",
    ):
        prepare("kdd12", copy=path)


def test_kdd12_needs_its_profiles(tmp_path: Path) -> None:
    (kdd12_files(tmp_path) / "userid_profile.txt").unlink()
    with pytest.raises(
        DataError, match=r"'kdd12' needs userid_profile.txt or userid_profile.txt.gz, but .* has neither"
    ):
        prepare("kdd12", copy=tmp_path / "training.txt")


@pytest.mark.parametrize("name", ["criteo", "avazu", "kdd12"])
def test_without_a_copy_it_is_said_where_one_may_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path))
    with pytest.raises(
        DataError,
        match=rf"recipe '{name}' reads your own copy of .*no .*raw/{name}; name it with --from PATH .* or put",
    ):
        open_dataset(name)


def test_a_copy_in_the_programs_home_is_found_by_the_recipes_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path))
    (tmp_path / "raw" / "criteo").mkdir(parents=True)
    criteo_file(tmp_path / "raw" / "criteo")
    assert open_dataset("criteo").name == "criteo"


def test_an_unknown_rule_of_splitting_is_named(tmp_path: Path) -> None:
    copy = criteo_file(tmp_path)
    with pytest.raises(DataError, match=r"by a rule that is known, but not 'time'; .*known: order, hash, stratified"):
        prepare("criteo", copy=copy, options={"split": "time"})


@pytest.mark.shared_data
def test_the_published_lines_of_criteo_are_read(shared_data: Path) -> None:
    data = prepare("criteo", copy=shared_data / "raw" / "criteo", minimum_count=2)
    assert (data.rows, len(data.schema.fields)) == ({"train": 8000, "valid": 1000, "test": 1000}, 39)
    np.testing.assert_array_equal(data.part("train").numeric[0, :4], [1, 1, 5, 0])
    assert "68fd1e64" in values(data, "C1")


@pytest.mark.shared_data
def test_the_published_lines_of_avazu_are_read(shared_data: Path) -> None:
    copy = shared_data / "raw" / "avazu"
    with pytest.raises(DataError, match="the split leaves train empty"):
        prepare("avazu", copy=copy)  # all of these lines are of one hour
    data = prepare("avazu", copy=copy, options={"split": "order"})
    assert (sum(data.rows.values()), len(data.schema.fields)) == (9999, 24)
    assert values(data, "weekday") == ["1"]
