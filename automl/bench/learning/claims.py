"""What a learning test claims of its models' scores, and whether it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TRUTH = "truth"
"""The name of the true log-odds among the scores."""


@dataclass(frozen=True)
class Score:
    """NE and AUC of one model or bound on the rows of one seed."""

    ne: float
    auc: float


Scores = Mapping[str, Score]


@dataclass(frozen=True)
class Claim:
    """A figure of the scores of one seed that must be at least `bound`, in the mean of the seeds."""

    text: str
    figure: Callable[[Scores], float]
    bound: float

    def verdict(self, seeds: Sequence[Scores]) -> dict[str, Any]:
        """What was expected and what was measured: mean, standard error over seeds, the least."""
        found = [self.figure(one) for one in seeds]
        mean = sum(found) / len(found)
        squares = sum((one - mean) ** 2 for one in found)
        stderr = math.sqrt(squares / (len(found) - 1) / len(found)) if len(found) > 1 else None
        return {
            "claim": self.text,
            "at_least": self.bound,
            "measured": round(mean, 5),
            "stderr": None if stderr is None else round(stderr, 5),
            "least": round(min(found), 5),
            "holds": mean >= self.bound,
        }


def beats(one: str, other: str, *, by: float = 0.02) -> Claim:
    """More AUC than another model."""
    return Claim(f"AUC of {one} over {other}", lambda scores: scores[one].auc - scores[other].auc, by)


def learns(one: str, *, floor: str, share: float = 0.9) -> Claim:
    """Most of the NE that lies between the best model of a limited kind and the truth."""

    def figure(scores: Scores) -> float:
        return (scores[floor].ne - scores[one].ne) / (scores[floor].ne - scores[TRUTH].ne)

    return Claim(f"share learnt by {one} of what is between {floor} and {TRUTH}", figure, share)


def is_limited(one: str, *, by: str, tolerance: float = 0.002) -> Claim:
    """No less NE than the best model of its kind, as far as the luck of the rows lets one tell."""
    return Claim(f"NE of {one} above {by}", lambda scores: scores[one].ne - scores[by].ne, -tolerance)


def is_no_worse(one: str, other: str, *, tolerance: float = 0.001) -> Claim:
    """As little NE as another model, as far as the luck of training lets one tell."""
    return Claim(f"NE of {other} over {one}", lambda scores: scores[other].ne - scores[one].ne, -tolerance)
