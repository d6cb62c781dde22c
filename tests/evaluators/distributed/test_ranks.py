"""Two real processes over gloo agree with one, for every way to shard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators import EvaluatorError
from evaluators._distributed.launch import Ranks, Training
from evaluators._distributed.sharding import Layout, Sharding
from searchspaces import zoo
from tests.evaluators.small_data import write_small_data

STEPS = 6


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    dataset = write_small_data(tmp_path_factory.mktemp("data") / "small")
    architecture = zoo("dcnv2", dataset.schema).architecture
    assert architecture is not None
    return Training(architecture, dataset.folder, 1, batch_size=32)


def _losses(training: Training) -> tuple[float, ...]:
    with Ranks(training) as ranks:
        return ranks.steps(STEPS, seconds=60).losses


@pytest.fixture(scope="module")
def alone(training: Training) -> tuple[float, ...]:
    return _losses(training)


@pytest.mark.parametrize("kind", Sharding)
def test_two_processes_have_the_losses_of_one(training: Training, alone: tuple[float, ...], kind: Sharding) -> None:
    assert _losses(replace(training, ranks=2, layout=Layout(kind))) == pytest.approx(alone, abs=1e-5)
    assert alone[-1] < alone[0]


def test_accumulation_and_deduplication_change_nothing(training: Training, alone: tuple[float, ...]) -> None:
    asked = replace(training, ranks=2, layout=Layout(Sharding.ROW), accumulation=2, is_deduplicated=True)
    assert _losses(asked) == pytest.approx(alone, abs=1e-5)


def test_bf16_between_ranks_and_in_products_costs_little(training: Training, alone: tuple[float, ...]) -> None:
    asked = replace(training, ranks=2, dtype="bf16", forward="bf16", backward="bf16")
    losses = _losses(asked)
    assert losses != alone
    assert losses == pytest.approx(alone, abs=1e-3)


def test_two_groups_hold_equal_tables_and_learn(training: Training, alone: tuple[float, ...]) -> None:
    with Ranks(replace(training, ranks=2, layout=Layout(groups=2, moment_scale=2.0))) as ranks:
        losses = ranks.steps(STEPS, seconds=60).losses
        both = ranks.valid_nes(seconds=60)
    assert losses[0] == pytest.approx(alone[0], abs=1e-5)
    assert losses[-1] < losses[0]
    assert both[0] == pytest.approx(both[1], abs=1e-6)


def test_what_a_rank_cannot_do_is_told(training: Training) -> None:
    with pytest.raises(EvaluatorError, match="device"), Ranks(replace(training, device="cuda:7")):
        pass


def test_a_batch_that_cannot_be_cut_is_refused(training: Training) -> None:
    with pytest.raises(EvaluatorError, match="30 rows are no multiple of 4 x 1"):
        replace(training, ranks=4, batch_size=30)
