"""Batch norms in training: their statistics go with the weights, and small last batches are no trouble."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators._training.cohort import Cohort
from evaluators._training.evaluate import Job, Trained, train_jobs
from evaluators._training.pacing import first_batch
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from searchspaces import Architecture, Candidate, Node, Options
from searchspaces.build import RankingModel, build
from searchspaces.layers import BatchNorm
from tests.evaluators.small_data import SCHEMA

ARCHITECTURE = Architecture(
    (
        Node("numeric"),
        Node("full", (), Options(dim=4)),
        Node("mlp", (0, 1), Options(widths=[16, 8], norm="batch")),
        Node("logit", (2,)),
    )
)


def norms(model: RankingModel) -> list[BatchNorm]:
    return [one for one in model.modules() if isinstance(one, BatchNorm)]


def test_averaged_weights_come_with_averaged_statistics(data: SearchData) -> None:
    model = build(ARCHITECTURE, SCHEMA, seed=1)
    cohort, batch = Cohort([model], [TrainingSettings()]), first_batch(data.train, 64)
    norm, means = norms(model)[0], []
    norm.register_forward_pre_hook(lambda _layer, given: means.append(given[0].detach().mean(0)))
    for _ in range(2):
        cohort.step(batch, cohort.lookups(batch))
        cohort.average(0.5)
    last = norm.running_mean.clone()
    cohort.use(averaged=True)
    # the weight of the newest of two is 0.5 / (1 - 0.25)
    assert torch.allclose(norm.running_mean, means[0] / 3 + 2 * means[1] / 3, atol=1e-6)
    cohort.use(averaged=False)
    assert torch.equal(norm.running_mean, last)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_last_batch_of_one_row_is_no_trouble(data: SearchData, dtype: torch.dtype) -> None:
    settings = TrainingSettings(rows=193, batch_size=96)
    found = train_jobs([Job(Candidate(ARCHITECTURE), settings)], data, seed=1, dtype=dtype)[0]
    assert isinstance(found, Trained)
    assert len(found.course.losses) == 3
    assert np.isfinite(found.logits).all()
    assert {one.running_var.dtype for one in norms(found.model)} == {torch.float32}


def test_a_trained_model_normalises_its_training_rows(data: SearchData) -> None:
    settings = TrainingSettings(rows=2000, batch_size=100, passes=3)
    found = train_jobs([Job(Candidate(ARCHITECTURE), settings)], data, seed=1)[0]
    assert isinstance(found, Trained)
    units: list[torch.Tensor] = []
    norms(found.model)[0].register_forward_hook(lambda _layer, _given, output: units.append(output.detach()))
    batch = first_batch(data.train, 2000)
    found.model.eval()(batch.numeric, batch.categorical)
    norm = norms(found.model)[0]
    plain = (units[0] - norm.bias) / norm.weight
    assert plain.mean(0).abs().max() < 0.1
    assert (plain.std(0) - 1.0).abs().max() < 0.1
