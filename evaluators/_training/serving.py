"""How fast a trained model answers on this device: throughput of a stream, latency of a request."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from evaluators._evaluation import Metric
from evaluators._training.examples import Batch, Examples

STREAM_BATCH = 512
REQUEST_EXAMPLES = 64
WARM_UPS = 5
REQUESTS = 50
STREAM_SECONDS = 0.1
LEAST_STREAM_BATCHES = 3

Clock = Callable[[], float]


def measure_serving(model: nn.Module, examples: Examples, *, clock: Clock = time.perf_counter) -> dict[str, Metric]:
    """qps (examples a second, batches of 512), latency_ms_p50 and latency_ms_p99 (one request of 64).

    A request includes the way to the device and back. Warm-up is left out; the first `REQUESTS` requests
    decide, so p99 is close to the slowest of fifty.
    """
    model.eval()
    with torch.inference_mode():
        stream = _first(examples, STREAM_BATCH)
        request = _on_host(_first(examples, REQUEST_EXAMPLES))
        for _ in range(WARM_UPS):
            _answer(model, request, examples.device)
        milliseconds = [1000.0 * _timed(model, request, examples.device, clock) for _ in range(REQUESTS)]
        rate = _stream(model, stream, clock)
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return {
        "qps": Metric(rate),
        "latency_ms_p50": Metric(float(p50)),
        "latency_ms_p99": Metric(float(p99)),
    }


def _first(examples: Examples, rows: int) -> Batch:
    return next(examples.batches(np.arange(rows, dtype=np.int64) % len(examples), rows))


def _on_host(batch: Batch) -> Batch:
    return Batch(batch.numeric.cpu(), batch.categorical.cpu(), batch.label.cpu())


def _answer(model: nn.Module, request: Batch, device: torch.device) -> None:
    model(request.numeric.to(device), request.categorical.to(device)).cpu()


def _timed(model: nn.Module, request: Batch, device: torch.device, clock: Clock) -> float:
    started = clock()
    _answer(model, request, device)
    return clock() - started


def _stream(model: nn.Module, batch: Batch, clock: Clock) -> float:
    model(batch.numeric, batch.categorical).cpu()
    started, scored = clock(), 0
    while scored < LEAST_STREAM_BATCHES or clock() - started < STREAM_SECONDS:
        model(batch.numeric, batch.categorical).cpu()
        scored += 1
    return scored * len(batch.label) / max(clock() - started, 1e-9)
