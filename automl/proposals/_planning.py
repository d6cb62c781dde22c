"""Plans a round: trains policies on a fitted guide, and keeps the best and most different of what they drew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from automl.proposals._foreseen import Foreseen
from automl.proposals._policy import Rows, Vector
from automl.proposals._reinforce import Schedule, reinforce
from automl.proposals._trust import Trust
from automl.proposals._unseen import Identity
from automl.proposals._worth import Outlook, Worth, scales
from evaluators import Suggestion
from searchspaces import Candidate

REFERENCES = 128
"""Random candidates that say what is usual in the space; every policy learns from them first."""


@dataclass(frozen=True)
class Aims:
    """What policies are trained for, one a share in `alphas`; see `Worth` for the letters.

    Each policy keeps up to `kept` candidates, those first that differ in `least_distance` decisions from better ones.
    With `roi`, the first cost is compared with the median of the `controls`, of random candidates where none is known.
    """

    alphas: tuple[float, ...]
    roi: float | None
    controls: tuple[Candidate, ...]
    disagreement: float
    least_distance: int
    kept: int


@dataclass(frozen=True)
class Promise:
    """A candidate worth a trial, with what the guide has predicted and the reward of the policy that drew it."""

    candidate: Candidate
    predicted: float
    spread: float
    alpha: float
    reward: float


@dataclass(frozen=True)
class Plan:
    """What to try in a round, in this order, and how far the guide could be trusted when it began."""

    promises: tuple[Promise, ...]
    trust: Trust | None = None


@dataclass(frozen=True, eq=False)
class Planner:
    """Trains one policy an alpha on the same fitted guide; what one of them has looked at, the others need not.

    Where all candidates are `listed`, as rows of places, all of them are looked at instead.
    """

    aims: Aims
    schedule: Schedule
    foreseen: Foreseen
    taken: Set[Identity]
    listed: Rows | None = None

    def promises(self, rng: np.random.Generator) -> tuple[Promise, ...]:
        """Of all policies, taking turns; nothing that is taken, nothing twice."""
        drawn = self.foreseen.policy.sample(REFERENCES, rng)
        usual = self.foreseen.outlook(self.foreseen.numbers(drawn))
        found = [self._of_one(self._worth(usual, alpha), drawn, rng) for alpha in self.aims.alphas]
        different: dict[str, Promise] = {}
        for promise in chain.from_iterable(zip_longest(*found)):
            if promise is not None:
                different.setdefault(promise.candidate.fingerprint, promise)
        return tuple(different.values())

    def _worth(self, usual: Outlook, alpha: float) -> Worth:
        quality, cost = scales(usual, self.aims.disagreement)
        return Worth(
            quality,
            cost,
            alpha=alpha,
            roi=self.aims.roi,
            reference=self._reference(usual),
            disagreement=self.aims.disagreement,
            bounds=tuple(one.bound for one in self.foreseen.ground.costs),
        )

    def _reference(self, usual: Outlook) -> float | None:
        """The cost that needs no return."""
        if self.aims.roi is None:
            return None
        ground = self.foreseen.ground
        for costs in (ground.values(self.aims.controls), usual.costs):
            known = costs[np.isfinite(costs[:, 0]), 0] if len(costs) else costs
            if len(known):
                return float(np.median(known))
        return None

    def _of_one(self, worth: Worth, drawn: Rows, rng: np.random.Generator) -> list[Promise]:
        foreseen = self.foreseen

        def reward(rows: Rows) -> Vector:
            return worth(foreseen.outlook(foreseen.numbers(rows)))

        seen = self.listed
        if seen is None:
            _, seen = reinforce(foreseen.policy, reward, self.schedule, rng, drawn=drawn)
        numbers = list(dict.fromkeys(foreseen.numbers(seen)))
        outlook = foreseen.outlook(numbers)
        rewards = worth(outlook)
        order = self._untaken(numbers, np.argsort(-rewards, kind="stable"))
        rows = np.array([foreseen.rows[number] for number in numbers])
        return [
            Promise(
                foreseen.candidates[numbers[place]],
                predicted=float(outlook.predicted.mean[place]),
                spread=float(outlook.predicted.std[place]),
                alpha=worth.alpha,
                reward=float(rewards[place]),
            )
            for place in diverse_first(rows, order, self.aims.least_distance, count=self.aims.kept)
        ]

    def _untaken(self, numbers: Sequence[int], order: NDArray[np.int64]) -> Iterator[int]:
        """Places in that order whose candidate is not taken, the first of each live graph."""
        met = set(self.taken)
        for at in order.tolist():
            identity = Suggestion(self.foreseen.candidates[numbers[at]]).identity
            if identity not in met:
                met.add(identity)
                yield at


def diverse_first(rows: Rows, order: Iterable[int], least: int, *, count: int) -> list[int]:
    """Up to `count` places in that order, each `least` decisions or more from those before; nearer ones if need be.

    >>> diverse_first(np.array([[0, 0], [0, 1], [1, 1]]), [0, 1, 2], 2, count=3)
    [0, 2, 1]
    """
    kept: list[int] = []
    behind: list[int] = []
    for place in order:
        is_far = not kept or (rows[kept] != rows[place]).sum(axis=1).min() >= least
        (kept if is_far else behind).append(place)
        if len(kept) == count:
            break
    return [*kept, *behind][:count]
