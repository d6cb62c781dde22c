"""Finds a block for each half of a block: a dense and a sparse one share it, and what a half takes stands earlier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Pair = tuple[int | None, int | None]
"""A dense and a sparse half."""


@dataclass(frozen=True)
class Ties:
    """What halves ask for.

    `needs`: the halves that must stand in earlier blocks, for each half. `partners`: the sparse halves that may share
    the block of a dense one, None among them where it may stand alone. `bound`: sparse halves that may not.
    """

    needs: Mapping[int, frozenset[int]]
    partners: Mapping[int, frozenset[int | None]]
    bound: frozenset[int]


def place(ties: Ties, last: Pair, *, most: int) -> list[Pair] | None:
    """The halves of each block from the first to the `last`, in as few blocks as can be; None where `most` are too few.

    The same ties give the same blocks.

    >>> partners = {1: frozenset({None, 2}), 3: frozenset({2})}
    >>> ties = Ties({1: frozenset(), 2: frozenset(), 3: frozenset({1})}, partners, frozenset())
    >>> place(ties, (3, 2), most=7)
    [(1, None), (3, 2)]
    """
    others = frozenset(ties.needs) - set(last)
    if not _fit(ties, *last) or any(ties.needs[half] & set(last) for half in ties.needs):
        return None
    for count in range(most):
        found = _placed(ties, others, count, set())
        if found is not None:
            return [*found, last]
    return None


def _placed(
    ties: Ties, waiting: frozenset[int], blocks: int, failed: set[tuple[frozenset[int], int]]
) -> list[Pair] | None:
    """From the last of so many blocks to the first: each takes halves that nothing before it takes."""
    if not waiting:
        return []
    dense = sorted(waiting & ties.partners.keys())
    sparse = sorted(waiting - ties.partners.keys())
    if blocks < max(len(dense), len(sparse)) or (waiting, blocks) in failed:
        return None
    taken = frozenset(need for half in waiting for need in ties.needs[half])
    for one in (*(half for half in dense if half not in taken), None):
        for other in (*(half for half in sparse if half not in taken), None):
            if _fit(ties, one, other):
                found = _placed(ties, waiting - {one, other}, blocks - 1, failed)
                if found is not None:
                    return [*found, (one, other)]
    failed.add((waiting, blocks))
    return None


def _fit(ties: Ties, dense: int | None, sparse: int | None) -> bool:
    if dense is not None:
        return sparse in ties.partners[dense]
    return sparse is not None and sparse not in ties.bound
