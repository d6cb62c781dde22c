"""Everything that finals choose, by the validation part alone: finalist, baseline, and which models to average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl.finals._lessons import Lesson
from evaluators._training.metrics import entropy, quality, row_losses

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trained:
    """An entrant's trainings, one for each seed."""

    lessons: tuple[Lesson, ...]

    @property
    def name(self) -> str:
        """The entrant's name."""
        return self.lessons[0].entrant.name

    @property
    def is_baseline(self) -> bool:
        """Whether it stands for what was there before the search."""
        return self.lessons[0].entrant.is_baseline

    @property
    def is_trees(self) -> bool:
        """Whether it is boosted trees and no network."""
        return self.lessons[0].entrant.is_trees

    @property
    def failure(self) -> str | None:
        """Why it cannot be compared: the failure of its first training that gave no model."""
        return next((one.failure for one in self.lessons if one.failure), None)


@dataclass(frozen=True)
class Average:
    """The mean logit of a few models with all their seeds, and its NE on the valid part."""

    names: tuple[str, ...]
    members: tuple[Lesson, ...]
    valid_ne: float


@dataclass(frozen=True, eq=False)
class Choice:
    """The entrants that gave a model under every seed, best mean valid NE first, and what follows from that.

    `valid` holds NE and AUC on the valid part by lesson, `labels` the valid part's labels.
    """

    entrants: tuple[Trained, ...]
    failed: tuple[Trained, ...]
    valid: dict[Lesson, dict[str, float]]
    labels: Vector

    @property
    def finalists(self) -> tuple[Trained, ...]:
        """Those of the search, best first."""
        return tuple(one for one in self.entrants if not one.is_baseline)

    @property
    def baselines(self) -> tuple[Trained, ...]:
        """Those that the search was measured against, best first."""
        return tuple(one for one in self.entrants if one.is_baseline)

    @property
    def pair(self) -> tuple[Trained, Trained] | None:
        """The best baseline and the best of the other kind, network or trees; None where all are of one kind."""
        best = self.baselines[0] if self.baselines else None
        other = next((one for one in self.baselines if best and one.is_trees != best.is_trees), None)
        return None if best is None or other is None else (best, other)

    @cached_property
    def averages(self) -> tuple[Average, ...]:
        """The average of the first 1, 2, ... finalists; without any, of the best baseline and of the pair."""
        total = np.zeros(len(self.labels))
        members: tuple[Lesson, ...] = ()
        names: tuple[str, ...] = ()
        found = []
        for one in self.finalists or self.pair or self.baselines[:1]:
            for lesson in one.lessons:
                total += lesson.logits("valid")
            members, names = (*members, *one.lessons), (*names, one.name)
            found.append(Average(names, members, ne_of(total / len(members), self.labels)))
        return tuple(found)

    @property
    def blend(self) -> Average | None:
        """The average of finalists of the least NE on valid; None without finalists, whom alone a search has found."""
        return min(self.averages, key=lambda one: one.valid_ne) if self.finalists else None

    @property
    def blend_members(self) -> tuple[Lesson, ...]:
        """Every training in the blend."""
        return self.blend.members if self.blend else ()

    def to_dict(self) -> dict[str, Any]:
        """What was chosen, JSON types only."""
        return {
            "chosen_by": "mean NE on the validation part over fresh seeds",
            "finalists": [one.name for one in self.finalists],
            "baselines": [one.name for one in self.baselines],
            "blend": list(self.blend.names) if self.blend else [],
        }


def choose(entrants: Sequence[Trained], labels: Vector) -> Choice:
    """Ranks the entrants by their mean NE on the valid part, `labels` `[rows]` its labels.

    Raises:
        StudyError: no finalist of those there are, or only one model at all, has been trained under every seed.
    """
    complete = [one for one in entrants if one.failure is None]
    failed = [one for one in entrants if one.failure is not None]
    is_searched = any(not one.is_baseline for one in entrants)
    if len(complete) < 2 or (is_searched and all(one.is_baseline for one in complete)):
        reasons = "".join(f"\n  {one.name}: {one.failure}" for one in failed)
        raise StudyError(
            f"finals compare {'a finalist with something' if is_searched else 'two baselines at least'}, but "
            f"{len(complete)} of {len(entrants)} models trained under every seed; take "
            f"{'a larger --top' if is_searched else 'more baselines'}{reasons}"
        )
    valid = {lesson: metrics_of(lesson, "valid", labels) for one in complete for lesson in one.lessons}
    ranked = sorted(complete, key=lambda one: float(np.mean([valid[lesson]["ne"] for lesson in one.lessons])))
    return Choice(tuple(ranked), tuple(failed), valid, labels)


def metrics_of(lesson: Lesson, part: str, labels: Vector) -> dict[str, float]:
    """NE and AUC of a lesson on a part with `labels` `[rows]`."""
    found = quality(lesson.logits(part), labels)
    return {name: found[name].value for name in ("ne", "auc")}


def mean_logits(lessons: Sequence[Lesson], part: str) -> Vector:
    """The mean of the lessons' logits `[rows]`, one of them in memory at a time."""
    total = lessons[0].logits(part)
    for one in lessons[1:]:
        total += one.logits(part)
    return total / len(lessons)


def ne_of(logits: Vector, labels: Vector) -> float:
    """NE of logits `[rows]` on labels of both classes."""
    return float(row_losses(logits, labels).mean()) / entropy(float(labels.mean()))
