"""One rank in this process: knobs that are neutral leave every step's loss as it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluators._distributed.loading import Loading, Share, batches
from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Layout, Rule
from evaluators._distributed.tables import FieldTables, Moving
from evaluators._distributed.trainer import Learning, Trainer, has_a_part_each
from evaluators._distributed.world import World
from evaluators._training.examples import Batch, Examples
from searchspaces import Architecture, Node, Options
from searchspaces.build import build
from tests.evaluators.small_data import SCHEMA, mlp, write_small_data

STEPS = 5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[Batch]:
    folder: Path = tmp_path_factory.mktemp("data") / "small"
    examples = Examples(write_small_data(folder).part("train"), torch.device("cpu"))
    return list(islice(batches(examples, Share(64, 1), Loading()), STEPS))


def _trainer(seeds: Sequence[int], *, rule: Rule = Rule.ADAGRAD, **ways: Any) -> Trainer:
    architecture = mlp(8, dim=6).architecture
    assert architecture is not None
    models = [build(architecture, SCHEMA, seed=seed) for seed in seeds]
    moving = Moving(RowRule(rule, members=len(seeds)))
    return Trainer(models, Layout(), World(), Learning(moving=moving, **ways))


def _losses(data: Sequence[Batch], seeds: Sequence[int] = (1,), **ways: Any) -> list[float]:
    trainer = _trainer(seeds, **ways)
    return [trainer.step(batch) for batch in data]


@pytest.mark.parametrize("rule", Rule)
def test_models_that_learn_together_learn_what_they_learn_alone(data: list[Batch], rule: Rule) -> None:
    alone = [_losses(data, [seed], rule=rule) for seed in (1, 2, 3)]
    means = [sum(found) / 3 for found in zip(*alone, strict=True)]
    assert _losses(data, [1, 2, 3], rule=rule) == pytest.approx(means, abs=1e-6)
    assert alone[0] != alone[1]


@pytest.mark.parametrize("ways", [{"is_by_field": True}, {"dense": "foreach"}, {"dense": "fused"}, {"accumulation": 4}])
def test_neutral_ways_change_nothing(data: list[Batch], ways: dict[str, Any]) -> None:
    assert _losses(data, **ways) == pytest.approx(_losses(data), abs=1e-6)


def test_the_first_of_a_cohort_is_the_model_that_is_judged(data: list[Batch]) -> None:
    trainers = [_trainer(seeds) for seeds in ([1], [1, 2])]
    for trainer in trainers:
        for batch in data:
            trainer.step(batch)
    one, first = (trainer.assembled()(data[0].numeric, data[0].categorical) for trainer in trainers)
    torch.testing.assert_close(one, first, atol=1e-5, rtol=1e-5)


def test_a_table_of_its_own_is_given_to_each_field() -> None:
    [table] = _trainer([1], is_by_field=True).tables.values()
    assert isinstance(table, FieldTables)


@pytest.mark.parametrize(
    ("block", "options"),
    [
        ("full", {"dim": 4}),
        ("hashed", {"dim": 4, "rows": 5}),
        ("quotient_remainder", {"dim": 4, "collisions": 3, "operation": "mult", "threshold": 10}),
        ("multi_embedding", {"dim": 4, "tables": 2}),
    ],
)
def test_the_jth_look_up_is_a_row_of_part_j(data: list[Batch], block: str, options: dict[str, Any]) -> None:
    nodes = (Node(block, (), Options(options)), Node("mlp", (0,), Options(widths=(4,))), Node("logit", (1,)))
    model = build(Architecture(nodes), SCHEMA, seed=1)
    source = model.sources()[0]
    for name, table in source.tables().items():
        assert has_a_part_each(model, source, name)
        rows, first = source.lookups(data[0].numeric, data[0].categorical, name), 0
        for column, (_, size) in zip(rows.T, table.parts, strict=True):
            assert first <= int(column.min()) <= int(column.max()) < first + size
            first += size
