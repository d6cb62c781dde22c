"""The benchmark trains the same candidates in each way and tells how far they lie from each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from automl._errors import AutomlError
from automl.bench.evaluator import _worker, drawing
from automl.bench.evaluator.crew import Crew
from automl.bench.evaluator.rates import layer_shapes, matrix_rate
from automl.validation import prepare
from evaluators._datasets import read_dataset
from evaluators._training.search_data import SearchData
from searchspaces import Architecture, Candidate, zoo
from searchspaces.build import build


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> SearchData:
    folder = prepare("synthetic", out=tmp_path_factory.mktemp("bench") / "data", options={"rows": 3000}).folder
    return SearchData.load(read_dataset(folder), torch.device("cpu"))


@pytest.fixture
def candidates(data: SearchData) -> list[dict[str, object]]:
    return [zoo(name, data.schema).to_dict() for name in ("deepfm", "logistic_regression")]


@pytest.mark.parametrize("how", ["plain", "fp32", "bf16"])
def test_each_way_trains_every_candidate(data: SearchData, candidates: list[dict[str, object]], how: str) -> None:
    found = _worker.training(data, how=how, candidates=candidates, cohort=2, rows=None, seed=1)
    assert len(found["ne"]) == 2
    assert all(0.2 < one < 5.0 for one in found["ne"])
    assert found["span"][0] < found["span"][1]
    assert found["processor_seconds"] > 0


def test_losers_of_a_race_beside_a_control_train_on_fewer_rows(
    data: SearchData, candidates: list[dict[str, object]]
) -> None:
    found = _worker.training(
        data, how="fp32", candidates=candidates, cohort=2, rows=None, seed=1, control=candidates[0]
    )
    assert len(found["trained"]) == 2
    assert all(0.0 < one <= 1.0 for one in found["trained"])


def test_cohorts_give_what_members_have_alone(data: SearchData, candidates: list[dict[str, object]]) -> None:
    together, alone = (
        _worker.training(data, how="fp32", candidates=candidates, cohort=size, rows=None, seed=1) for size in (2, 1)
    )
    assert together["ne"] == pytest.approx(alone["ne"], abs=1e-4)


def test_the_limit_counts_the_mean_candidate(data: SearchData, candidates: list[dict[str, object]]) -> None:
    found = _worker.limit(data, how="fp32", candidates=candidates, rows=512, seed=1)
    flops = [drawing.training_flops(one, data.schema) for one in map(_architecture, candidates)]
    assert found["mflop_an_example"] == pytest.approx(1e-6 * np.mean(flops), abs=1e-3)
    assert found["share"] > 0


def test_the_layers_between_sources_and_output_are_multiplied(data: SearchData) -> None:
    architecture = zoo("dcnv2", data.schema).architecture
    assert architecture is not None
    model = build(architecture, data.schema, seed=0)
    shapes = layer_shapes(model, 512)
    assert len(shapes) == 4
    assert {rows for rows, _, _ in shapes} == {512}
    assert shapes[0][1] == shapes[0][2]
    assert matrix_rate(shapes[:1], torch.float32) > 0


@pytest.mark.slow
def test_a_process_that_ends_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(AutomlError, match="must answer"):
        Crew(1, str(tmp_path / "nowhere"))


def _architecture(content: dict[str, object]) -> Architecture:
    architecture = Candidate.from_dict(content).architecture
    assert architecture is not None
    return architecture
