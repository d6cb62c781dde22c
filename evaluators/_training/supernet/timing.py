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
"""Requests of each: the median of nine ratios had a spread of 4 to 9 % for a model of 0.2 ms on a busy CPU."""

ROWS = {"qps": STREAM_BATCH, "latency_ms_p50": REQUEST_EXAMPLES, "latency_ms_p99": REQUEST_EXAMPLES}
"""Rows of a request where these metrics of serving are meant."""

Clock = Callable[[], float]


def relative_time(
    model: nn.Module, reference: nn.Module, examples: Examples, *, metric: str, clock: Clock = time.perf_counter
) -> float:
    """Time of a request to the model over that to the reference, as a median; the way to the device and back is in it.

    Of what is far out in few requests, as p99 is, the middle ones tell the same: what makes a model slower.
    """
    request = _request(examples, ROWS[metric])
    both = (model.eval(), reference.eval())
    with torch.inference_mode():
        for _ in range(WARM_UPS):
            _times(both, request, examples.device, clock)
        pairs = np.array([_times(both, request, examples.device, clock) for _ in range(TURNS)])
    return float(np.median(pairs[:, 0] / pairs[:, 1]))


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
