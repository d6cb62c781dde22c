"""Source: one csv or parquet table with a description."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets import prepare
from tests.evaluators.datasets.small_sources import write_table

PLAIN = "table: clicks.csv\nlabel: click\ndense: [price]\ncategorical: [user]\n"


def test_a_table_with_time_is_split_by_time(tmp_path: Path) -> None:
    data = prepare(write_table(tmp_path, PLAIN + "time: when\nsplit: {valid: 0.25, test: 0.25}\n"))
    assert data.rows == {"train": 20, "valid": 10, "test": 10}
    assert data.facts.split == {"rule": "time", "valid": 0.25, "test": 0.25}
    np.testing.assert_array_equal(data.part("train").time, np.arange(961, 981))


def test_a_table_without_time_is_split_by_hash(tmp_path: Path) -> None:
    description = write_table(tmp_path, PLAIN, rows=400)
    data, again, other = prepare(description), prepare(description, out=tmp_path / "a"), prepare(description, seed=1)
    assert sum(data.rows.values()) == 400
    assert data.facts.split == {"rule": "hash of the row number", "seed": 0, "valid": 0.1, "test": 0.1}
    assert data.digest == again.digest != other.digest


def test_csv_and_parquet_of_the_same_rows_give_the_same_arrays(tmp_path: Path) -> None:
    csv = prepare(write_table(tmp_path, PLAIN + "time: when\n"))
    pl.read_csv(tmp_path / "clicks.csv").write_parquet(tmp_path / "clicks.parquet")
    description = tmp_path / "other.yaml"
    description.write_text(PLAIN.replace("csv", "parquet") + "time: when\n")
    assert prepare(description).digest == csv.digest


def test_ids_with_leading_zeros_stay_apart(tmp_path: Path) -> None:
    description = write_table(tmp_path, PLAIN + "minimum_count: 1\n", rows=0)
    lines = [f"{row % 2},1,{'007' if row < 40 else '7'}," for row in range(80)]
    (tmp_path / "clicks.csv").write_text("\n".join(["click,price,user,when", *lines]))
    assert sorted(map(str, prepare(description).vocabularies()[0])) == ["007", "7"]


def test_name_and_minimum_count_come_from_the_description(tmp_path: Path) -> None:
    data = prepare(write_table(tmp_path, PLAIN + "name: my/clicks\nminimum_count: 1000\n"))
    assert (data.name, data.facts.minimum_count, data.schema.categorical[0].vocabulary_size) == ("my/clicks", 1000, 1)


def test_an_explicit_minimum_count_wins(tmp_path: Path) -> None:
    assert prepare(write_table(tmp_path, PLAIN + "minimum_count: 1000\n"), minimum_count=1).facts.minimum_count == 1


def test_every_mistake_of_a_description_is_named_at_once(tmp_path: Path) -> None:
    text = (
        "table: 3\nlabell: click\ndense: price\ntime: [when]\n"
        "split: {vald: 0.1, test: much}\nminimum_count: 0\nname: 5\n"
    )
    with pytest.raises(DataError) as raised:
        prepare(write_table(tmp_path, text))
    message = str(raised.value)
    for expected in (
        "clicks.yaml has 9 mistake(s):",
        "unknown key 'labell'; did you mean 'label'? (known: table, label,",
        "table must be a text, but is 3",
        "label must be a text, but is None",
        "time must be a text, but is ['when']",
        "name must be a text, but is 5",
        "dense must be a list of column names, but is 'price'",
        "unknown key 'vald' of split; did you mean 'valid'? (known: valid, test)",
        "the shares of split must be numbers, but are 0.1 and 'much'",
        "minimum_count must be a whole number of at least 1, but is 0",
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("table: clicks.csv\nlabel: click\n", "must name at least one column, but both are empty"),
        (PLAIN + "time: user\n", "a column plays one part, but 'user' is named 2 times"),
        (
            PLAIN + "split: {valid: 0.5, test: 0.5}\n",
            "must leave rows for train and valid, but valid is 0.5 and test is 0.5",
        ),
        (PLAIN + "split: half\n", "split must be like {valid: 0.1, test: 0.1}, but is 'half'"),
        (PLAIN + "columns: [click, click]\n", "a name of its own, but columns has 'click' twice"),
        (PLAIN + "columns: click\n", "columns must be a list of column names, but is 'click'"),
        ("- a\n", "a description maps keys to values"),
        ("table: [", "a table needs a readable YAML description"),
        ("table: a\ntable: b\n", "a table needs a readable YAML description"),
    ],
)
def test_a_mistake_of_a_description_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(DataError) as raised:
        prepare(write_table(tmp_path, text))
    assert complaint in str(raised.value)


def test_shares_may_be_written_with_an_exponent(tmp_path: Path) -> None:
    data = prepare(write_table(tmp_path, PLAIN + "time: when\nsplit: {valid: 25e-2, test: 0}\n"))
    assert data.rows == {"train": 30, "valid": 10}


def test_a_table_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"clicks.csv has no 'prize'; did you mean 'price'\?"):
        prepare(write_table(tmp_path, PLAIN.replace("price", "prize")))


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a source must be readable, but 'clicks' is not .*other.csv"):
        prepare(write_table(tmp_path, PLAIN.replace("clicks.csv", "other.csv")))


def test_a_table_of_another_kind_is_refused(tmp_path: Path) -> None:
    description = write_table(tmp_path, PLAIN.replace("clicks.csv", "clicks.xlsx"))
    (tmp_path / "clicks.xlsx").write_text("")
    with pytest.raises(
        DataError, match=r"must end in .parquet, .csv, .tsv or .txt, the texts also in .gz, but .* ends in '.xlsx'"
    ):
        prepare(description)


def test_a_bad_value_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    description = write_table(tmp_path, PLAIN + "time: when\n")
    path = tmp_path / "clicks.csv"
    path.write_text(path.read_text().replace("0,3.0,", "0,three,"))
    with pytest.raises(DataError, match=r"column 'price' of .*clicks.csv has 'three' in line 8"):
        prepare(description)


@pytest.mark.parametrize("name", ["rows.txt", "rows.tsv.gz"])
def test_a_text_without_a_header_takes_its_names_from_the_description(tmp_path: Path, name: str) -> None:
    plain = prepare(write_table(tmp_path, PLAIN + "time: when\n"))
    lines = (tmp_path / "clicks.csv").read_bytes().replace(b",", b"\t").split(b"\n", 1)[1]
    (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith("gz") else lines)
    description = tmp_path / "other.yaml"
    description.write_text(PLAIN.replace("clicks.csv", name) + "time: when\ncolumns: [click, price, user, when]\n")
    assert prepare(description).digest == plain.digest


def test_columns_are_for_texts_alone(tmp_path: Path) -> None:
    description = write_table(tmp_path, PLAIN.replace("csv", "parquet") + "columns: [click, price, user, when]\n")
    pl.read_csv(tmp_path / "clicks.csv").write_parquet(tmp_path / "clicks.parquet")
    with pytest.raises(DataError, match=r"those of a text without a header, but .* is parquet; leave columns out"):
        prepare(description)
