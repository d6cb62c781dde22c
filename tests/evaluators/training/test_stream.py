"""The stream of batches: the same for equal plans, kept for the next cohort, down-sampled by row."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from evaluators._datasets import Part
from evaluators._training.examples import Batch, Examples
from evaluators._training.lookup import Lookup
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan, Step, Stream

CPU = torch.device("cpu")
ROWS = 400


def _examples(rows: int = ROWS) -> Examples:
    ids = np.arange(rows, dtype=np.int32)[:, None]
    return Examples(Part((ids[:, 0] % 4 == 0).astype(np.float32), ids.astype(np.float32), ids), CPU)


class Finder:
    """Looks everything up, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, batch: Batch) -> dict[str, Lookup]:
        self.calls += 1
        return {"ids": Lookup.of(batch.categorical, ROWS, CPU)}


def _plan(seed: int = 1, **settings: object) -> Plan:
    return Plan.of(TrainingSettings().overridden({"batch_size": 64, **settings}), ROWS, seed=seed)


def _steps(stream: Stream, plan: Plan, finder: Finder) -> Iterator[Step]:
    return stream.steps(plan, 0, finder, frozenset({"ids"}))


def _ids(stream: Stream, plan: Plan) -> list[int]:
    return [int(one) for step in _steps(stream, plan, Finder()) for one in step.batch.categorical[:, 0]]


def test_a_pass_that_is_kept_is_the_same_and_is_not_looked_up_again() -> None:
    stream, finder = Stream(_examples()), Finder()
    first = [step.batch.categorical[:, 0].tolist() for step in _steps(stream, _plan(), finder)]
    again = [step.batch.categorical[:, 0].tolist() for step in _steps(stream, _plan(), finder)]
    assert first == again
    assert finder.calls == len(first) == math.ceil(ROWS / 64)


def test_a_pass_that_needs_too_much_memory_is_read_again() -> None:
    stream, finder = Stream(_examples(), kept_bytes=0), Finder()
    for _ in range(2):
        assert sum(len(step.batch.label) for step in _steps(stream, _plan(), finder)) == ROWS
    assert finder.calls == 2 * math.ceil(ROWS / 64)


def test_a_pass_that_was_broken_off_is_not_kept() -> None:
    stream = Stream(_examples())
    next(_steps(stream, _plan(), Finder()))
    assert len(_ids(stream, _plan())) == ROWS


def test_another_seed_gives_another_order_of_the_same_rows() -> None:
    one, other = (_ids(Stream(_examples()), _plan(seed)) for seed in (1, 2))
    assert one != other
    assert sorted(one) == sorted(other) == list(range(ROWS))


def test_a_cap_takes_the_last_rows_and_a_prefix_the_first() -> None:
    stream = Stream(_examples())
    assert sorted(_ids(stream, _plan(rows=50))) == list(range(350, 400))
    assert sorted(_ids(stream, _plan(rows=50, prefix=True))) == list(range(50))


def test_down_sampling_keeps_every_click_and_the_same_others_in_each_order() -> None:
    stream = Stream(_examples())
    kept = set(_ids(stream, _plan(negative_rate=0.3)))
    assert {one for one in range(ROWS) if one % 4 == 0} <= kept
    others = sum(one % 4 != 0 for one in kept)
    assert 50 < others < 130  # 300 of them at 0.3: 90, with a standard deviation of 8
    later = {
        int(one)
        for step in stream.steps(_plan(negative_rate=0.3), 1, Finder(), frozenset())
        for one in step.batch.categorical[:, 0]
    }
    assert later == kept


def test_the_logits_make_up_for_what_down_sampling_leaves_out() -> None:
    # trained on 100 clicks and 30 of 300 others, logit + offset fits odds of 100/30: the logit alone those of 100/300
    trained = math.log(100 / 30)
    assert math.exp(trained - _plan(negative_rate=0.1).offset) == pytest.approx(100 / 300)
