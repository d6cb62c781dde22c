"""How often the fidelity audit is right: planted rungs, audited many times over.

Letters: n candidates, a and b the true qualities at the rung and in full, R the reliability of one label,
q the true tau in units of its ceiling.

Labels are drawn as the audit meets them: two replicates of the rung and two of full training, standard normal truths
with correlation rho, independent normal noise of variance 1 / R - 1. The audit compares means over two replicates, so
q is planted for those: rho = sin(q arcsin c) / c with c = sqrt(R'_x R'_y) and R' = 2 R / (1 + R).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.bench._timing import machine
from automl.fidelity import Labels, Look, Rule, Verdict, audited

REPLICATES = 2
FULL_RELIABILITY = 0.75
"""Of one full training: the goal of the evaluator's own benchmark."""


@dataclass(frozen=True)
class Plant:
    """One kind of rung: what it is called, the reliability of one of its labels, and q."""

    name: str
    reliability: float
    share: float
    full_reliability: float = FULL_RELIABILITY


PLANTS = (
    Plant("precise but wrong", 0.9, 0.0),
    Plant("precise but reversed", 0.9, -0.3),
    *(Plant(f"{share:g} of its ceiling", 0.75, share) for share in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
    Plant("noisy but faithful", 0.4, 1.0),
    Plant("0.9 of its ceiling, naive full training", 0.75, 0.9, full_reliability=0.45),
    Plant("no order in full training", 0.75, 0.9, full_reliability=0.02),
)


def audits(*, audits: int, seed: int, rule: Rule | None = None) -> dict[str, Any]:
    """Audits each planted rung so many times; shares of accepted and refused ones with 95 % Wilson intervals."""
    rule = rule or Rule()
    return {
        "audits": audits,
        "seed": seed,
        "rule": {"steps": list(rule.steps), "share": rule.share, "confidence": rule.confidence},
        "machine": machine(),
        "rungs": [_row(plant, audits, rule, np.random.default_rng([seed, at])) for at, plant in enumerate(PLANTS)],
    }


def planted(plant: Plant, count: int, rng: np.random.Generator) -> tuple[Labels, Labels]:
    """Labels of `count` candidates at the rung and in full training."""
    limit = math.sqrt(_of_mean(plant.reliability) * _of_mean(plant.full_reliability))
    rho = math.sin(plant.share * math.asin(limit)) / limit
    truth = rng.standard_normal(count)
    other = rho * truth + math.sqrt(1 - rho**2) * rng.standard_normal(count)
    return _labels(other, plant.reliability, rng), _labels(truth, plant.full_reliability, rng)


def wilson(hits: int, count: int, *, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share (Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference).

    >>> [round(one, 3) for one in wilson(190, 200)]
    [0.91, 0.973]
    """
    share = hits / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return centre - half, centre + half


def _of_mean(reliability: float) -> float:
    return REPLICATES * reliability / (1 + (REPLICATES - 1) * reliability)


def _labels(truth: np.ndarray[Any, np.dtype[np.float64]], reliability: float, rng: np.random.Generator) -> Labels:
    noise = math.sqrt(1 / reliability - 1)
    return Labels(truth[:, None] + noise * rng.standard_normal((len(truth), REPLICATES)))


def _row(plant: Plant, count: int, rule: Rule, rng: np.random.Generator) -> dict[str, Any]:
    looks = [
        audited(*planted(plant, rule.steps[-1], rng), rule=rule, rngs=[rng] * len(rule.steps)) for _ in range(count)
    ]
    ends = [one[-1] for one in looks]
    return {
        "rung": plant.name,
        "reliability": plant.reliability,
        "full_reliability": plant.full_reliability,
        "share_of_ceiling": plant.share,
        **_rate("accepted", ends, Verdict.ACCEPTED),
        **_rate("refused", ends, Verdict.REFUSED),
        "undecided": sum(one.reason.startswith("undecided") for one in ends) / count,
        "candidates": float(np.mean([rule.steps[len(one) - 1] for one in looks])),
        "tau": float(np.mean([one.agreement.tau for one in ends])),
        "ceiling": float(np.mean([one.agreement.ceiling for one in ends])),
    }


def _rate(name: str, ends: Sequence[Look], verdict: Verdict) -> dict[str, Any]:
    hits = sum(one.verdict is verdict for one in ends)
    return {name: hits / len(ends), f"{name}_interval": [round(one, 4) for one in wilson(hits, len(ends))]}
