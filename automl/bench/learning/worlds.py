"""Worlds to plant in data: which states there are, what a row shows of its state, and what a model could know.

Ids run from 1; 0 is out of vocabulary. Letters: s states. `seed` draws what is hidden behind ids, so that every row of
one world shares it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from automl.bench.learning.truth import Truth, Vector
from searchspaces import Field, Kind

States = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shown:
    """What rows show: `numeric` [rows, numeric fields], `categorical` [rows, categorical fields]."""

    numeric: Vector
    categorical: NDArray[np.int64]


class World(Protocol):
    """A finite set of states, and how each is seen."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns that rows have."""

    @property
    def truth(self) -> Truth:
        """The states' weights and log-odds."""

    def bounds(self) -> Mapping[str, Vector]:
        """Logits [s] of the best model of each limited kind, by what limits it."""

    def show(self, states: States, rng: np.random.Generator) -> Shown:
        """Rows of these states."""


@dataclass(frozen=True)
class Signs:
    """Each id hides a sign; log-odds are `base` and a sum of products of signs.

    `terms` map the fields of a product to its coefficient; fields in no term are noise. Half of a field's ids have
    either sign, all are equally frequent and fields are independent, so the signs of the fields in terms are the state.
    A model that sums functions of at most d fields each can say no more than products of up to d signs: averaging its
    logits over the ids of equal sign lowers its loss.
    """

    terms: Mapping[tuple[int, ...], float]
    width: int
    vocabulary: int = 20
    base: float = -1.0
    seed: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """Categorical ones of equal size."""
        return tuple(Field(f"c{at}", Kind.CATEGORICAL, self.vocabulary + 1) for at in range(self.width))

    @property
    def truth(self) -> Truth:
        """All patterns of signs, equally likely."""
        signs = self._patterns()
        log_odds = self.base + sum(value * signs[:, fields].prod(1) for fields, value in self.terms.items())
        return Truth(np.full(len(signs), 1.0 / len(signs)), log_odds)

    def bounds(self) -> Mapping[str, Vector]:
        """The best sums of products of at most d signs, for each d below the order of what is planted."""
        order, truth = max(map(len, self.terms)), self.truth
        return {f"best of order {degree}": truth.best_sum(self._products(degree)) for degree in range(1, order)}

    def show(self, states: States, rng: np.random.Generator) -> Shown:
        """Random ids with the signs that the state tells, any ids in fields of noise."""
        signs = np.zeros((len(states), self.width))
        signs[:, : self._used] = self._patterns()[states]
        signs[:, self._used :] = rng.choice([-1.0, 1.0], size=(len(states), self.width - self._used))
        return Shown(np.zeros((len(states), 0)), ids_of(signs, self.vocabulary, hidden=self.seed, rng=rng))

    @property
    def _used(self) -> int:
        return 1 + max(max(fields) for fields in self.terms)

    def _patterns(self) -> Vector:
        return patterns(self._used)

    def _products(self, degree: int) -> Vector:
        signs = self._patterns()
        chosen = [one for size in range(degree + 1) for one in combinations(range(self._used), size)]
        return np.stack([signs[:, fields].prod(1) for fields in chosen], axis=1)


@dataclass(frozen=True)
class Routed:
    """A field with an id for each route says whose sign of the other fields matters; log-odds are `effect` times it."""

    routes: int
    effect: float
    vocabulary: int = 20
    base: float = -1.0
    seed: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """The route first."""
        others = (Field(f"c{at}", Kind.CATEGORICAL, self.vocabulary + 1) for at in range(self.routes))
        return (Field("route", Kind.CATEGORICAL, self.routes + 1), *others)

    @property
    def truth(self) -> Truth:
        """All routes with all patterns of signs, equally likely."""
        route, signs = self._states()
        log_odds = self.base + self.effect * signs[np.arange(len(signs)), route]
        return Truth(np.full(len(signs), 1.0 / len(signs)), log_odds)

    def bounds(self) -> Mapping[str, Vector]:
        """The best sum of a function of each field."""
        route, signs = self._states()
        return {"best of order 1": self.truth.best_sum(np.concatenate([np.eye(self.routes)[route], signs], axis=1))}

    def show(self, states: States, rng: np.random.Generator) -> Shown:
        """The route as it is, and random ids with the signs that the state tells."""
        route, signs = self._states()
        ids = ids_of(signs[states], self.vocabulary, hidden=self.seed, rng=rng)
        return Shown(np.zeros((len(states), 0)), np.column_stack([1 + route[states], ids]))

    def _states(self) -> tuple[States, Vector]:
        signs = patterns(self.routes)
        return np.repeat(np.arange(self.routes), len(signs)), np.tile(signs, (self.routes, 1))


def patterns(count: int) -> Vector:
    """All patterns of so many signs, [2 ** count, count]."""
    return np.array(list(product((-1.0, 1.0), repeat=count)))


def ids_of(signs: Vector, vocabulary: int, *, hidden: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A random id of each sign [rows, fields]; which half of the ids has which sign depends on `hidden` alone."""
    names, half = np.random.default_rng(hidden), vocabulary // 2
    drawn = rng.integers(half, size=signs.shape) + half * (signs > 0)
    return np.stack([(1 + names.permutation(vocabulary))[column] for column in drawn.T], axis=1)
