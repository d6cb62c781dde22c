"""What one evaluation gives: metrics with their errors, or a failure with its kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from evaluators._errors import EvaluatorError


@dataclass(frozen=True)
class Metric:
    """A finite number with its standard error, where one is known.

    Raises:
        EvaluatorError: the value is not finite, or the error is negative.
    """

    value: float
    stderr: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise EvaluatorError(f"a metric must be finite, but is {self.value}; report a failure instead")
        if self.stderr is not None and not (math.isfinite(self.stderr) and self.stderr >= 0):
            raise EvaluatorError(f"a standard error must be finite and not negative, but is {self.stderr}")


@dataclass(frozen=True)
class Point:
    """One point of a learning curve: training rows seen, and the metrics there."""

    rows: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Evaluation:
    """A finished measurement. `stopped_at` is the row count at which racing ended it early, else None."""

    metrics: Mapping[str, Metric]
    curve: tuple[Point, ...] = ()
    stopped_at: int | None = None
    seconds: float = 0.0

    def value(self, metric: str) -> float:
        """The metric's value.

        Raises:
            EvaluatorError: the evaluation has no such metric.
        """
        if metric not in self.metrics:
            raise EvaluatorError(f"no metric {metric!r} in this evaluation; it has {', '.join(sorted(self.metrics))}")
        return self.metrics[metric].value

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {
            "metrics": {name: [one.value, one.stderr] for name, one in self.metrics.items()},
            "curve": [[point.rows, dict(point.metrics)] for point in self.curve],
            "stopped_at": self.stopped_at,
            "seconds": self.seconds,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Evaluation:
        """Reads what `to_dict` wrote."""
        return cls(
            {name: Metric(value, stderr) for name, (value, stderr) in content["metrics"].items()},
            tuple(Point(rows, metrics) for rows, metrics in content["curve"]),
            content["stopped_at"],
            content["seconds"],
        )


class FailureKind(StrEnum):
    """Why a trial has no evaluation. Each asks for another remedy."""

    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    INVALID = "invalid"


@dataclass(frozen=True)
class Failure:
    """A trial that gave no evaluation, with the reason in one sentence."""

    kind: FailureKind
    reason: str
    seconds: float = field(default=0.0, compare=False)
