"""What finals say where nobody has searched: how far each baseline is from the best one on valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl.finals._comparisons import holm
from automl.finals._verdicts import ERROR, MARGIN, Judged, Scores, family_of

COMPARED = "compared"
"""What stands in the place of a verdict's kind: there is no winner where nobody has searched."""


class Relation(StrEnum):
    """Of a baseline to the reference, on test."""

    ALIKE = "no difference"
    BETTER = "better"
    WORSE = "worse"
    NOT_PROVEN = "not proven to differ"


@dataclass(frozen=True)
class Standings:
    """Every other baseline against `reference`, the best on valid: comparisons and what they say, by name."""

    reference: str
    margin_percent: float
    against: Mapping[str, Judged]
    relations: Mapping[str, Relation]

    @property
    def family(self) -> int:
        """How many comparisons each was corrected for."""
        return len(self.against)


def compare_baselines(
    entrants: Sequence[Scores], weights: NDArray[np.float64], *, margin_percent: float = MARGIN
) -> Standings:
    """Compares each baseline with the one of the best mean valid NE, two-sided, as one family.

    `weights` `[days]` are the days' shares of the test rows. A baseline makes no difference where the difference lies
    within the margin (two one-sided tests), else it is better or worse where p is at most 5 %; both kinds of p are
    corrected by Holm over the family.

    Raises:
        StudyError: there are not two to compare.
    """
    ranked = sorted(entrants, key=lambda one: one.mean_valid)
    if len(ranked) < 2:
        raise StudyError(f"finals compare at least two baselines, but there are {len(ranked)}; tune more of them")
    reference, *others = ranked
    family = family_of([(one, reference) for one in others], weights, is_directed=False)
    against = {name: judged for (name, _), judged in family.items()}
    margins = [margin_percent / 100.0 * one.reference_ne for one in against.values()]
    alike = holm([one.comparison.equivalence_p(margin) for one, margin in zip(against.values(), margins, strict=True)])
    relations = {name: _relation(one, p) for (name, one), p in zip(against.items(), alike, strict=True)}
    return Standings(reference.name, margin_percent, against, relations)


def standings_sentence(found: Standings, *, seeds: int, days: int = 1) -> str:
    """The standings as people read them."""
    span = f"{seeds} seeds" + (f" and {days} days" if days > 1 else "")
    parts = []
    for relation in Relation:
        names = [name for name, one in found.relations.items() if one is relation]
        if names:
            within = f" (±{found.margin_percent:g} %)" if relation is Relation.ALIKE else ""
            parts.append(f"{relation.value}{within}: {' and '.join(names)}")
    return (
        f"{COMPARED}: {found.reference} is the best of {found.family + 1} baselines on valid (nothing was searched); "
        f"against it on test, over {span}, {'; '.join(parts)}"
    )


def _relation(judged: Judged, alike_p: float) -> Relation:
    if alike_p <= ERROR:
        return Relation.ALIKE
    if judged.adjusted_p > ERROR:
        return Relation.NOT_PROVEN
    return Relation.BETTER if judged.percent < 0 else Relation.WORSE
