"""Seconds of a training step: its work, the coefficients that runs were fitted with, and what hides behind what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from evaluators._codesign.coefficients import Coefficients
from evaluators._codesign.work import Work
from searchspaces.deployment import Plan

NETWORK_SHARE = 0.75
"""Of a link's peak that large collectives reach, where no coefficient says so."""

UNCOMPILED_SECONDS = 1e-3
"""A micro-batch's launches without capture or fusion: some 200 kernels of 5 microseconds, a guess."""

_SOFTNESS = 0.1


class Origin(StrEnum):
    """Whether a coefficient of the term was fitted to measured runs."""

    FITTED = "fitted"
    FORMULA = "formula only"


ORIGINS: Mapping[str, Origin] = MappingProxyType(
    {
        "dense": Origin.FITTED,
        "lookups": Origin.FITTED,
        "exchange": Origin.FITTED,
        "all_reduce": Origin.FITTED,
        "overhead": Origin.FITTED,
        "straggling": Origin.FORMULA,
        "latency": Origin.FORMULA,
        "indices": Origin.FORMULA,
        "gathers": Origin.FORMULA,
        "synchronisation": Origin.FORMULA,
        "launches": Origin.FORMULA,
        "reading": Origin.FORMULA,
    }
)
"""Every term of a step. Of `exchange` what hides behind the dense part is fitted, the share of the peak is not.

`gathers` borrow the factor of gradients, as they are of the same size.
"""


@dataclass(frozen=True)
class Step:
    """Seconds by term; terms add up."""

    terms: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Of the whole step."""
        return sum(self.terms.values())


def step(work: Work, plan: Plan, coefficients: Coefficients) -> Step:
    """The terms of a step, all exposed: what is hidden behind another is left out of its term."""
    often = plan.accumulation
    dense, lookups = coefficients.dense * work.dense, coefficients.lookups * work.lookups
    exchange, gathers = work.exchange / NETWORK_SHARE, coefficients.all_reduce * work.gathers
    shown = _exposed_share(exchange + gathers, coefficients.overlap * dense if plan.prefetch else 0.0)
    terms = {
        "dense": often * dense,
        "lookups": often * lookups,
        "exchange": often * shown * exchange,
        "all_reduce": coefficients.all_reduce * work.all_reduce,
        "overhead": often * coefficients.overhead_seconds,
        "straggling": often * (work.straggling - 1) * (dense + lookups),
        "latency": often * work.exchange_latency,
        "indices": 0.0 if plan.prefetch else often * work.indices / NETWORK_SHARE,
        "gathers": often * shown * gathers,
        "synchronisation": work.synchronisation / NETWORK_SHARE,
        "launches": 0.0 if plan.compiled else often * UNCOMPILED_SECONDS,
    }
    computing = sum(terms.values()) if plan.prefetch else 0.0
    terms["reading"] = max(0.0, work.reading - computing)
    return Step(MappingProxyType(terms))


def _exposed_share(seconds: float, window: float) -> float:
    """The share of all that is sent which a window of compute does not hide.

    Everything shares the one window, in proportion. Smooth where both are about as long, as both vary.
    """
    if window == 0.0 or seconds == 0.0:
        return 1.0
    left = 1.0 - window / seconds
    return min(1.0, 0.5 * (left + math.sqrt(left * left + _SOFTNESS**2)))
