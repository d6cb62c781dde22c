"""How long a sub-network takes to answer, beside another model: asked in turn, so that the pace of the machine cancels.

A sub-network is the stand-alone model of its candidate, whatever its weights are, and takes as long; its tables are
columns of wider ones, which makes looking up a little slower.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from evaluators._training.examples import Batch, Examples
from evaluators._training.serving import REQUEST_EXAMPLES, STREAM_BATCH

WARM_UPS = 2
TURNS = 9
"""Requests of each, of which the fastest counts: what else a machine does only adds, and where it is busy it adds to
most of them. On two busy cores a model of 0.8 ms was held up for 5 ms in up to half of its requests."""

ROWS = {"qps": STREAM_BATCH, "latency_ms_p50": REQUEST_EXAMPLES, "latency_ms_p99": REQUEST_EXAMPLES}
"""Rows of a request where these metrics of serving are meant."""

Clock = Callable[[], float]


def relative_time(
    model: nn.Module, reference: nn.Module, examples: Examples, *, metric: str, clock: Clock = time.perf_counter
) -> float:
    """Time of a request to the model over that to the reference; the way to the device and back is in it.

    Of what is far out in few requests, as p99 is, the fastest tell the same: what makes a model slower.
    """
    request = _request(examples, ROWS[metric])
    both = (model.eval(), reference.eval())
    with torch.inference_mode():
        for _ in range(WARM_UPS):
            _times(both, request, examples.device, clock)
        pairs = np.array([_times(both, request, examples.device, clock) for _ in range(TURNS)])
    own, other = pairs.min(axis=0)
    return float(own / other)


def _times(models: tuple[nn.Module, ...], request: Batch, device: torch.device, clock: Clock) -> list[float]:
    found = []
    for model in models:
        started = clock()
        model(request.numeric.to(device), request.categorical.to(device)).cpu()
        found.append(max(clock() - started, 1e-9))
    return found


def _request(examples: Examples, rows: int) -> Batch:
    batch = next(examples.batches(np.arange(rows, dtype=np.int64) % len(examples), rows))
    return Batch(batch.numeric.cpu(), batch.categorical.cpu(), batch.label.cpu())
