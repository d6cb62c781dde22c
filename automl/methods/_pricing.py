"""Which cost of a candidate is priced, and from where on: known in closed form, or timed beside the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from automl.proposals import CLOSED_FORM
from evaluators import Goal, Objective

TIMED: Mapping[str, Goal] = MappingProxyType(
    {"latency_ms_p50": Goal.MINIMIZE, "latency_ms_p99": Goal.MINIMIZE, "qps": Goal.MAXIMIZE}
)
"""Metrics that nothing but a measurement tells, and where they should go."""

PRICED = (*CLOSED_FORM, *TIMED)


@dataclass(frozen=True)
class PricedCost:
    """Candidates pay for a cost by `metric` beyond `bound`, in its unit; without one, beyond what the baseline has."""

    metric: str
    bound: float | None

    @property
    def is_timed(self) -> bool:
        """Whether it has to be measured."""
        return self.metric in TIMED

    def free_time(self, own: float) -> float:
        """The time that costs nothing over the baseline's, if `own` is the baseline's value of a timed metric.

        >>> PricedCost("latency_ms_p50", 3.0).free_time(2.0), PricedCost("qps", 2000.0).free_time(3000.0)
        (1.5, 1.5)
        >>> PricedCost("qps", None).free_time(3000.0)
        1.0
        """
        if self.bound is None:
            return 1.0
        return self.bound / own if TIMED[self.metric] is Goal.MINIMIZE else own / self.bound


def priced_cost(objectives: Sequence[Objective], *, metric: str | None, bound: float | None) -> PricedCost | None:
    """What was named, else the first objective in closed form, else the first that is timed; None without any.

    >>> priced_cost([Objective("ne"), Objective("qps", bound=900.0), Objective("flops")], metric=None, bound=None)
    PricedCost(metric='flops', bound=None)
    >>> priced_cost([Objective("ne"), Objective("qps", bound=900.0)], metric=None, bound=None)
    PricedCost(metric='qps', bound=900.0)
    """
    for objective in _eligible(objectives):
        if metric in (None, objective.metric):
            return PricedCost(objective.metric, bound or objective.bound)
    return None if metric is None else PricedCost(metric, bound)


def _eligible(objectives: Sequence[Objective]) -> Iterator[Objective]:
    yield from (one for one in objectives if one.metric in CLOSED_FORM and one.goal is Goal.MINIMIZE)
    yield from (one for one in objectives if TIMED.get(one.metric) is one.goal)
