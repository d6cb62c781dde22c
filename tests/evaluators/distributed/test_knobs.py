from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluators import EvaluatorError
from evaluators._distributed.knobs import KNOBS, NEUTRAL, trained_with
from evaluators._distributed.launch import Training
from evaluators._distributed.sharding import Layout, Rule, Sharding
from tests.evaluators.small_data import mlp


@pytest.fixture
def base() -> Training:
    architecture = mlp(8).architecture
    assert architecture is not None
    return Training(architecture, Path("data"), 1)


def test_nothing_asked_for_changes_nothing(base: Training) -> None:
    assert trained_with(base, {}) == base


def test_every_knob_arrives(base: Training) -> None:
    asked = {
        "batch_size": 64,
        "ranks": 4,
        "threads": 2,
        "sharding": "row",
        "groups": 2,
        "sync_interval": 3,
        "accumulation": 2,
        "dtype": "bf16",
        "wire": "bf16",
        "table_dtype": "int8",
        "table_layout": "by_field",
        "embedding_dim": 8,
        "cohort": 3,
        "deduplicated": True,
        "table_optimizer": "sgd",
        "dense_optimizer": "fused",
        "prefetch": 0,
        "loader_workers": 1,
        "resident": True,
        "compiled": True,
    }
    assert asked.keys() == KNOBS.keys()
    found = trained_with(base, asked)
    assert (found.batch_size, found.ranks, found.threads, found.accumulation) == (64, 4, 2, 2)
    assert found.layout == Layout(Sharding.ROW, {}, 2, 3, 2.0)
    assert (found.dtype, found.forward, found.backward, found.rule) == ("bf16", "bf16", "bf16", Rule.SGD)
    assert (found.is_deduplicated, found.is_resident, found.is_compiled) == (True, True, True)
    assert (found.table_dtype, found.table_layout, found.dense_optimizer) == ("int8", "by_field", "fused")
    assert (found.embedding_dim, found.cohort, found.loader_workers) == (8, 3, 1)
    assert trained_with(base, {"prefetch": 2}).prefetch == 2


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rank": 2}, "'rank' is asked for"),
        ({"ranks": 0}, "'ranks' must be a whole number of at least 1, but is 0"),
        ({"threads": True}, "'threads' must be a whole number"),
        ({"dtype": "fp8"}, "'dtype' must be one of fp32, bf16, but is 'fp8'"),
        ({"deduplicated": 1}, "'deduplicated' must be true or false, but is 1"),
        ({"ranks": 3, "groups": 2, "batch_size": 6}, "'ranks' and 'groups' contradict each other: 3 ranks"),
        ({"sync_interval": 2}, "'sync_interval' and 'groups' contradict each other"),
        ({"ranks": 2, "sharding": "column", "table_optimizer": "rowwise_adagrad"}, "'table_optimizer' and 'sharding'"),
        ({"ranks": 2, "sharding": "column", "table_dtype": "int8"}, "'table_dtype' and 'sharding' contradict"),
        ({"prefetch": 1, "loader_workers": 1}, "'prefetch' and 'loader_workers' contradict each other"),
        ({"table_layout": "stacked"}, "'table_layout' must be one of concatenated, by_field, but is 'stacked'"),
        ({"batch_size": 30, "ranks": 4}, "30 rows are no multiple of 4 x 1"),
    ],
)
def test_a_wrong_setting_is_told(base: Training, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        trained_with(base, asked)


def test_neutral_knobs_are_knobs() -> None:
    assert KNOBS.keys() > NEUTRAL
