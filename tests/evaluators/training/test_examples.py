"""Batches: the rows asked for, in the order asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators._datasets import read_rows
from evaluators._training import examples
from evaluators._training.evaluate import evaluate_candidate
from evaluators._training.examples import Examples
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from tests.evaluators.small_data import mlp, part, write_small_data


def test_batches_hold_the_rows_in_the_order_asked_for() -> None:
    rows = part(10, 0)
    order = np.array([3, 1, 4, 9, 5], dtype=np.int64)
    batches = list(Examples(rows, torch.device("cpu")).batches(order, 2))
    assert [len(batch.label) for batch in batches] == [2, 2, 1]
    assert np.array_equal(torch.cat([batch.categorical for batch in batches]).numpy(), rows.categorical[order])
    joined = torch.cat([batch.numeric for batch in batches]).numpy()
    assert np.array_equal(joined, rows.numeric[order], equal_nan=True)


def test_a_search_trains_and_measures_without_any_test_part(tmp_path: Path) -> None:
    dataset = write_small_data(tmp_path / "small", rows=200)
    shutil.rmtree(dataset.folder / "test")
    data = SearchData.load(dataset, torch.device("cpu"))
    found = evaluate_candidate(mlp(), data, TrainingSettings(), seed=1)
    assert (len(data.train), len(data.valid)) == (200, 100)
    assert found.value("ne") > 0.0


@pytest.mark.parametrize("window", [7, 1 << 20])
def test_orders_follow_one_another_without_short_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(examples, "WINDOW_ROWS", window)
    rows = write_small_data(tmp_path / "small", rows=20).part("train")
    orders = [np.arange(7, 14)[::-1], np.arange(0, 7), np.array([19, 14, 2])]
    batches = list(Examples(rows, torch.device("cpu")).stream(orders, 4))
    assert [len(batch.label) for batch in batches] == [4, 4, 4, 4, 1]
    place = np.concatenate(orders)
    assert np.array_equal(torch.cat([batch.categorical for batch in batches]).numpy(), rows.categorical[place])
    assert np.array_equal(torch.cat([batch.label for batch in batches]).numpy(), rows.label[place])
    joined = torch.cat([batch.numeric for batch in batches]).numpy()
    assert np.array_equal(joined, rows.numeric[place], equal_nan=True)


def test_a_window_is_read_from_the_files_and_not_through_the_map(tmp_path: Path) -> None:
    rows = write_small_data(tmp_path / "small", rows=20).part("train")
    window = read_rows(rows, 5, 9)
    assert not any(isinstance(array, np.memmap) for array in (window.label, window.numeric, window.categorical))
    assert np.array_equal(window.categorical, rows.categorical[5:9])
    some = part(20, 0)
    assert np.array_equal(read_rows(some, 5, 9).label, some.label[5:9])


def test_ids_are_long_integers_and_labels_floats() -> None:
    batch = next(Examples(part(4, 0), torch.device("cpu")).batches(np.arange(4), 4))
    assert (batch.categorical.dtype, batch.label.dtype) == (torch.int64, torch.float32)
