"""Members whose equal blocks are one operation train as they do alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators import EvaluatorError
from evaluators._training.evaluate import Job, Trained, train_jobs
from evaluators._training.grouping import Grouped
from evaluators._training.metrics import quality
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.way import Way
from evaluators.train import Train
from searchspaces import Architecture, Candidate, Node, Options, load_plugin
from searchspaces.build import RankingModel, build
from tests.evaluators.small_data import SCHEMA, mlp

SETTINGS = TrainingSettings(batch_size=64)
SPACES = ("autoctr", "nasrec", "rankitect_scratch", "dhen", "wukong")


def _trained(jobs: list[Job], data: SearchData, way: Way) -> dict[int, Trained | Exception]:
    return train_jobs(jobs, data, seed=1, way=way)


def _ne(found: Trained | Exception, data: SearchData) -> float:
    assert isinstance(found, Trained)
    return quality(found.logits, data.valid.labels)["ne"].value


def _model(candidate: Candidate) -> RankingModel:
    assert candidate.architecture is not None
    return build(candidate.architecture, SCHEMA, seed=1)


def _one_block(block: str, **options: object) -> Candidate:
    nodes = (Node("numeric"), Node("full", (), Options(dim=4)), Node(block, (0, 1), Options(options)))
    return Candidate(Architecture((*nodes, Node("logit", (2,)))))


@pytest.mark.parametrize("space", SPACES)
def test_any_company_trains_as_each_member_alone(space: str, data: SearchData) -> None:
    drawing, rng = load_plugin("searchspaces.spaces", space)(SCHEMA), np.random.default_rng(1)
    jobs = [Job(drawing.sample(rng), TrainingSettings(rows=512, batch_size=64)) for _ in range(2)]
    jobs.append(jobs[0])
    together = _trained(jobs, data, Way.GROUPED)
    for at, job in enumerate(jobs):
        assert _ne(together[at], data) == pytest.approx(_ne(_trained([job], data, Way.MEMBERWISE)[0], data), abs=1e-4)


def test_equal_blocks_are_one_operation_and_others_are_not() -> None:
    wide, narrow = mlp(16), mlp(8)
    assert Grouped({0: _model(wide), 1: _model(wide), 2: _model(narrow)}).sizes == [2, 1, 2, 1]


@pytest.mark.parametrize("alone", [_one_block("fm"), _one_block("dot_product"), mlp(16)])
def test_blocks_with_a_pass_of_their_own_stay_alone(alone: Candidate) -> None:
    first, second = _model(alone), _model(alone)
    sizes = Grouped({0: first, 1: second}).sizes
    assert sizes == ([2, 2] if alone == mlp(16) else [1, 1, 2])


def test_a_model_with_a_batch_norm_stays_alone_to_the_bit(data: SearchData) -> None:
    normed = _one_block("mlp", widths=(16, 8), norm="batch")
    assert (
        Grouped({0: _model(normed), 1: _model(normed), 2: _model(mlp(16)), 3: _model(mlp(16))}).sizes == [1, 1, 2] * 2
    )
    jobs = [Job(normed, SETTINGS), Job(normed, SETTINGS)]
    assert _ne(_trained(jobs, data, Way.GROUPED)[1], data) == _ne(_trained(jobs[:1], data, Way.MEMBERWISE)[0], data)


def test_masks_stay_those_of_each_member(data: SearchData) -> None:
    dropping = Candidate(
        Architecture(
            (
                Node("numeric"),
                Node("full", (), Options(dim=4)),
                Node("mlp", (0, 1), Options(width=16, dropout=0.5)),
                Node("logit", (2,)),
            )
        )
    )
    jobs = [Job(dropping, SETTINGS), Job(dropping, SETTINGS)]
    assert Grouped({0: _model(dropping), 1: _model(dropping)}).sizes[:2] == [1, 1]
    alone = _ne(_trained(jobs[:1], data, Way.MEMBERWISE)[0], data)
    assert _ne(_trained(jobs, data, Way.GROUPED)[1], data) == pytest.approx(alone, abs=1e-6)


def test_one_that_diverges_leaves_and_the_others_go_on(data: SearchData) -> None:
    sound, wild = Job(mlp(), SETTINGS), Job(mlp(), TrainingSettings(batch_size=64, learning_rate=1e30))
    found = _trained([sound, wild, sound], data, Way.GROUPED)
    alone = _ne(_trained([sound], data, Way.MEMBERWISE)[0], data)
    assert isinstance(found[1], Exception)
    assert [_ne(found[at], data) for at in (0, 2)] == pytest.approx([alone, alone], abs=1e-6)


def test_outputs_of_stacked_blocks_are_those_of_each() -> None:
    models = {number: _model(mlp(16)) for number in range(3)}
    for number, model in models.items():
        for one in model.parameters():
            torch.nn.init.normal_(one, std=0.1 * (number + 1), generator=torch.Generator().manual_seed(number))
    numeric, ids = torch.rand(5, 2), torch.zeros(5, 3, dtype=torch.int32)
    raw = {
        number: {at: one(numeric, ids, one.looked_up(numeric, ids)) for at, one in model.sources().items()}
        for number, model in models.items()
    }
    for number, logits in Grouped(models)(raw).items():
        torch.testing.assert_close(logits, models[number].interact(raw[number]))


def test_two_ways_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match="'compile' and 'grouped' are two ways"):
        Train(tmp_path, 1, compile=True, grouped=True)
