"""A preparation in many small pieces gives, bit by bit, what one in memory gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets import counting, encode, files, lines, ordering, prepare, stored
from evaluators._datasets.columns import Columns, Origin
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.part import stored_part
from evaluators._datasets.stored import Appended
from tests.evaluators.datasets.in_memory import digest_of

ROWS = 3000
COLUMNS = Columns("click", ("price",), ("user", "site"), "when")


@pytest.fixture
def table(tmp_path: Path) -> pl.DataFrame:
    """Rows out of time order, many at one time; ids of every rank; missing values; as csv and as parquet."""
    rng = np.random.default_rng(5)
    missing = pl.Series(rng.random(ROWS) < 0.2)
    frame = pl.DataFrame(
        {
            "click": rng.integers(0, 2, ROWS),
            "price": pl.Series(rng.normal(size=ROWS)).set(missing, None),
            "user": pl.Series(rng.zipf(1.4, ROWS)).cast(pl.String),
            "site": pl.Series(rng.integers(0, 9, ROWS)).set(missing, None),
            "when": rng.integers(0, 60, ROWS) ** 2,
        }
    )
    frame.write_csv(tmp_path / "rows.csv")
    frame.write_parquet(tmp_path / "rows.parquet")
    return frame


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that each way through files is taken."""
    monkeypatch.setattr(lines, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(files, "PARQUET_ROWS", 170)
    monkeypatch.setattr(stored, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(ordering, "LIMIT_BYTES", 1 << 12)
    monkeypatch.setattr(encode, "LOOKED_UP", 300)
    monkeypatch.setattr(counting, "LIMIT_VALUES", 100)


def described(folder: Path, table: str, *, time: bool = True) -> Path:
    path = folder / "table.yaml"
    when = "time: when\n" if time else ""
    path.write_text(f"table: {table}\nlabel: click\ndense: [price]\ncategorical: [user, site]\n{when}")
    return path


def in_time_order(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    rows = RowReader(COLUMNS).read(table, Origin("rows")).sort("when", maintain_order=True)
    cuts = [int(rows["when"].search_sorted(rows["when"][at], side="left")) for at in (2400, 2700)]
    return {"train": rows[: cuts[0]], "valid": rows[cuts[0] : cuts[1]], "test": rows[cuts[1] :]}


@pytest.mark.parametrize("kind", ["rows.csv", "rows.parquet"])
def test_many_small_pieces_give_what_one_in_memory_gives(
    tmp_path: Path, table: pl.DataFrame, tiny: None, kind: str
) -> None:
    assert prepare(described(tmp_path, kind)).digest == digest_of(in_time_order(table), COLUMNS, 2)


def test_one_piece_gives_what_one_in_memory_gives(tmp_path: Path, table: pl.DataFrame) -> None:
    data = prepare(described(tmp_path, "rows.csv"))
    assert data.digest == digest_of(in_time_order(table), COLUMNS, 2)
    data.verify()


def test_without_a_time_rows_keep_their_order(tmp_path: Path, table: pl.DataFrame, tiny: None) -> None:
    small = prepare(described(tmp_path, "rows.csv", time=False))
    numbers = np.concatenate([small.part("train").numeric[:, 0], small.part("valid").numeric[:, 0]])
    expected = table["price"].cast(pl.Float32).fill_null(float("nan")).to_numpy()
    assert set(numbers[~np.isnan(numbers)]) <= set(expected)
    places = {value: row for row, value in enumerate(expected.tolist())}
    train = [places[value] for value in small.part("train").numeric[:, 0].tolist() if value == value]
    assert train == sorted(train)


def test_a_folder_with_times_beside_its_parts_is_read_in_pieces(
    tmp_path: Path, table: pl.DataFrame, tiny: None
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    kinds = {"price": "dense", "user": "categorical", "site": "categorical"}
    (folder / "fields.json").write_text(str({name: {"kind": kind} for name, kind in kinds.items()}).replace("'", '"'))
    parts = {"train": table[:2000], "valid": table[2000:2500], "test": table[2500:]}
    for name, part in parts.items():
        part.rename({"click": "label"}).drop("when").write_parquet(folder / f"{name}.parquet", row_group_size=333)
        part.select(time="when").write_parquet(folder / f"aux_{name}.parquet", row_group_size=450)
    columns = Columns("label", COLUMNS.dense, COLUMNS.categorical, "time")
    typed = {
        name: RowReader(columns).read(part.rename({"click": "label", "when": "time"}), Origin(name))
        for name, part in parts.items()
    }
    expected = digest_of({name: part.sort("time", maintain_order=True) for name, part in typed.items()}, columns, 2)
    assert prepare(folder).digest == expected


def test_moments_are_taken_over_rows_that_do_not_depend_on_the_pieces(
    tmp_path: Path, table: pl.DataFrame, tiny: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode, "FIT_ROWS", 512)
    one = prepare(described(tmp_path, "rows.csv"), out=tmp_path / "one")
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1 << 20)
    other = prepare(described(tmp_path, "rows.csv"), out=tmp_path / "other")
    assert one.digest == other.digest
    whole = digest_of(in_time_order(table), COLUMNS, 2)
    assert one.digest != whole  # the last bits of a mean; the values agree
    known = stored_part(one.folder, "train")["numeric"].read(0, ROWS)[:, 0]
    squashed = np.sign(known) * np.log1p(np.abs(known.astype(np.float64)))
    assert one.schema.numeric[0].mean == pytest.approx(np.nanmean(squashed), rel=1e-12)
    assert one.schema.numeric[0].std == pytest.approx(np.nanstd(squashed), rel=1e-12)


def test_a_disk_that_fills_up_leaves_no_trace(
    tmp_path: Path, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 40

    def append(self: Appended, rows: np.ndarray) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise OSError(28, "No space left on device")
        plain(self, rows)

    plain = Appended.append
    monkeypatch.setattr(Appended, "append", append)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 3000)
    with pytest.raises(DataError, match=r"needs a folder that can be written, but .* \(.*No space left on device\)"):
        prepare(described(tmp_path, "rows.csv"), out=tmp_path / "new" / "data")
    assert not (tmp_path / "new").exists()


def test_nothing_but_the_prepared_form_stays(tmp_path: Path, table: pl.DataFrame, tiny: None) -> None:
    data = prepare(described(tmp_path, "rows.csv"), out=tmp_path / "data")
    assert sorted(path.name for path in data.folder.iterdir()) == [
        "schema.json",
        "test",
        "train",
        "valid",
        "vocabulary",
    ]
