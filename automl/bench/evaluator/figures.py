"""Arithmetic of the benchmark: differences with bounds, trials per hour, and the limit of a machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
HOUR = 3600.0
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Difference:
    """Mean relative difference of pairs, in per cent, and what it is below of with 95 % confidence."""

    pairs: int
    mean: float
    bound: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Difference:
        """Of pairs in one order; the bound is Student's, one-sided, and infinite for a single pair."""
        from scipy.stats import t

        found = [100.0 * (one - other) / other for one, other in zip(ours, theirs, strict=True)]
        count, mean = len(found), math.fsum(found) / len(found)
        if count < 2:
            return cls(count, mean, math.inf)
        deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in found) / (count - 1))
        return cls(count, mean, mean + float(t.ppf(CONFIDENCE, count - 1)) * deviation / math.sqrt(count))


def per_hour(candidates: int, spans: Sequence[tuple[float, float]]) -> float:
    """Trials an hour of processes that worked from the first start to the last end, in seconds."""
    return HOUR * candidates / (max(end for _, end in spans) - min(start for start, _ in spans))


def per_processor_hour(candidates: int, seconds: Sequence[float]) -> float:
    """Trials an hour of processes that have a core each, by the processor seconds of each: the slowest one counts."""
    return HOUR * candidates / max(seconds)


@dataclass(frozen=True)
class Work:
    """What training one candidate on one example takes: operations of matrix products, bytes of embeddings."""

    flops: float
    bytes: float

    def limit(self, matrix_rate: float, copy_rate: float) -> float:
        """Examples a second at most where `matrix_rate` operations and `copy_rate` bytes a second are."""
        return 1.0 / max(self.flops / matrix_rate, self.bytes / copy_rate)


def embedding_bytes(*, touched: float, lookups: float, dim: int, value_bytes: int) -> float:
    """Bytes that one table of one candidate moves in a step.

    Each touched row is read and written with its one number of optimizer state, in single precision, and each look-up
    writes a vector of `value_bytes` a number.
    """
    return touched * 2 * FLOAT_BYTES * (dim + 1) + lookups * dim * value_bytes
