"""The verdict of finals: is the finalist better than the best baseline, as good, or is neither proven?

Who stands for the finalists and who for the baselines is decided on the validation part; the test part decides
how far they are apart. The decision record 0018 has the reasons for each rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl.finals._comparisons import Comparison, crossed, holm

ERROR = 0.05
"""Of a false winner among all finalists, and of a false tie."""

MARGIN = 0.1
"""Percent of NE: what the literature of these models calls an improvement begins at one in a thousand."""

POWER = 0.8


class Kind(StrEnum):
    """What finals can say."""

    WINNER = "winner"
    TIE = "tie"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model's trainings are worth: NE on valid `[seeds]` and on test `[seeds, days]`.

    A day's test NE is its mean log loss over the entropy of the whole test part, so that the mean of the days,
    weighted with their shares of the rows, is the NE of the test part.
    """

    name: str
    is_baseline: bool
    valid: NDArray[np.float64]
    test: NDArray[np.float64]

    @property
    def mean_valid(self) -> float:
        """What choices are made by."""
        return float(self.valid.mean())


@dataclass(frozen=True)
class Judged:
    """One comparison of its family: p corrected for the others, and the effect in percent of the second's NE."""

    comparison: Comparison
    adjusted_p: float
    reference_ne: float

    @property
    def percent(self) -> float:
        """The effect, negative where the first of the two is better."""
        return 100.0 * self.comparison.effect / self.reference_ne

    @property
    def percent_interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        low, high = self.comparison.interval()
        return 100.0 * low / self.reference_ne, 100.0 * high / self.reference_ne


@dataclass(frozen=True)
class Verdict:
    """The verdict on `chosen` against `reference`, and every comparison of its family by the name of the finalist.

    `family` counts the comparisons that the deciding one was corrected for.
    """

    kind: Kind
    chosen: str
    reference: str
    margin_percent: float
    family: int
    against: Mapping[str, Judged]

    @property
    def judged(self) -> Judged:
        """The comparison that decided."""
        return self.against[self.chosen]


def judge(entrants: Sequence[Scores], weights: NDArray[np.float64], *, margin_percent: float = MARGIN) -> Verdict:
    """Judges the finalist of the best mean valid NE against the baseline of the best mean valid NE.

    `weights` `[days]` are the days' shares of the test rows. Where there is no baseline, the second best finalist
    on valid stands in for it.

    - tie: the difference lies within the margin (two one-sided tests at 5 %), whether or not it is zero;
    - winner: it does not, the 95 % interval is on the finalist's side, and the one-sided p is at most 5 % after
      Holm's correction over all finalists: the chosen one is the luckiest of them on the same seeds;
    - not proven: everything else, a finalist that is worse included.

    Raises:
        StudyError: there are not two models to compare, or no finalist.
    """
    ranked = sorted(entrants, key=lambda one: one.mean_valid)
    finalists = [one for one in ranked if not one.is_baseline]
    baselines = [one for one in ranked if one.is_baseline]
    if not finalists or len(entrants) < 2:
        raise StudyError(
            f"finals compare a finalist with something, but there are {len(finalists)} finalists and "
            f"{len(baselines)} baselines; take a larger --top, or search with baselines"
        )
    chosen = finalists[0]
    if baselines:
        reference = baselines[0]
        family = family_of([(one, reference) for one in finalists], weights, is_directed=True)
    else:
        reference = finalists[1]
        family = compare_finalists(finalists, weights)
    against = {one: judged for (one, other), judged in family.items() if other == reference.name}
    kind = _kind(against[chosen.name], margin_percent)
    return Verdict(kind, chosen.name, reference.name, margin_percent, len(family), against)


def compare_finalists(entrants: Sequence[Scores], weights: NDArray[np.float64]) -> dict[tuple[str, str], Judged]:
    """Each finalist against each that is worse than it on valid, by their names: a family of its own, two-sided."""
    finalists = sorted((one for one in entrants if not one.is_baseline), key=lambda one: one.mean_valid)
    return family_of(list(combinations(finalists, 2)), weights, is_directed=False)


def sentence(verdict: Verdict, *, seeds: int, days: int = 1) -> str:
    """The verdict as people read it."""
    judged = verdict.judged
    low, high = judged.percent_interval
    side = "better" if judged.percent < 0 else "worse"
    span = f"{seeds} seeds" + (f" and {days} days" if days > 1 else "")
    counted = (
        f", p {judged.adjusted_p:.2g} after correction for {verdict.family} comparison{'s' * (verdict.family > 1)}"
    )
    found = (
        f"{verdict.chosen} is {abs(judged.percent):.2f} % {side} than {verdict.reference} "
        f"(95 % interval {low:+.2f} to {high:+.2f} % of NE{counted}, over {span})"
    )
    margin = f"±{verdict.margin_percent:g} %"
    ending = {
        Kind.WINNER: "",
        Kind.TIE: f"; what lies within {margin} makes no difference",
        Kind.NOT_PROVEN: _way_on(verdict, seeds, days),
    }[verdict.kind]
    return f"{verdict.kind.value}: {found}{ending}"


def seeds_needed(judged: Judged, *, seeds: int, family: int) -> int | None:
    """About how many seeds prove a difference of this size in four of five finals; None where there is none.

    By the normal approximation, so a little low for few seeds; over days no number of seeds may be enough.
    """
    from scipy.special import ndtri

    effect = abs(judged.comparison.effect)
    if effect == 0.0:
        return None
    deviations = float(ndtri(1.0 - ERROR / max(family, 2)) + ndtri(POWER))
    spread = judged.comparison.stderr * math.sqrt(seeds)
    return math.ceil((deviations * spread / effect) ** 2) + 1


def _way_on(verdict: Verdict, seeds: int, days: int) -> str:
    judged = verdict.judged
    needed = seeds_needed(judged, seeds=seeds, family=verdict.family)
    if days > 1 or needed is None or needed <= seeds or needed > 1000:
        return ""
    return f"; about {needed} seeds would prove a difference of this size"


def _kind(judged: Judged, margin_percent: float) -> Kind:
    margin = margin_percent / 100.0 * judged.reference_ne
    if judged.comparison.equivalence_p(margin) <= ERROR:
        return Kind.TIE
    if judged.comparison.interval(1.0 - ERROR)[1] < 0.0 and judged.adjusted_p <= ERROR:
        return Kind.WINNER
    return Kind.NOT_PROVEN


def family_of(
    pairs: Sequence[tuple[Scores, Scores]], weights: NDArray[np.float64], *, is_directed: bool
) -> dict[tuple[str, str], Judged]:
    """Each first of a pair against its second, by their names, with Holm's correction over all pairs.

    p is one-sided, for the first to be better, where the family is directed, else two-sided.
    """
    comparisons = [crossed(one.test - other.test, weights) for one, other in pairs]
    adjusted = holm([one.p_better if is_directed else one.p_value for one in comparisons])
    return {
        (one.name, other.name): Judged(comparison, p, float((other.test @ weights).mean()))
        for (one, other), comparison, p in zip(pairs, comparisons, adjusted, strict=True)
    }
