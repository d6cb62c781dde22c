"""Kernels between described candidates: one Gram matrix for each thing that may make two candidates alike.

Letters: n training candidates, m others, M kernels, d columns. Scales come from the training candidates, so that
each kernel has about unit variance there and their weights compare. What a candidate lacks (a code outside the
space, a graph where there is none) makes it like nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class Kernel(Protocol):
    """One way in which candidates are alike, read from one of their sources."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def source(self) -> str:
        """Name of what it reads."""
        ...

    def pairs(self, one: Rows, other: Rows) -> Matrix:
        """Likenesses of all pairs `[n, m]`."""
        ...

    def own(self, rows: Rows) -> Vector:
        """Likeness of each with itself `[m]`."""
        ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """Candidates as rows of numbers by source, read once for all kernels."""

    count: int
    rows: Mapping[str, Rows]

    def taken(self, places: NDArray[np.int64]) -> Prepared:
        """Those at some places."""
        return Prepared(len(places), {source: rows.taken(places) for source, rows in self.rows.items()})


class Kernels:
    """The kernels that the training candidates can fill, in a fixed order; `names` tells which."""

    def __init__(self, views: Sequence[View]) -> None:
        tables = [_Table(name, reading, views, ranked=name != "costs") for name, reading in _readings(views).items()]
        labels = [_Labels(name, views) for name in sorted({name for view in views for name in view.labels})]
        sources: list[_Source] = [*labels, *tables]
        self._sources = {source.name: source for source in sources}
        self._kernels: list[Kernel] = [_Cosine(one.name) for one in labels]
        for table in tables:
            if table.columns:
                self._kernels.append(_Linear(table.name))
                self._kernels += [_Laplace(table.name, scale, table.step) for scale in LAPLACE_SCALES]
        self.names = tuple(kernel.name for kernel in self._kernels)
        self.training = self.prepare(views)

    def prepare(self, views: Sequence[View]) -> Prepared:
        """The candidates as these kernels take them."""
        return Prepared(len(views), {name: source.rows(views) for name, source in self._sources.items()})

    def each(self, one: Prepared) -> Matrix:
        """Every Gram matrix of the candidates with each other, [M, n, n]."""
        grams = np.empty((len(self._kernels), one.count, one.count))
        for gram, kernel in zip(grams, self._kernels, strict=True):
            gram[:] = kernel.pairs(one.rows[kernel.source], one.rows[kernel.source])
            np.fill_diagonal(gram, kernel.own(one.rows[kernel.source]))
        return grams

    def summed(self, weights: Vector, one: Prepared, other: Prepared) -> Matrix:
        """The weighted sum of all kernels between two lists, [n, m]: one matrix at a time, for long ones."""
        found = np.zeros((one.count, other.count))
        for weight, kernel in zip(weights, self._kernels, strict=True):
            found += weight * kernel.pairs(one.rows[kernel.source], other.rows[kernel.source])
        return found

    def within(self, weights: Vector, one: Prepared) -> Matrix:
        """The weighted sum of all kernels of a list with itself, [n, n]."""
        found = self.summed(weights, one, one)
        np.fill_diagonal(found, self.own(weights, one))
        return found

    def own(self, weights: Vector, one: Prepared) -> Vector:
        """The weighted likeness of each with itself, [n]."""
        found = np.zeros(one.count)
        for weight, kernel in zip(weights, self._kernels, strict=True):
            found += weight * kernel.own(one.rows[kernel.source])
        return found


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows `[n, d]` of numbers, sparse or not, and which of them are known `[n]`; unknown ones are zero."""

    numbers: Any  # an array of numpy's or a sparse one of scipy's, which has no types
    known: Known

    def taken(self, places: NDArray[np.int64]) -> Rows:
        """Those at some places."""
        return Rows(self.numbers[places], self.known[places])


class _Source(Protocol):
    """What kernels read."""

    name: str

    def rows(self, views: Sequence[View]) -> Rows:
        """One row for each."""
        ...


class _Labels:
    """Counts of labels, each row of length 1; labels that no training candidate has count in the length alone."""

    def __init__(self, name: str, views: Sequence[View]) -> None:
        self.name = name
        columns = {label: None for view in views for label in view.labels.get(name, ())}
        self._place = {label: at for at, label in enumerate(columns)}

    def rows(self, views: Sequence[View]) -> Rows:
        """All of them."""
        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        for view in views:
            counts: Mapping[str, int] = view.labels.get(self.name, {})
            norm = float(np.sqrt(sum(count * count for count in counts.values())))
            shared = [label for label in counts if label in self._place]
            values += [counts[label] / norm for label in shared]
            columns += [self._place[label] for label in shared]
            ends.append(len(columns))
        numbers = csr_array((values, columns, ends), shape=(len(views), max(1, len(self._place))))
        return Rows(numbers, np.array([bool(view.labels) for view in views], dtype=bool))


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
        self._length = float(np.sqrt(np.square(scaled - self._centre).sum() / max(1, len(scaled)))) or 1.0
        self.step = self._length / max(1, len(self._kept))
        """Of the mean difference per column, in ranges, in the sum of differences between rows."""

    @property
    def columns(self) -> int:
        """How many columns differ among the training candidates."""
        return len(self._kept)

    def rows(self, views: Sequence[View]) -> Rows:
        """Centred, and of mean squared length 1 over the training rows."""
        found = (self._scaled(self._reading(views)) - self._centre) / self._length
        known: Known = np.asarray(np.isfinite(found).all(axis=1))
        return Rows(np.where(known[:, None], found, 0.0), known)

    def _scaled(self, raw: Matrix) -> Matrix:
        scaled = np.empty((len(raw), len(self._kept)))
        for column, (at, steps) in enumerate(zip(self._kept, self._steps, strict=True)):
            if self._is_ranked:
                scaled[:, column] = np.interp(raw[:, at], steps, np.linspace(0.0, 1.0, len(steps)))
            else:
                scaled[:, column] = (raw[:, at] - steps[0]) / (steps[1] - steps[0])
        return scaled


@dataclass(frozen=True)
class _Cosine:
    """Cosine of the counts of labels: 1 for equal multisets, 0 where no label is shared."""

    source: str

    @property
    def name(self) -> str:
        """The round of the labels."""
        return self.source

    def pairs(self, one: Rows, other: Rows) -> Matrix:
        """As `Kernel` says."""
        found: Matrix = (one.numbers @ other.numbers.T).toarray()
        return found

    def own(self, rows: Rows) -> Vector:
        """As `Kernel` says: 1, labels that no training candidate has included."""
        return np.ones(len(rows.known))


@dataclass(frozen=True)
class _Linear:
    """Inner product, of mean 1 for a training candidate with itself."""

    source: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.source} linear"

    def pairs(self, one: Rows, other: Rows) -> Matrix:
        """As `Kernel` says."""
        found: Matrix = one.numbers @ other.numbers.T
        return found

    def own(self, rows: Rows) -> Vector:
        """As `Kernel` says."""
        found: Vector = np.square(rows.numbers).sum(axis=1)
        return found


@dataclass(frozen=True)
class _Laplace:
    """exp(-mean difference per column / scale): a product over columns, each as likely to matter."""

    source: str
    scale: float
    step: float

    @property
    def name(self) -> str:
        """With the scale, for people."""
        return f"{self.source} laplace {self.scale:g}"

    def pairs(self, one: Rows, other: Rows) -> Matrix:
        """As `Kernel` says."""
        found: Matrix = np.exp(cdist(one.numbers, other.numbers, "cityblock") * (-self.step / self.scale))
        return found * one.known[:, None] * other.known[None, :]

    def own(self, rows: Rows) -> Vector:
        """As `Kernel` says."""
        return np.ones(len(rows.known))


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
    if not length:
        return np.empty((len(views), 0))
    rows = [np.full(length, np.nan) if view.code is None else view.code for view in views]
    return np.array(rows, dtype=np.float64).reshape(len(views), length)


def _named(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Matrix:
    found = [[row.get(name, 0.0) for name in names] if row else [np.nan] * len(names) for row in rows]
    return np.array(found, dtype=np.float64).reshape(len(rows), len(names))
