"""The stream of batches that candidates are trained on: a function of seed and settings, kept for the next cohort."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluators._training.examples import WINDOW_ROWS, Batch, Examples
from evaluators._training.lookup import Lookup
from evaluators._training.settings import TrainingSettings

KEPT_BYTES = 512 << 20
"""Memory for batches and their look-ups that later cohorts find again."""

Finder = Callable[[Batch], Mapping[str, Lookup]]


@dataclass(frozen=True)
class Plan:
    """Which rows come in which batches: equal plans give equal batches, whoever trains on them."""

    seed: int
    rows: int
    first: int
    batch_size: int
    passes: int
    negative_rate: float = 1.0

    @classmethod
    def of(cls, settings: TrainingSettings, total: int, *, seed: int) -> Plan:
        """The plan of a training on a part of `total` rows."""
        rows = min(settings.rows or total, total)
        first = 0 if settings.prefix else total - rows
        return cls(seed, rows, first, settings.batch_size, settings.passes, settings.negative_rate)

    @property
    def offset(self) -> float:
        """What to add to logits while training, so that without it they fit the data before down-sampling.

        He et al. (2014), Practical lessons from predicting clicks on ads at Facebook, section 6.3.
        """
        return -math.log(self.negative_rate)


@dataclass
class Step:
    """One batch and what has been found of its look-ups."""

    batch: Batch
    lookups: dict[str, Lookup] = field(default_factory=dict)


class Stream:
    """Batches of one part. Those of the last plan are kept where they and their look-ups need little memory."""

    def __init__(self, examples: Examples, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._examples = examples
        self._limit = kept_bytes
        self._kept: dict[tuple[Plan, int], list[Step]] = {}

    def __len__(self) -> int:
        return len(self._examples)

    def steps(self, plan: Plan, number: int, find: Finder, wanted: frozenset[str]) -> Iterator[Step]:
        """The steps of pass `number`, each with the look-ups `wanted`, found by `find` where they are not known yet."""
        key = (plan, number)
        if key in self._kept:
            for step in self._kept[key]:
                if not wanted <= step.lookups.keys():
                    step.lookups.update(find(step.batch))
                yield step
            return
        fresh, held = [], 0
        for batch in self._examples.stream(self._orders(plan, number), plan.batch_size):
            step = Step(batch, dict(find(batch)))
            held += _bytes(step)
            if held <= self._limit:
                fresh.append(step)
            else:
                fresh.clear()
            yield step
        if held <= self._limit:
            self._keep(key, fresh, held)

    def _keep(self, key: tuple[Plan, int], steps: list[Step], held: int) -> None:
        """Keeps a pass; another plan's go, and so does what would be too much."""
        plan, _ = key
        same = {one: found for one, found in self._kept.items() if one[0] == plan}
        if sum(_bytes(step) for found in same.values() for step in found) + held > self._limit:
            same = {}
        self._kept = {**same, key: steps}

    def _orders(self, plan: Plan, number: int) -> Iterator[NDArray[np.int64]]:
        for order in row_orders(plan, number=number):
            yield order if plan.negative_rate == 1.0 else order[self._stays(plan, order)]

    def _stays(self, plan: Plan, order: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Every click, and of the others those whose row number draws less than the rate; the same in every pass."""
        drawn = _uniform(plan.seed, order)
        stays: NDArray[np.bool_] = (self._examples.labels[order] > 0.5) | (drawn < plan.negative_rate)
        return stays


def row_orders(plan: Plan, *, number: int) -> Iterator[NDArray[np.int64]]:
    """Order of the plan's rows in pass `number`, piece by piece, each int64 [rows of a piece].

    Up to `WINDOW_ROWS` rows are one piece in any order. More are cut into windows of so many: the windows come in
    any order, and the rows of each in any order, so that rows and their order need the memory of one window.
    """
    rng, rows = np.random.default_rng([plan.seed, number]), plan.rows
    if rows <= WINDOW_ROWS:
        yield rng.permutation(rows).astype(np.int64) + plan.first
        return
    for window in rng.permutation(math.ceil(rows / WINDOW_ROWS)):
        start = int(window) * WINDOW_ROWS
        yield rng.permutation(min(WINDOW_ROWS, rows - start)).astype(np.int64) + (plan.first + start)


def _uniform(seed: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number in [0, 1) for each row, by its number and the seed alone (Steele et al. 2014, SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    uniform: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniform


def _bytes(step: Step) -> int:
    batch = step.batch
    own = batch.numeric.nbytes + batch.categorical.nbytes + batch.label.nbytes
    return own + sum(one.bytes for one in step.lookups.values())
