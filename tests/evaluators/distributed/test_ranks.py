"""Two real processes over gloo agree with one, for every way to shard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators import EvaluatorError
from evaluators._distributed.launch import Ranks, Training
from evaluators._distributed.sharding import Layout, Sharding
from searchspaces import Architecture, Node, Options
from tests.evaluators.small_data import write_small_data

pytestmark = pytest.mark.slow

STEPS = 6
TABLES = [Node("full", (), Options(dim=5, fields=(f"field{at}",))) for at in range(3)]
EACH_ITS_OWN = {"0.table": Sharding.ROW, "1.table": Sharding.COLUMN, "2.table": Sharding.DATA_PARALLEL}


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    folder = write_small_data(tmp_path_factory.mktemp("data") / "small").folder
    numbers, both = Node("numeric"), Node("mlp", (0, 1, 2, 3), Options(widths=(16,)))
    return Training(Architecture((*TABLES, numbers, both, Node("logit", (4,)))), folder, 1, batch_size=32)


def _losses(training: Training) -> tuple[float, ...]:
    with Ranks(training) as ranks:
        return ranks.steps(STEPS, seconds=60).losses


@pytest.fixture(scope="module")
def alone(training: Training) -> tuple[float, ...]:
    return _losses(training)


def test_tables_by_row_by_column_and_copied_have_the_losses_of_one_process(
    training: Training, alone: tuple[float, ...]
) -> None:
    assert _losses(replace(training, ranks=2, layout=Layout(by_table=EACH_ITS_OWN))) == pytest.approx(alone, abs=1e-5)
    assert alone[-1] < alone[0]


def test_whole_tables_accumulation_and_deduplication_change_nothing(
    training: Training, alone: tuple[float, ...]
) -> None:
    asked = replace(training, ranks=2, accumulation=2, is_deduplicated=True, prefetch=2)
    assert _losses(asked) == pytest.approx(alone, abs=1e-5)


def test_field_tables_loaders_and_the_optimizers_way_change_nothing(
    training: Training, alone: tuple[float, ...]
) -> None:
    asked = replace(training, ranks=2, table_layout="by_field", loader_workers=1, is_resident=True)
    assert _losses(replace(asked, dense_optimizer="fused")) == pytest.approx(alone, abs=1e-5)


def test_a_cohort_has_the_mean_loss_of_its_models(training: Training, alone: tuple[float, ...]) -> None:
    asked = replace(training, cohort=2, table_dtype="int8")
    with Ranks(replace(asked, ranks=2)) as ranks:
        losses, peer = ranks.steps(STEPS, seconds=60).losses, ranks.valid_nes(seconds=60)
    assert losses[0] != alone[0]
    assert losses == pytest.approx(_losses(asked), abs=1e-3)
    assert peer[0] == pytest.approx(peer[1], abs=1e-6)


def test_a_dimension_that_the_model_cannot_have_is_told(training: Training) -> None:
    nodes = (Node("numeric"), Node("mlp", (0,), Options(widths=(4,))), Node("logit", (1,)))
    with (
        pytest.raises(EvaluatorError, match="'embedding_dim' must fit the architecture, but its embeddings cannot"),
        Ranks(replace(training, architecture=Architecture(nodes), embedding_dim=8)),
    ):
        pass


def test_two_groups_hold_equal_tables_and_bf16_costs_little(training: Training, alone: tuple[float, ...]) -> None:
    asked = replace(training, dtype="bf16", forward="bf16", backward="bf16")
    with Ranks(replace(asked, ranks=2, layout=Layout(groups=2, moment_scale=2.0))) as ranks:
        losses = ranks.steps(STEPS, seconds=60).losses
        both = ranks.valid_nes(seconds=60)
    assert losses[0] != alone[0]
    assert losses[0] == pytest.approx(alone[0], abs=1e-3)
    assert losses[-1] < losses[0]
    assert both[0] == pytest.approx(both[1], abs=1e-6)


def test_what_a_rank_cannot_do_is_told(training: Training) -> None:
    with pytest.raises(EvaluatorError, match="at most as many rows"), Ranks(replace(training, batch_size=4096)):
        pass


def test_a_batch_that_cannot_be_cut_is_refused(training: Training) -> None:
    with pytest.raises(EvaluatorError, match="30 rows are no multiple of 4 x 1"):
        replace(training, ranks=4, batch_size=30)
