"""Small networks with one thing in them each, so that what they learn is what that thing can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from searchspaces import Architecture, Candidate, Node, Options

DIM = 8
"""Numbers of a vector."""

Spec = tuple[str, tuple[int, ...], Mapping[str, Any]]
"""A block, its inputs, its options."""


def network(*nodes: Spec) -> Candidate:
    """A candidate of these nodes."""
    built = tuple(Node(block, inputs, Options(options)) for block, inputs, options in nodes)
    return Candidate(Architecture(built), Options(), Options())


def source(block: str = "full", **options: Any) -> Spec:
    """A raw input with its embedding choice."""
    return (block, (), {"dim": DIM, **options})


def of_one(block: str, before: Spec | None = None, **options: Any) -> Candidate:
    """A source, one block on it, and an affine unit."""
    return network(before or source(), (block, (0,), options), ("logit", (1,), {}))


def beside(block: str, **options: Any) -> Candidate:
    """An affine unit on a block and on the vectors themselves."""
    return network(source(), (block, (0,), options), ("logit", (0, 1), {}))


def additive(*sources: Spec) -> Candidate:
    """An affine unit on sources: a sum of functions of single fields."""
    return network(*sources, ("logit", tuple(range(len(sources))), {}))


def chain(block: str, layers: int, **options: Any) -> Candidate:
    """Equal layers, each on the one before."""
    stacked = [(block, (at,), options) for at in range(layers)]
    return network(source(), *stacked, ("logit", (layers,), {}))


def dhen(*modules: Any) -> Candidate:
    """One layer of a deep hierarchical ensemble."""
    return of_one("dhen", modules=modules, tokens=4)
