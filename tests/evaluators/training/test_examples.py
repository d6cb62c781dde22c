"""Batches: the rows asked for, in the order asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

from evaluators._training.evaluate import evaluate_candidate
from evaluators._training.examples import Examples, SearchData
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


def test_ids_are_long_integers_and_labels_floats() -> None:
    batch = next(Examples(part(4, 0), torch.device("cpu")).batches(np.arange(4), 4))
    assert (batch.categorical.dtype, batch.label.dtype) == (torch.int64, torch.float32)
