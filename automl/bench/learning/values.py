"""Worlds of single fields: an effect for each id, an effect of how frequent an id is, steps in a number, a table.

Letters as in `automl.bench.learning.worlds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from automl.bench.learning.truth import Truth, Vector
from automl.bench.learning.worlds import Shown, States, ids_of
from searchspaces import Field, Kind


@dataclass(frozen=True)
class Effects:
    """Each id of one field has log-odds of its own: normal quantiles times `spread` around `base`; ids are the states.

    The bound is of a model that has one row for ids of equal remainder by `rows`.
    """

    vocabulary: int
    spread: float
    rows: int
    base: float = -1.0
    seed: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """One, categorical."""
        return (Field("c0", Kind.CATEGORICAL, self.vocabulary + 1),)

    @property
    def truth(self) -> Truth:
        """All ids, equally likely."""
        quantiles = np.array([NormalDist().inv_cdf((at + 0.5) / self.vocabulary) for at in range(self.vocabulary)])
        shuffled = np.random.default_rng(self.seed).permutation(quantiles)
        return Truth(np.full(self.vocabulary, 1.0 / self.vocabulary), self.base + self.spread * shuffled)

    def bounds(self) -> Mapping[str, Vector]:
        """Ids that share a row cannot be told apart."""
        return {"best of shared rows": self.truth.best_of_groups(np.arange(1, self.vocabulary + 1) % self.rows)}

    def show(self, states: States, rng: np.random.Generator) -> Shown:  # noqa: ARG002
        """The ids."""
        return Shown(np.zeros((len(states), 0)), 1 + states[:, None])


@dataclass(frozen=True)
class Popular:
    """Half of the rows have one of `few` ids, half one of `many`; the log-odds differ by `effect` between them.

    Most of the many ids are seen once or never, so that a vector of their own cannot tell what they have in common.
    """

    few: int
    many: int
    effect: float
    base: float = -1.0
    seed: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """One, categorical."""
        return (Field("c0", Kind.CATEGORICAL, self.few + self.many + 1),)

    @property
    def truth(self) -> Truth:
        """Rare and frequent."""
        return Truth(np.full(2, 0.5), self.base + self.effect * np.array([-0.5, 0.5]))

    def bounds(self) -> Mapping[str, Vector]:
        """Knowing nothing."""
        return {"base rate": self.truth.best_of_groups(np.zeros(2, np.int64))}

    def show(self, states: States, rng: np.random.Generator) -> Shown:
        """Names are shuffled, so that an id's number tells nothing."""
        names = 1 + np.random.default_rng(self.seed).permutation(self.few + self.many)
        drawn = np.where(states == 1, rng.integers(self.few, size=len(states)), 0)
        rare = self.few + rng.integers(self.many, size=len(states))
        return Shown(np.zeros((len(states), 0)), names[np.where(states == 1, drawn, rare)][:, None])


@dataclass(frozen=True)
class Steps:
    """A number with a long tail whose log-odds jump up and down `steps` times by `effect`; its values are the states.

    `values` values are equally likely quantiles of a log-normal distribution. The bound is a straight line in log(1+x).
    """

    steps: int
    effect: float
    values: int = 64
    base: float = -1.0
    seed: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """One, numeric, with the statistics of all its values."""
        squashed = np.log1p(self._values())
        return (Field("n0", Kind.NUMERIC, mean=float(squashed.mean()), std=float(squashed.std())),)

    @property
    def truth(self) -> Truth:
        """All values, equally likely."""
        step = np.arange(self.values) * (self.steps + 1) // self.values
        jumps = np.asarray(step % 2 - 0.5, np.float64)
        return Truth(np.full(self.values, 1.0 / self.values), self.base + self.effect * jumps)

    def bounds(self) -> Mapping[str, Vector]:
        """A line through the values."""
        line = np.column_stack([np.ones(self.values), np.log1p(self._values())])
        return {"best straight line": self.truth.best_sum(line)}

    def show(self, states: States, rng: np.random.Generator) -> Shown:  # noqa: ARG002
        """The values."""
        return Shown(self._values()[states][:, None], np.zeros((len(states), 0), np.int64))

    def _values(self) -> Vector:
        normal = [NormalDist(sigma=1.5).inv_cdf((at + 0.5) / self.values) for at in range(self.values)]
        values: Vector = np.exp(np.array(normal))
        return values


@dataclass(frozen=True)
class Crossed:
    """Two small fields of which each pair of ids has a sign of its own, and a large field whose ids have one.

    A table of random signs has full rank: inner products of vectors with fewer numbers than ids cannot say it.
    """

    small: int
    large: int
    effect: float
    base: float = -1.0
    seed: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """The large one last."""
        sizes = (self.small, self.small, self.large)
        return tuple(Field(f"c{at}", Kind.CATEGORICAL, size + 1) for at, size in enumerate(sizes))

    @property
    def truth(self) -> Truth:
        """All pairs with both signs, equally likely."""
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], size=self.small**2)
        log_odds = self.base + self.effect * (signs[:, None] + np.array([-0.5, 0.5]))
        return Truth(np.full(log_odds.size, 1.0 / log_odds.size), log_odds.reshape(-1))

    def bounds(self) -> Mapping[str, Vector]:
        """The best sum of a function of each field."""
        pair, sign = np.divmod(np.arange(2 * self.small**2), 2)
        one, other = np.divmod(pair, self.small)
        columns = (np.eye(self.small)[one], np.eye(self.small)[other], sign[:, None])
        return {"best of order 1": self.truth.best_sum(np.concatenate(columns, axis=1))}

    def show(self, states: States, rng: np.random.Generator) -> Shown:
        """The pair as it is, and a random id with the sign."""
        pair, sign = np.divmod(states, 2)
        large = ids_of(2.0 * sign[:, None] - 1.0, self.large, hidden=self.seed, rng=rng)
        return Shown(
            np.zeros((len(states), 0)), np.column_stack([1 + pair // self.small, 1 + pair % self.small, large])
        )
