"""Where the numbers along an axis come from: labels that are equal where two candidates mean the same number.

An axis is an expression. What is joined, flattened, split or selected is told by its parts; an axis that nothing is
known of is free, until it meets another one of which more is known. Letters: `size` numbers along the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from searchspaces.block import number_of

Labels = NDArray[np.uint64]
"""One number for each place of an axis, [size]."""


@dataclass(eq=False)
class Axis:
    """A free axis; the name tells it apart where others are made of it. `bound` is what it was found to be."""

    size: int
    name: str = ""
    bound: Axis | None = None

    def labels(self, *, named: bool = True) -> Labels:
        """The labels: of a free axis its name, where names count, with the place of each number."""
        own = places(self.size)
        return mixed(np.uint64(number_of(self.name)), own) if named else own

    def made_of(self) -> tuple[Axis, ...]:
        """The axes in the expression."""
        return ()


@dataclass(eq=False)
class Known(Axis):
    """An axis whose labels are given."""

    given: Labels = field(default_factory=lambda: places(0))

    def labels(self, *, named: bool = True) -> Labels:  # noqa: ARG002  # the interface fixes it
        """Those that are given."""
        return self.given


@dataclass(eq=False)
class Joined(Axis):
    """Several axes one behind the other."""

    parts: tuple[Axis, ...] = ()

    def labels(self, *, named: bool = True) -> Labels:  # noqa: ARG002  # the interface fixes it
        """Those of the parts, which their names tell apart."""
        return np.concatenate([final(one).labels() for one in self.parts])

    def made_of(self) -> tuple[Axis, ...]:
        """The parts."""
        return self.parts


@dataclass(eq=False)
class Flattened(Axis):
    """Several axes in one, the last of them running fastest."""

    parts: tuple[Axis, ...] = ()

    def labels(self, *, named: bool = True) -> Labels:
        """A label for each combination."""
        found = final(self.parts[0]).labels(named=named)
        for one in self.parts[1:]:
            found = mixed(found[:, None], final(one).labels(named=named)[None, :]).ravel()
        return found

    def made_of(self) -> tuple[Axis, ...]:
        """The parts."""
        return self.parts


@dataclass(eq=False)
class Selected(Axis):
    """Some places of another axis."""

    base: Axis = field(default_factory=lambda: Axis(0))
    chosen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def labels(self, *, named: bool = True) -> Labels:
        """Those of the places."""
        chosen: Labels = final(self.base).labels(named=named)[self.chosen]
        return chosen

    def made_of(self) -> tuple[Axis, ...]:
        """The axis that they are chosen from."""
        return (self.base,)


@dataclass(eq=False)
class Piece(Axis):
    """One of the axes that another was split into, which flattening makes whole again."""

    whole: Axis = field(default_factory=lambda: Axis(0))
    number: int = 0
    count: int = 0


def places(size: int) -> Labels:
    """0, 1, ... as labels."""
    return np.arange(size, dtype=np.uint64)


def mixed(one: Labels | np.uint64, other: Labels) -> Labels:
    """A label for each pair (Steele et al. 2014, SplitMix64)."""
    with np.errstate(over="ignore"):
        found = np.asarray(one, np.uint64) * np.uint64(0x9E3779B97F4A7C15) + other
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return found ^ (found >> np.uint64(31))


def told_apart(labels: Labels) -> Labels:
    """The same labels, but those that came before get others by how often they did: no two places share a weight."""
    if len(np.unique(labels)) == len(labels):
        return labels
    order = np.argsort(labels, kind="stable")
    ranked = labels[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    lengths = np.diff(np.append(starts, len(ranked)))
    before = np.empty(len(labels), np.uint64)
    before[order] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return told_apart(np.where(before > 0, mixed(labels, before), labels))  # a new label may be there already


def final(axis: Axis) -> Axis:
    """What the axis was found to be."""
    while axis.bound is not None:
        axis = axis.bound
    return axis


def is_free(axis: Axis) -> bool:
    """Whether nothing is known of it but its size."""
    return type(axis) is Axis


def met(one: Axis, other: Axis, *, name: str = "") -> Axis:
    """The axis of two numbers that are combined place by place; a free one becomes the other.

    Two of which each is known to be something else make a new one.
    """
    one, other = final(one), final(other)
    if one is other:
        return one
    if is_free(one) and not _is_within(one, other):
        one.bound = other
        return other
    if is_free(other) and not _is_within(other, one):
        other.bound = one
        return one
    if type(one) is type(other) and _sizes(one) == _sizes(other) and one.made_of():
        for left, right in zip(one.made_of(), other.made_of(), strict=True):
            met(left, right, name=name)
    return one if np.array_equal(one.labels(), other.labels()) else Axis(one.size, name)


def split(axis: Axis, sizes: Sequence[int]) -> tuple[Axis, ...]:
    """The axes that it is the flattened form of."""
    axis = final(axis)
    if isinstance(axis, Flattened) and _sizes(axis) == tuple(sizes):
        return axis.parts
    if is_free(axis):
        parts = tuple(Axis(size, f"{axis.name}.{at}") for at, size in enumerate(sizes))
        axis.bound = Flattened(axis.size, parts=parts)
        return parts
    return tuple(
        Piece(size, f"{axis.name}.{at}", whole=axis, number=at, count=len(sizes)) for at, size in enumerate(sizes)
    )


def flattened(parts: Sequence[Axis]) -> Axis:
    """One axis of several; pieces that were split from one are that one again."""
    found = tuple(final(one) for one in parts)
    pieces = [one for one in found if isinstance(one, Piece)]
    is_one = len(pieces) == len(found) and all(one.whole is pieces[0].whole for one in pieces)
    if is_one and [one.number for one in pieces] == list(range(pieces[0].count)):
        return pieces[0].whole
    wide = tuple(one for one in found if one.size != 1) or found[:1]
    if len(wide) == 1:
        return wide[0]
    return Flattened(int(np.prod([one.size for one in found])), parts=wide)


def _sizes(axis: Axis) -> tuple[int, ...]:
    return tuple(one.size for one in axis.made_of())


def _is_within(one: Axis, other: Axis) -> bool:
    return any(final(part) is one or _is_within(one, final(part)) for part in other.made_of())
