"""Racing: which members of a cohort are stopped before their pass ends, since others are surely better.

A member is compared, chunk of rows by chunk of rows, with each that costs no more than itself; one that costs more
does not stop it, since a cheaper and worse model may still be on the front. All chunks are the same rows for both,
so the difference is free of what makes rows hard. (After the sequential tests of Maron and Moore 1994, Hoeffding
races, and the group sequential ones of Lan and DeMets 1983, Discrete sequential boundaries for clinical trials.)

How often the best member is stopped: `alpha` is spent over the planned looks; the share of one look is divided by
the number of rivals, and each comparison is a one-sided test at that level, so that by the union bound at most
`alpha` of races lose the best, however the comparisons depend on each other. That holds for gaps that stay as they
are; a member that is behind and gains is guarded by a second bound, on the gap where the pass ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]

NORMAL = NormalDist()

LEAST_BLOCKS = 6
"""Blocks of chunks below which an error is too unsure to stop a member."""

MOST_CORRELATION = 0.9
"""Between neighbouring blocks; more would be a trend."""

LEAST_FREEDOM = 0.5
"""Degrees of freedom that are left where correlation eats all: bounds are then so wide that nobody is stopped."""


class Spending(StrEnum):
    """How alpha is spent over a race (Lan and DeMets 1983): `t` is the share of the looked-at rows that is done."""

    POCOCK = "pocock"
    """alpha log(1 + (e - 1) t): nearly even, so that early looks can stop a clear loser, which saves most."""
    OBRIEN_FLEMING = "obrien_fleming"
    """2 - 2 Phi(z(1 - alpha / 2) / sqrt(t)): hardly any early."""


@dataclass(frozen=True)
class RacingRule:
    """When members are looked at, and how sure a stop must be. Shares are of the rows of the whole training.

    `trend_confidence`: of the one-sided bound on the gap at the end, along a line in log rows.

    Raises:
        EvaluatorError: a share, alpha or the confidence is out of its range, or looks do not grow.
    """

    looks: tuple[float, ...] = (0.3, 0.4, 0.5, 0.65, 0.8)
    alpha: float = 0.05
    spending: Spending = Spending.POCOCK
    transient: float = 0.15
    trend_confidence: float = 0.9
    blocks: int = 20

    def __post_init__(self) -> None:
        bounds = (self.transient, *self.looks, 1.0)
        if not self.looks or self.transient < 0.0 or not (np.diff(bounds) > 0.0).all():
            raise EvaluatorError(
                f"looks must grow from the transient to below 1, but the transient is {self.transient} and the looks "
                f"are {list(self.looks)}; plan shares of the rows such as [0.3, 0.5, 0.8]"
            )
        if not (0.0 < self.alpha <= 0.5 and 0.5 <= self.trend_confidence < 1.0 and self.blocks >= LEAST_BLOCKS):
            raise EvaluatorError(
                f"racing needs alpha in (0, 0.5], trend_confidence in [0.5, 1) and at least {LEAST_BLOCKS} blocks, but "
                f"has {self.alpha}, {self.trend_confidence} and {self.blocks}; start from the defaults"
            )

    def look_at(self, share: float) -> int | None:
        """Number of the last look that is due at this share of the rows; None before the first."""
        due = sum(look <= share + 1e-9 for look in self.looks)
        return due - 1 if due else None

    def level(self, look: int) -> float:
        """What look number `look` may spend of alpha; all looks together spend alpha."""
        times = [(one - self.transient) / (self.looks[-1] - self.transient) for one in self.looks]
        before = self._spent(times[look - 1]) if look else 0.0
        return self._spent(times[look]) - before

    def _spent(self, time: float) -> float:
        if self.spending is Spending.POCOCK:
            return self.alpha * math.log1p((math.e - 1.0) * time)
        return 2.0 * NORMAL.cdf(-NORMAL.inv_cdf(1.0 - self.alpha / 2.0) / math.sqrt(time))


def losers(
    chunk_losses: NDArray[np.float64],
    flops: Sequence[float],
    control: int,
    running: Mask,
    share: float,
    rule: RacingRule,
) -> tuple[int, ...]:
    """Running members that are worse than a running one of no more FLOPs, by the rule, at this look.

    Args:
        chunk_losses: [members, chunks], mean loss of each chunk of equally many rows from the first row on; rows of
            members that no longer run are not read, and the chunks of the transient are left out here.
        control: the member that is never stopped.
        share: of the rows of the training that these chunks are.

    Each look is meant to be taken once (see `Race`); before the first, and while there are too few chunks for an
    error, nobody is stopped. All members that the matrix has count as rivals, those that no longer run too.

    Raises:
        EvaluatorError: shapes differ, or a running member has a loss that is not finite.
    """
    _check(chunk_losses, flops, running)
    look = rule.look_at(share)
    ends = share * np.arange(1, chunk_losses.shape[1] + 1) / chunk_losses.shape[1]
    begins = ends - ends[:1]
    settled = begins >= rule.transient - 1e-9
    if look is None or settled.sum() < LEAST_BLOCKS:
        return ()
    losses, middle = chunk_losses[:, settled], np.log((begins[settled] + ends[settled]) / 2.0)
    price = np.asarray(flops, np.float64)
    compared = running[:, None] & running & (price <= price[:, None]) & ~np.eye(len(price), dtype=np.bool_)
    compared[control] = False
    members, rivals = np.nonzero(compared)
    if not len(members):
        return ()
    level = rule.level(look) / max(1, len(flops) - 1)
    worse = _are_worse(losses[members] - losses[rivals], middle, level, rule)
    return tuple(int(one) for one in np.unique(members[worse]))


@dataclass
class Race:
    """One cohort from its first chunk to its last: takes each planned look once, and remembers who runs."""

    flops: tuple[float, ...]
    control: int
    rule: RacingRule = RacingRule()
    running: Mask = field(init=False)
    _next: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.running = np.ones(len(self.flops), np.bool_)

    def is_due(self, share: float) -> bool:
        """Whether a planned look is open at this share of the rows."""
        look = self.rule.look_at(share)
        return look is not None and look >= self._next

    def look(self, chunk_losses: NDArray[np.float64], share: float) -> tuple[int, ...]:
        """Members that stop here, none where no look is due; see `losers`."""
        if not self.is_due(share):
            return ()
        found = losers(chunk_losses, self.flops, self.control, self.running, share, self.rule)
        self._next = (self.rule.look_at(share) or 0) + 1
        self.running[list(found)] = False
        return found

    def drop(self, member: int) -> None:
        """Takes out a member that failed: it is compared with nobody any more."""
        self.running[member] = False


def student_bound(level: float, freedom: float) -> float:
    """The t that a Student variable exceeds with probability `level`, to about one part in a hundred.

    From the normal quantile by the approximation of Wallace 1959, Bounds on normal approximations to Student's and
    the chi-square distributions, inverted.

    >>> round(student_bound(0.025, 10), 2)  # 2.228 in tables
    2.23
    """
    freedom = max(freedom, LEAST_FREEDOM)
    z = NORMAL.inv_cdf(1.0 - level) * (8.0 * freedom + 3.0) / (8.0 * freedom + 1.0)
    return math.sqrt(freedom * math.expm1(z * z / freedom))


def _are_worse(differences: Matrix, middle: Vector, level: float, rule: RacingRule) -> Mask:
    """Whether the mean difference and the one foreseen at the end of the pass are surely above 0, [pairs].

    `differences` are [pairs, chunks], `middle` [chunks] is the logarithm of the share of rows at each chunk.
    """
    blocks = min(rule.blocks, len(middle))
    starts = np.linspace(0, len(middle), blocks, endpoint=False).astype(np.int64)
    sizes = np.diff(np.append(starts, len(middle)))
    d = np.add.reduceat(differences, starts, axis=1) / sizes
    x = np.add.reduceat(middle, starts) / sizes
    mean, away, reach = d.mean(axis=1), x - x.mean(), -x.mean()  # the logarithm of the whole is 0
    total = (away**2).sum()
    slope = d @ away / total
    misses = d - mean[:, None]
    bent = misses - np.outer(slope, away)
    worth = _independent(bent)
    error = np.sqrt((misses**2).sum(axis=1) / blocks / max(worth - 1.0, LEAST_FREEDOM))
    spread = np.sqrt((bent**2).sum(axis=1) / blocks * worth / max(worth - 2.0, LEAST_FREEDOM))
    foreseen = spread * math.sqrt(1.0 / worth + reach**2 / total * blocks / worth)
    now = mean - student_bound(level, worth - 1.0) * error
    end = mean + slope * reach - student_bound(1.0 - rule.trend_confidence, worth - 2.0) * foreseen
    worse: Mask = (now > 0.0) & (end > 0.0)
    return worse


def _independent(misses: Matrix) -> float:
    """How many independent blocks the blocks of a line's `misses` [pairs, blocks] are worth, as an AR(1) of them.

    The correlation of neighbours is that of all pairs together: of a dozen blocks of one pair it is no more than a
    guess, and a test that believes it stops far too many. Around a fitted line it is found too low, by about
    (2 + 4 r) / blocks (Marriott and Pope 1954, Bias in the estimation of autocorrelations), which is added.
    """
    count, square = misses.shape[1], (misses**2).sum(axis=1)
    neighbours = (misses[:, 1:] * misses[:, :-1]).sum(axis=1)
    found = float(np.divide(neighbours, square, out=np.zeros(len(square)), where=square > 0.0).mean())
    correlation = min(max((found + 2.0 / count) / (1.0 - 4.0 / count), 0.0), MOST_CORRELATION)
    return float(count * (1.0 - correlation) / (1.0 + correlation))


def _check(chunk_losses: NDArray[np.float64], flops: Sequence[float], running: Mask) -> None:
    if chunk_losses.ndim != 2 or not len(chunk_losses) == len(flops) == len(running):
        raise EvaluatorError(
            f"a race needs losses [members, chunks], FLOPs and a mask of the same members, but they are "
            f"{list(chunk_losses.shape)}, {len(flops)} and {len(running)}; keep a row for members that stopped"
        )
    wrong = running & ~np.isfinite(chunk_losses).all(axis=1)
    if wrong.any():
        raise EvaluatorError(
            f"running members need finite losses, but member {int(wrong.argmax())} has one that is not; "
            "drop members that diverged before a look"
        )
