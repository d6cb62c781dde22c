"""Architectures of a size class: shapes of DCNv2, DeepFM and AutoCTR of any width that costs about the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl._errors import AutomlError
from searchspaces import Architecture, Candidate, FeatureSchema, Node, Options
from searchspaces.cost import cost

FLOPS_PER_MAC = 6
"""Forward two, backward twice that."""

TOLERANCE = 0.25
"""Share by which a member may cost less or more than its class."""

MOST_DRAWS = 20_000
DIMS = (4, 8, 12, 16, 24, 32, 48)
WIDTHS = (32, 48, 64, 96, 128, 192, 256, 384, 512, 640, 768, 1024)


@dataclass(frozen=True)
class SizeClass:
    """Candidates whose training takes about as many operations; `flops` an example, forward and backward."""

    name: str
    flops: float

    def holds(self, flops: float) -> bool:
        """Whether an architecture of so many is one of this class."""
        return abs(flops - self.flops) <= TOLERANCE * self.flops


SMALL = SizeClass("small", 1.7e6)
LARGE = SizeClass("large", 14e6)
CLASSES = (SMALL, LARGE)


def training_flops(architecture: Architecture, schema: FeatureSchema) -> float:
    """Operations an example of a forward and a backward pass."""
    return FLOPS_PER_MAC * float(cost(architecture, schema).macs)


def drawn(size: SizeClass, schema: FeatureSchema, count: int, rng: np.random.Generator) -> list[Candidate]:
    """So many different candidates of a class, of the three shapes in turn.

    Raises:
        AutomlError: the schema has too many or too few fields for models of this size.
    """
    found: dict[str, Candidate] = {}
    for _ in range(MOST_DRAWS):
        if len(found) == count:
            return list(found.values())
        architecture = SHAPES[len(found) % len(SHAPES)](rng)
        if size.holds(training_flops(architecture, schema)):
            candidate = Candidate(architecture)
            found.setdefault(candidate.fingerprint, candidate)
    raise AutomlError(
        f"{count} architectures of about {size.flops:.3g} FLOP an example are needed, but {MOST_DRAWS} draws gave "
        f"{len(found)} on {len(schema.fields)} fields; ask for fewer or name other data"
    )


def _dcnv2(rng: np.random.Generator) -> Architecture:
    return Architecture(
        (
            Node("numeric"),
            Node("full", (), Options(dim=_one(DIMS, rng))),
            Node("cross", (0, 1), Options(layers=int(rng.integers(1, 4)))),
            Node("mlp", (0, 1), Options(widths=_narrowing(rng))),
            Node("logit", (2, 3)),
        )
    )


def _deepfm(rng: np.random.Generator) -> Architecture:
    dim = _one(DIMS, rng)
    return Architecture(
        (
            Node("numeric"),
            Node("full", (), Options(dim=1)),
            Node("full", (), Options(dim=dim)),
            Node("linear", (0,), Options(bias=False, width=1)),
            Node("sum", (1,)),
            Node("fm", (2,), Options(dim=dim, first_order=False)),
            Node("mlp", (0, 2), Options(widths=_narrowing(rng))),
            Node("linear", (6,), Options(bias=False, width=1)),
            Node("sum_logit", (3, 4, 5, 7)),
        )
    )


def _autoctr(rng: np.random.Generator) -> Architecture:
    return Architecture(
        (
            Node("numeric"),
            Node("full", (), Options(dim=_one(DIMS, rng))),
            Node("mlp", (0, 1), Options(width=_one(WIDTHS, rng))),
            Node("dot_product", (0, 1, 2) if rng.random() < 0.5 else (0, 1)),
            Node("fm", (1, 2)),
            Node("mlp", (2, 3), Options(width=_one(WIDTHS, rng))),
            Node("logit", (2, 4, 5)),
        )
    )


SHAPES = (_dcnv2, _deepfm, _autoctr)


def _one(choices: tuple[int, ...], rng: np.random.Generator) -> int:
    return choices[int(rng.integers(len(choices)))]


def _narrowing(rng: np.random.Generator) -> tuple[int, ...]:
    first = _one(WIDTHS, rng)
    return tuple(max(16, first >> step) for step in range(int(rng.integers(1, 4))))
