"""Serving speed under a clock of our own, and on the real one."""

from __future__ import annotations

import time
from itertools import count

import pytest
import torch
from torch import Tensor, nn

from evaluators._training.search_data import SearchData
from evaluators._training.serving import REQUESTS, measure_serving


class Counting(nn.Module):
    """Remembers how many rows each call had."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        self.calls.append(len(numeric))
        return torch.zeros(len(numeric))


def test_times_come_from_the_clock(data: SearchData) -> None:
    ticks = count()
    found = measure_serving(Counting(), data.valid, clock=lambda: 0.25 * next(ticks))
    assert (found["latency_ms_p50"].value, found["latency_ms_p99"].value) == (250.0, 250.0)
    # three batches between the first look at the clock and the fourth after it
    assert found["qps"].value == pytest.approx(3 * 512 / (0.25 * 2))


def test_requests_have_64_examples_and_are_warmed_up_and_repeated(data: SearchData) -> None:
    model = Counting()
    measure_serving(model, data.valid)
    assert model.calls.count(64) > REQUESTS
    assert set(model.calls) == {64, 512}


def test_measuring_takes_well_under_half_a_second(data: SearchData) -> None:
    started = time.perf_counter()
    measure_serving(Counting(), data.valid)
    assert time.perf_counter() - started < 0.5
