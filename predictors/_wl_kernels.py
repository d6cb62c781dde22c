"""Kernels between described candidates: one Gram matrix for each thing that may make two candidates alike.

Letters: n training candidates, m others, M kernels, d columns. Scales come from the training candidates, so that
each kernel has about unit variance there and their weights compare. What a candidate lacks (a code outside the
space, a graph where there is none) makes it like nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from predictors._wl_views import View

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Known = NDArray[np.bool_]
Reading = Callable[[Sequence[View]], Matrix]  # [n, d], a row of NaN where there is nothing to read

LAPLACE_SCALES = (0.2, 0.6)
"""Mean differences per column, in ranges, over which likeness falls to 1/e: neighbours, and the wider region."""


@dataclass(frozen=True, eq=False)
class Grams:
    """Likenesses of pairs `[M, n, m]`, and of each of the m with itself `[M, m]`."""

    pairs: Matrix
    own: Matrix


class Kernel(Protocol):
    """One way in which candidates are alike."""

    name: str

    def pairs(self, one: Sequence[View], other: Sequence[View]) -> Matrix:
        """Likenesses of all pairs `[n, m]`."""
        ...

    def own(self, views: Sequence[View]) -> Vector:
        """Likeness of each with itself `[m]`."""
        ...


class Kernels:
    """The kernels that the training candidates can fill, in a fixed order; `names` tells which."""

    def __init__(self, views: Sequence[View]) -> None:
        self._training = list(views)
        labels = sorted({name for view in views for name in view.labels})
        self._kernels: list[Kernel] = [_Labels(name) for name in labels]
        for name, reading in _readings(views).items():
            table = _Table(name, reading, views, ranked=name != "costs")
            if table.columns:
                self._kernels += [_Linear(table), *(_Laplace(table, scale) for scale in LAPLACE_SCALES)]
        self.names = tuple(kernel.name for kernel in self._kernels)

    def training(self) -> Grams:
        """Of the training candidates with each other."""
        grams = self.to(self._training)
        diagonal = np.arange(len(self._training))
        grams.pairs[:, diagonal, diagonal] = grams.own
        return grams

    def to(self, others: Sequence[View]) -> Grams:
        """Of the training candidates with others."""
        pairs = np.empty((len(self._kernels), len(self._training), len(others)))
        own = np.empty((len(self._kernels), len(others)))
        for at, kernel in enumerate(self._kernels):
            pairs[at], own[at] = kernel.pairs(self._training, others), kernel.own(others)
        return Grams(pairs, own)


class _Labels:
    """Cosine of the counts of labels: 1 for equal multisets, 0 where no label is shared."""

    def __init__(self, name: str) -> None:
        self.name = name

    def pairs(self, one: Sequence[View], other: Sequence[View]) -> Matrix:
        """As `Kernel` says."""
        columns = {label: None for views in (one, other) for view in views for label in view.labels.get(self.name, ())}
        place = {label: at for at, label in enumerate(columns)}
        found: Matrix = (self._counts(one, place) @ self._counts(other, place).T).toarray()
        return found

    def own(self, views: Sequence[View]) -> Vector:
        """As `Kernel` says."""
        return np.ones(len(views))

    def _counts(self, views: Sequence[View], place: Mapping[str, int]) -> csr_array:
        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        for view in views:
            counts: Mapping[str, int] = view.labels.get(self.name, {})
            norm = float(np.sqrt(sum(count * count for count in counts.values())))
            values += [count / norm for count in counts.values()]
            columns += [place[label] for label in counts]
            ends.append(len(columns))
        return csr_array((values, columns, ends), shape=(len(views), max(1, len(place))))


class _Table:
    """Numbers of candidates, each column from 0 to 1 over the training candidates; those constant there are left out.

    With `ranked`, equal steps lead from one training value of a column to the next, since settings often span decades.
    """

    def __init__(self, name: str, reading: Reading, views: Sequence[View], *, ranked: bool) -> None:
        self.name = name
        self._reading = reading
        raw = reading(views)
        known = raw[~np.isnan(raw).any(axis=1)]
        values = [np.unique(column) for column in known.T]
        self._kept = [at for at, steps in enumerate(values) if len(steps) > 1]
        self._steps = [values[at] if ranked else values[at][[0, -1]] for at in self._kept]
        self._is_ranked = ranked
        scaled = self._scaled(known)
        self._centre = scaled.mean(axis=0) if len(scaled) else np.zeros(len(self._kept))
        self.energy = float(np.square(scaled - self._centre).sum() / max(1, len(scaled)))
        """Mean squared length of the training rows."""

    @property
    def columns(self) -> int:
        """How many columns differ among the training candidates."""
        return len(self._kept)

    def rows(self, views: Sequence[View]) -> tuple[Matrix, Known]:
        """Centred rows `[n, d]`, zero where unknown; and which ones are known `[n]`."""
        found = self._scaled(self._reading(views)) - self._centre
        known: Known = np.asarray(np.isfinite(found).all(axis=1))
        return np.where(known[:, None], found, 0.0), known

    def _scaled(self, raw: Matrix) -> Matrix:
        scaled = np.empty((len(raw), len(self._kept)))
        for column, (at, steps) in enumerate(zip(self._kept, self._steps, strict=True)):
            if self._is_ranked:
                scaled[:, column] = np.interp(raw[:, at], steps, np.linspace(0.0, 1.0, len(steps)))
            else:
                scaled[:, column] = (raw[:, at] - steps[0]) / (steps[1] - steps[0])
        return scaled


class _Linear:
    """Inner product, of mean 1 for a training candidate with itself."""

    def __init__(self, table: _Table) -> None:
        self.name = f"{table.name} linear"
        self._table = table

    def pairs(self, one: Sequence[View], other: Sequence[View]) -> Matrix:
        """As `Kernel` says."""
        (left, _), (right, _) = self._table.rows(one), self._table.rows(other)
        found: Matrix = left @ right.T / self._table.energy
        return found

    def own(self, views: Sequence[View]) -> Vector:
        """As `Kernel` says."""
        found: Vector = np.square(self._table.rows(views)[0]).sum(axis=1) / self._table.energy
        return found


class _Laplace:
    """exp(-mean difference per column / scale): a product over columns, each as likely to matter."""

    def __init__(self, table: _Table, scale: float) -> None:
        self.name = f"{table.name} laplace {scale:g}"
        self._table = table
        self._scale = scale

    def pairs(self, one: Sequence[View], other: Sequence[View]) -> Matrix:
        """As `Kernel` says."""
        (left, known), (right, known_too) = self._table.rows(one), self._table.rows(other)
        found: Matrix = np.exp(-cdist(left, right, "cityblock") / (self._scale * self._table.columns))
        return found * known[:, None] * known_too[None, :]

    def own(self, views: Sequence[View]) -> Vector:
        """As `Kernel` says."""
        return np.ones(len(views))


def _readings(views: Sequence[View]) -> dict[str, Reading]:
    counts = sorted({name for view in views for name in view.counts})
    settings = sorted({name for view in views for name in view.settings})
    costs = sorted({name for view in views for name in view.costs})
    length = max((len(view.code) for view in views if view.code is not None), default=0)
    return {
        "code": lambda those: _codes(those, length),
        "counts": lambda those: _named([view.counts for view in those], counts),
        "settings": lambda those: _named([view.settings for view in those], settings),
        "costs": lambda those: _named([view.costs for view in those], costs),
    }


def _codes(views: Sequence[View], length: int) -> Matrix:
    rows = [np.full(length, np.nan) if view.code is None else view.code for view in views]
    return np.array(rows, dtype=np.float64).reshape(len(views), length)


def _named(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Matrix:
    found = [[row.get(name, 0.0) for name in names] if row else [np.nan] * len(names) for row in rows]
    return np.array(found, dtype=np.float64).reshape(len(rows), len(names))
