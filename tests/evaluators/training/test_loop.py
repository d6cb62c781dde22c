"""The loop: order of rows, weight of the last batch, learning curve, divergence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evaluators import DivergedError
from evaluators._datasets import Part
from evaluators._training import examples, loop, stream
from evaluators._training.examples import Examples
from evaluators._training.loop import score
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.single import train_one
from evaluators._training.stream import Plan, row_orders
from searchspaces import Cost, FeatureSchema, Options, Shape
from searchspaces.block import Source
from searchspaces.build import RankingModel

CPU = torch.device("cpu")


class Recorder(Source):
    """Remembers which rows it has seen."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.seen: list[list[int]] = []

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Shape:
        raise NotImplementedError

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        raise NotImplementedError

    def forward(self, numeric: Tensor, categorical: Tensor, vectors: Mapping[str, Tensor]) -> Tensor:
        self.seen.append(numeric[:, 0].nan_to_num().int().tolist())
        return numeric


class Bias(RankingModel):
    """One number for every row; remembers which rows it has seen."""

    def __init__(self, start: float = 0.0) -> None:
        nn.Module.__init__(self)
        self.bias = nn.Parameter(torch.tensor([start]))
        self.recorder = Recorder()
        self.dtype = torch.float32

    @property
    def seen(self) -> list[list[int]]:
        return self.recorder.seen

    def sources(self) -> dict[int, Source]:
        return {0: self.recorder}

    def hidden(self) -> list[nn.Module]:
        return []

    def interact(self, raw: Mapping[int, Tensor]) -> Tensor:
        return self.bias.expand(len(raw[0]))


def _numbered(rows: int) -> Examples:
    ids = np.arange(rows, dtype=np.int32)[:, None]
    return Examples(Part((ids[:, 0] % 2).astype(np.float32), ids.astype(np.float32), ids), CPU)


def _plan(rows: int, total: int, *, seed: int) -> Plan:
    return Plan.of(TrainingSettings(rows=rows), total, seed=seed)


def test_a_pass_sees_each_row_once_and_the_next_pass_in_another_order() -> None:
    model = Bias()
    train_one(model, _numbered(10), TrainingSettings(batch_size=4, passes=2), seed=1)
    first, second = list(chain(*model.seen[:3])), list(chain(*model.seen[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_the_order_of_rows_does_not_depend_on_the_model() -> None:
    one, other = Bias(0.0), Bias(5.0)
    for model in (one, other):
        train_one(model, _numbered(10), TrainingSettings(batch_size=4), seed=7)
    assert one.seen == other.seen


def test_a_cap_on_rows_keeps_the_most_recent_ones() -> None:
    [order] = row_orders(_plan(3, 10, seed=0), number=0)
    assert sorted(order) == [7, 8, 9]


def test_up_to_a_window_of_rows_come_in_one_random_order() -> None:
    [order] = row_orders(_plan(900, 1000, seed=3), number=1)
    np.testing.assert_array_equal(order, np.random.default_rng([3, 1]).permutation(900) + 100)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "WINDOW_ROWS", 8)
    monkeypatch.setattr(stream, "WINDOW_ROWS", 8)
    monkeypatch.setattr(examples, "WINDOW_ROWS", 8)


def test_more_rows_come_window_by_window_each_row_once(small_windows: None) -> None:
    orders = list(row_orders(_plan(30, 100, seed=0), number=0))
    assert sorted(chain(*orders)) == list(range(70, 100))
    assert sorted(len(order) for order in orders) == [6, 8, 8, 8]
    assert all(max(order) - min(order) == len(order) - 1 for order in orders)
    starts = [min(order) for order in orders]
    assert starts != sorted(starts)
    assert all(list(order) != sorted(order) for order in orders)


def test_the_order_of_windows_depends_on_seed_and_pass_alone(small_windows: None) -> None:
    def flat(seed: int, number: int) -> list[int]:
        return [int(row) for order in row_orders(_plan(30, 30, seed=seed), number=number) for row in order]

    assert flat(1, 0) == flat(1, 0)
    assert len({tuple(flat(*one)) for one in ((1, 0), (1, 1), (2, 0))}) == 3


def test_batches_go_on_over_the_ends_of_windows(small_windows: None) -> None:
    model = Bias()
    train_one(model, _numbered(30), TrainingSettings(batch_size=5), seed=1)
    assert [len(rows) for rows in model.seen] == [5] * 6
    assert list(chain(*model.seen)) == list(chain(*row_orders(_plan(30, 30, seed=1), number=0)))


def test_scores_of_a_large_part_come_in_row_order(small_windows: None) -> None:
    class Echo(Bias):
        def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
            return categorical[:, 0].float()

    assert score(Echo(), _numbered(30)).tolist() == list(range(30))


def test_a_cap_beyond_the_data_takes_all_rows() -> None:
    model = Bias()
    train_one(model, _numbered(5), TrainingSettings(rows=1000), seed=0)
    assert sorted(model.seen[0]) == [0, 1, 2, 3, 4]


def test_the_last_batch_weighs_each_row_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(groups: list[dict[str, object]], **_others: object) -> torch.optim.Optimizer:
        return torch.optim.SGD(groups)

    monkeypatch.setattr(torch.optim, "AdamW", plain)
    model = Bias()
    ones = Part(np.ones(5, np.float32), np.zeros((5, 1), np.float32), np.zeros((5, 1), np.int32))
    train_one(model, Examples(ones, CPU), TrainingSettings(batch_size=4, learning_rate=1.0), seed=0)
    first = 1.0 - 0.5  # gradient of log loss is p - y, and p is one half at the start
    last = (1.0 - 1.0 / (1.0 + math.exp(-first))) / 4.0  # one row of a batch of four
    assert model.bias.item() == pytest.approx(first + last, abs=1e-6)


def test_the_curve_has_twenty_points_a_pass_with_the_loss_since_the_last() -> None:
    curve = train_one(Bias(), _numbered(200), TrainingSettings(batch_size=5, learning_rate=1e-9), seed=0)
    assert [point.rows for point in curve] == list(range(10, 201, 10))
    assert [point.metrics["train_logloss"] for point in curve] == pytest.approx([math.log(2.0)] * 20)


def test_a_loss_that_is_not_finite_ends_training() -> None:
    with pytest.raises(DivergedError, match=r"must keep a finite loss, but it was nan by step 1; lower the learning"):
        train_one(Bias(math.nan), _numbered(4), TrainingSettings(), seed=0)


def test_divergence_is_noticed_within_fifty_steps() -> None:
    model = Bias(math.nan)
    with pytest.raises(DivergedError, match="by step 1;"):
        train_one(model, _numbered(10_000), TrainingSettings(batch_size=1), seed=0)
    assert len(model.seen) == 50


def test_training_lowers_the_loss(data: SearchData) -> None:
    model = Bias(3.0)
    curve = train_one(model, data.train, TrainingSettings(batch_size=50, learning_rate=0.1), seed=0)
    assert curve[-1].metrics["train_logloss"] < curve[0].metrics["train_logloss"] - 0.2


def test_scores_come_in_row_order() -> None:
    class Echo(Bias):
        def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
            return categorical[:, 0].float()

    assert score(Echo(), _numbered(5000)).tolist() == list(range(5000))
