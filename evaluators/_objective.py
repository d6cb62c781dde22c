"""Metrics by name, and what is wanted of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from evaluators._errors import ObjectiveError


class Goal(StrEnum):
    """Which way is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


KNOWN_METRICS = MappingProxyType(
    {
        "ne": Goal.MINIMIZE,
        "auc": Goal.MAXIMIZE,
        "logloss": Goal.MINIMIZE,
        "ne_calibrated": Goal.MINIMIZE,
        "ne_progressive": Goal.MINIMIZE,
        "ne_gain": Goal.MAXIMIZE,
        "ne_progressive_gain": Goal.MAXIMIZE,
        "supernet_ne": Goal.MINIMIZE,
        "supernet_auc": Goal.MAXIMIZE,
        "short_ne": Goal.MINIMIZE,
        "flops": Goal.MINIMIZE,
        "macs": Goal.MINIMIZE,
        "params": Goal.MINIMIZE,
        "embedding_bytes": Goal.MINIMIZE,
        "examples_per_second": Goal.MAXIMIZE,
        "speed_ratio": Goal.MAXIMIZE,
        "qps": Goal.MAXIMIZE,
        "latency_ms_p50": Goal.MINIMIZE,
        "latency_ms_p99": Goal.MINIMIZE,
        "peak_memory_bytes": Goal.MINIMIZE,
        "train_seconds": Goal.MINIMIZE,
        "energy_joules": Goal.MINIMIZE,
        "step_seconds": Goal.MINIMIZE,
        "dollars_per_billion_examples": Goal.MINIMIZE,
    }
)


@dataclass(frozen=True)
class Objective:
    """A metric to improve, with an optional bound that a feasible trial must keep.

    >>> Objective("auc").goal.value
    'maximize'

    Raises:
        ObjectiveError: the metric has no known goal and none is given, or the bound is not finite.
    """

    metric: str
    goal: Goal = None  # type: ignore[assignment]  # filled in below
    bound: float | None = None

    def __post_init__(self) -> None:
        goal = self.goal or KNOWN_METRICS.get(self.metric)
        if goal is None:
            raise ObjectiveError(
                f"an objective needs a goal, but {self.metric!r} is no known metric "
                f"({', '.join(KNOWN_METRICS)}); add 'goal: minimize' or 'goal: maximize'"
            )
        if goal not in tuple(Goal):
            raise ObjectiveError(f"a goal must be 'minimize' or 'maximize', but {self.metric!r} has {goal!r}")
        object.__setattr__(self, "goal", Goal(goal))
        if self.bound is not None and not math.isfinite(self.bound):
            raise ObjectiveError(f"a bound must be finite, but {self.metric!r} has {self.bound}")

    def loss(self, value: float) -> float:
        """The value turned so that smaller is better."""
        return value if self.goal is Goal.MINIMIZE else -value

    def is_kept(self, value: float) -> bool:
        """Whether the value respects the bound."""
        return self.bound is None or self.loss(value) <= self.loss(self.bound)
