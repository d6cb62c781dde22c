"""The test part opens on record only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evaluators import DataError
from evaluators._datasets import held_out, prepare
from tests.evaluators.datasets.small_sources import write_fields_folder


@pytest.fixture(autouse=True)
def own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "test_openings.jsonl"


def test_each_opening_is_counted_by_data_digest(tmp_path: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"))
    other = prepare(write_fields_folder(tmp_path / "others", change={"test": {"label": [0]}}))
    assert held_out.openings(data.digest) == 0
    assert len(held_out.open_test_part(data, purpose="final")) == 1
    held_out.open_test_part(data, purpose="final")
    held_out.open_test_part(other, purpose="final")
    assert (held_out.openings(data.digest), held_out.openings(other.digest)) == (2, 1)


def test_the_record_says_what_for_and_when(tmp_path: Path, own_record: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"))
    held_out.open_test_part(data, purpose="train x.yaml", clock=lambda: datetime(2024, 5, 6, tzinfo=UTC))
    expected = {"digest": data.digest, "purpose": "train x.yaml", "time": "2024-05-06T00:00:00+00:00"}
    assert json.loads(own_record.read_text()) == expected


def test_data_without_a_test_part_says_so(tmp_path: Path, own_record: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    (folder / "test.parquet").unlink()
    data = prepare(folder)
    with pytest.raises(DataError, match=r"the test part of 'things' was asked for \(final\), but .* has none"):
        held_out.open_test_part(data, purpose="final")
    assert not own_record.exists()


def test_an_opening_that_cannot_be_recorded_does_not_happen(tmp_path: Path, own_record: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"))
    own_record.mkdir(parents=True)
    with pytest.raises(DataError, match=r"opens only when that can be recorded, but .*; set AUTOML_HOME to a folder"):
        held_out.open_test_part(data, purpose="final")
