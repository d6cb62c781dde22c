"""Compiled models train as others do, or it is said before the first trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from evaluators._errors import EvaluatorError
from evaluators._training import cohort, precision
from evaluators._training.compiling import Interact
from evaluators._training.evaluate import Job, Trained, train_jobs
from evaluators._training.metrics import quality
from evaluators._training.precision import check_way
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.way import Way
from searchspaces.build import RankingModel
from tests.evaluators.small_data import mlp

SETTINGS = TrainingSettings(batch_size=32)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "home", lambda: tmp_path)


def test_whole_batches_are_compiled_and_the_last_one_is_not(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def compiled(model: RankingModel) -> Interact:
        def interact(raw: Mapping[int, Tensor]) -> Tensor:
            sizes.append(len(next(iter(raw.values()))))
            return model.interact(raw)

        return interact

    monkeypatch.setattr(cohort, "compiled", compiled)
    settings = TrainingSettings(batch_size=48)
    ways = [train_jobs([Job(mlp(), settings)], data, seed=1, way=one)[0] for one in (Way.MEMBERWISE, Way.COMPILED)]
    nes = [quality(one.logits, data.valid.labels)["ne"].value for one in ways if isinstance(one, Trained)]
    assert nes[0] == nes[1]
    assert sizes == [48] * (len(data.train) // 48)
    assert len(data.train) % 48


def test_models_that_train_differently_are_refused_and_remembered(
    data: SearchData, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Way] = []

    def found(*_: object, way: Way) -> list[float]:
        asked.append(way)
        return [0.81 if way is Way.COMPILED else 0.80]

    monkeypatch.setattr(precision, "_nes", found)
    for _ in range(2):
        with pytest.raises(EvaluatorError, match=r"within 0.0005 of what it is without, but it differs by 0.01; leave"):
            check_way(Way.COMPILED, data, SETTINGS, [mlp()], dtype=torch.float32, digest="d")
    assert asked == [Way.MEMBERWISE, Way.COMPILED]


def test_a_compiler_that_fails_is_told_of_and_tried_again(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, way: Way) -> list[float]:
        if way is Way.COMPILED:
            raise RuntimeError("no C++ compiler")
        return [0.8]

    monkeypatch.setattr(precision, "_nes", broken)
    with pytest.raises(EvaluatorError, match=r"'compile' cannot be had: no C\+\+ compiler; leave it out"):
        check_way(Way.COMPILED, data, SETTINGS, [mlp()], dtype=torch.float32, digest="d")
    monkeypatch.setattr(precision, "_nes", lambda *_, way: [0.8])
    check_way(Way.COMPILED, data, SETTINGS, [mlp()], dtype=torch.float32, digest="d")


def test_without_a_control_nothing_can_be_tried(data: SearchData) -> None:
    with pytest.raises(EvaluatorError, match="is tried on a control first, but there is none"):
        check_way(Way.COMPILED, data, SETTINGS, [], dtype=torch.float32, digest="d")
