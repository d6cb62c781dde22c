"""Precision and threads are measured once, remembered, and refused where misspelt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from evaluators import EvaluatorError
from evaluators._training import precision as module
from evaluators._training.precision import choose_precision, choose_threads, remembered
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from tests.evaluators.small_data import mlp


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "home", lambda: tmp_path)
    return tmp_path


def _rates(monkeypatch: pytest.MonkeyPatch, *, low: float) -> None:
    monkeypatch.setattr(module, "matrix_rate", lambda dtype, _device: low if dtype == torch.bfloat16 else 1.0)


def _chosen(name: str, data: SearchData) -> torch.dtype:
    return choose_precision(name, data, TrainingSettings(), [mlp()], digest="abc")


def test_low_precision_is_chosen_where_it_is_fast_and_agrees(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    _rates(monkeypatch, low=3.0)
    monkeypatch.setattr(module, "MOST_DIFFERENCE", 0.01)  # the small data has 1,000 rows to agree on
    assert _chosen("auto", data) == torch.bfloat16


def test_low_precision_that_is_slow_is_not_chosen(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    _rates(monkeypatch, low=1.4)
    assert _chosen("auto", data) == torch.float32


def test_models_that_differ_keep_single_precision(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    _rates(monkeypatch, low=3.0)
    monkeypatch.setattr(module, "MOST_DIFFERENCE", 0.0)
    assert _chosen("auto", data) == torch.float32


def test_a_choice_is_remembered_however_the_machine_is_later(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    _rates(monkeypatch, low=1.0)
    _chosen("auto", data)
    _rates(monkeypatch, low=9.0)
    assert _chosen("auto", data) == torch.float32


def test_a_given_precision_is_not_measured(data: SearchData, home: Path) -> None:
    assert (_chosen("fp32", data), _chosen("bf16", data)) == (torch.float32, torch.bfloat16)
    assert not list(home.iterdir())


def test_an_unknown_precision_is_refused(data: SearchData) -> None:
    with pytest.raises(EvaluatorError, match="'precision' must be one of auto, fp32, bf16, but is 'fp16'"):
        _chosen("fp16", data)


@pytest.mark.parametrize(("gain", "threads"), [(1.1, 1), (1.3, 2)])
def test_threads_that_gain_little_are_not_used(
    gain: float, threads: int, data: SearchData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_thread_gain", lambda *_: {"gain": gain})
    assert choose_threads(2, data, [mlp()], digest="abc") == threads


def test_without_a_model_to_try_or_a_second_core_nothing_is_measured(data: SearchData, home: Path) -> None:
    assert choose_threads(2, data, [], digest="abc") == 2
    assert choose_threads(1, data, [mlp()], digest="abc") == 1
    assert not list(home.iterdir())


def test_a_file_that_is_damaged_or_cannot_be_written_costs_a_measurement(home: Path) -> None:
    (home / "measured.json").write_text("[not json")
    assert remembered("key", lambda: {"gain": 2}) == {"gain": 2}
    assert json.loads((home / "measured.json").read_text()) == {"key": {"gain": 2}}
