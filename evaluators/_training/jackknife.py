"""An estimate with its values when each block of neighbouring rows is left out, and so with its standard error.

Estimates over the same blocks subtract: what both owe to the same rows then drops out of the error of the
difference. (Kuensch 1989, The jackknife and the bootstrap for general stationary observations.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Metric

Vector = NDArray[np.float64]

BLOCKS = 50
"""Contiguous blocks that the standard errors are taken over: neighbouring rows are not independent."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number, and what it would be without each block, [blocks]; None where it is not defined without one."""

    value: float
    left_out: Vector | None

    def __sub__(self, other: Estimate) -> Estimate:
        """The paired difference: both estimates lose the same block.

        Raises:
            EvaluatorError: the two are over different numbers of blocks.
        """
        if self.left_out is None or other.left_out is None:
            return Estimate(self.value - other.value, None)
        if self.left_out.shape != other.left_out.shape:
            raise EvaluatorError(
                f"paired estimates need the same blocks, but have {len(self.left_out)} and {len(other.left_out)}; "
                "take both over the same rows"
            )
        return Estimate(self.value - other.value, self.left_out - other.left_out)

    def metric(self) -> Metric:
        """The number with its standard error."""
        return Metric(self.value, None if self.left_out is None else spread(self.left_out))


def block_sums(values: Vector, blocks: int = BLOCKS) -> Vector:
    """Sums over contiguous blocks of values, [blocks]; as many blocks as values where there are fewer.

    >>> block_sums(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 2).tolist()
    [3.0, 12.0]
    """
    sums: Vector = np.add.reduceat(values, block_starts(len(values), blocks))
    return sums


def block_starts(count: int, blocks: int = BLOCKS) -> NDArray[np.int64]:
    """First index of each of the blocks that `count` values are cut into, [blocks]."""
    return np.linspace(0, count, min(blocks, count), endpoint=False).astype(np.int64)


def without_each_block(values: Vector, blocks: int = BLOCKS) -> Vector:
    """Sums over all values but those of one block, [blocks]."""
    left: Vector = values.sum() - block_sums(values, blocks)
    return left


def spread(left_out: Vector) -> float:
    """Standard error from the values of an estimate without each block, [blocks]."""
    return float(np.sqrt((len(left_out) - 1) * left_out.var()))
