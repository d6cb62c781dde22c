"""The learning tests: what is planted, who is trained on it, and what must be true of the scores.

Thresholds: 0.02 AUC is what a block must beat one that cannot say the effect by; it must also learn nine tenths of
what lies between the best model of the limited kind and the truth, or less where that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from automl.bench.learning.claims import Claim, beats, is_limited, is_no_worse, learns
from automl.bench.learning.networks import Spec, additive, beside, chain, dhen, of_one, source
from automl.bench.learning.values import Crossed, Effects, Popular, Steps
from automl.bench.learning.worlds import Routed, Signs, World
from searchspaces import Candidate

ABSENT = {
    "sequence": "DIN or target attention beats mean pooling where the target says which past item matters: "
    "no block reads sequences yet",
}
"""Tests that the specification asks for and that cannot be run, with the reason."""


class MakesWorld(Protocol):
    """A world for a seed."""

    def __call__(self, *, seed: int) -> World:
        """The world, with what is hidden in it drawn."""


@dataclass(frozen=True)
class LearningTest:
    """`training` holds settings that are not those of the other tests."""

    name: str
    asks: str
    world: MakesWorld
    models: Mapping[str, Candidate]
    claims: tuple[Claim, ...]
    training: Mapping[str, Any] = field(default_factory=dict)


def catalogue() -> tuple[LearningTest, ...]:
    """All tests."""
    return (
        second_order(),
        third_order(),
        fourth_order(),
        heterogeneous(),
        routing(),
        shared_rows(),
        mixed_dimension(),
        popular(),
        steps(),
    )


def second_order() -> LearningTest:
    """Pairs of fields, beside effects of single ones."""
    able = {
        "fm": of_one("fm"),
        "dot_product": beside("dot_product"),
        "cross": of_one("cross", layers=1),
        "bilinear": beside("bilinear", weights="pair"),
        "mlp": of_one("mlp", widths=(64, 64)),
    }
    return LearningTest(
        "second_order",
        "do FM, dot product and cross learn pairs, which a linear model cannot?",
        partial(Signs, {(0,): 0.3, (1,): 0.3, (2,): 0.3, (3,): 0.3, (0, 1): 0.8, (2, 3): 0.8}, width=8),
        {"linear": additive(source(dim=1)), **able},
        (is_limited("linear", by="best of order 1"), *_learnt(able, "best of order 1", over="linear")),
    )


def third_order() -> LearningTest:
    """Triples of fields, over the pair and the single one that lead to them."""
    terms = {(0,): 0.4, (0, 1): 0.4, (0, 1, 2): 0.9, (3,): 0.4, (3, 4): 0.4, (3, 4, 5): 0.9}
    return LearningTest(
        "third_order",
        "do two layers of cross and of CIN learn triples, which one layer cannot?",
        partial(Signs, terms, width=8),
        {
            "cross 1": of_one("cross", layers=1),
            "cross 2": of_one("cross", layers=2),
            "cin 1": beside("cin", maps=(16,)),
            "cin 2": beside("cin", maps=(16, 16)),
        },
        (
            *(is_limited(one, by="best of order 2") for one in ("cross 1", "cin 1")),
            *_learnt(("cross 2",), "best of order 2", over="cross 1"),
            *_learnt(("cin 2",), "best of order 2", over="cin 1"),
        ),
    )


def fourth_order() -> LearningTest:
    """A product of four, over the pairs that it is a product of."""
    layer = {"fm_tokens": 4, "linear_tokens": 4, "rank": 4, "widths": (16,)}
    return LearningTest(
        "fourth_order",
        "do two Wukong layers learn a product of four better than one, and three layers of cross what two cannot?",
        partial(Signs, {(0, 1): 0.5, (2, 3): 0.5, (0, 1, 2, 3): 1.0}, width=8),
        {
            "wukong 1": chain("wukong", 1, **layer),
            "wukong 2": chain("wukong", 2, **layer),
            "cross 2": of_one("cross", layers=2),
            "cross 3": of_one("cross", layers=3),
        },
        (
            *_learnt(("wukong 2",), "best of order 3", over="wukong 1"),
            is_limited("cross 2", by="best of order 3"),
            *_learnt(("cross 3",), "best of order 3", over="cross 2"),
        ),
    )


def heterogeneous() -> LearningTest:
    """Some fields matter for themselves, some as pairs."""
    singles: dict[tuple[int, ...], float] = {(at,): 0.35 for at in range(4, 8)}
    linear = ("token_linear", (("tokens", 4),))
    return LearningTest(
        "heterogeneous",
        "is a DHEN layer of dot product and linear no worse than one of each alone?",
        partial(Signs, {**singles, (0, 1): 0.7, (2, 3): 0.7}, width=8),
        {"dot": dhen("dot_product"), "linear": dhen(linear), "both": dhen("dot_product", linear)},
        (is_no_worse("both", "dot"), is_no_worse("both", "linear"), learns("both", floor="best of order 1")),
        {"passes": 8},
    )


def routing() -> LearningTest:
    """A field says which of the others matters."""
    able = {
        "rank1_experts": of_one("rank1_experts", width=16, experts=8),
        "experts": of_one("experts", width=16, activation="none", experts=8),
        "experts, top 2": of_one("experts", width=16, activation="none", experts=8, top_k=2, balance=0.01),
        "experts, top 1": of_one("experts", width=16, activation="none", experts=8, top_k=1, balance=0.01),
    }
    return LearningTest(
        "routing",
        "do experts without activation learn which field matters, which a linear layer cannot?",
        partial(Routed, 4, 2.0),
        {"linear": of_one("linear", width=16), **able},
        (is_limited("linear", by="best of order 1"), *_learnt(able, "best of order 1", over="linear")),
    )


def shared_rows() -> LearningTest:
    """An effect for each id, in tables with one row for several of them."""
    size, collisions, dim = 400, 8, 32
    rows = -(-(size + 1) // collisions) + collisions
    able = {
        "full": additive(source()),
        "quotient_remainder": additive(source("quotient_remainder", collisions=collisions, dim=dim)),
    }
    return LearningTest(
        "shared_rows",
        "do quotient and remainder tell ids apart that share a row of a hashed table of equal size?",
        partial(Effects, size, 1.2, rows),
        {"hashed": additive(source("hashed", rows=rows, dim=dim)), **able},
        (is_limited("hashed", by="best of shared rows"), *_learnt(able, "best of shared rows", over="hashed")),
    )


def mixed_dimension() -> LearningTest:
    """Vectors of many numbers where few ids need them.

    Each of 1,000 ids has but 50 rows to tell its sign, which costs any model about k / 2n = 0.01 nats.
    """
    return LearningTest(
        "mixed_dimension",
        "does an FM with a mixed dimension learn what equal short vectors with more parameters cannot?",
        partial(Crossed, 12, 1000, 1.2),
        {
            "full 2": of_one("fm", source(dim=2)),
            "full 16": of_one("fm", source(dim=16)),
            "mixed": of_one("fm", source("mixed_dimension", dim=16, alpha=0.6)),
        },
        (
            beats("mixed", "full 2"),
            is_no_worse("mixed", "full 16"),
            learns("mixed", floor="best of order 1", share=0.8),
        ),
    )


def popular() -> LearningTest:
    """How frequent an id is matters, not which it is; 20 rows or 4, which a line in log(1 + n) all but tells."""
    frequency: Spec = ("frequency", (), {})
    return LearningTest(
        "popular",
        "does an id's frequency as a number tell what a vector of its own cannot?",
        partial(Popular, 1250, 6250, 2.0),
        {
            "ids": additive(source()),
            "ids and frequency": additive(source(), frequency),
            "frequency": additive(frequency),
        },
        (beats("ids and frequency", "ids", by=0.01), learns("frequency", floor="base rate", share=0.8)),
        {"passes": 2, "learning_rate": 3e-2},
    )


def steps() -> LearningTest:
    """Steps in a number."""
    able = {
        "quantile_bins": additive(source("quantile_bins", bins=128)),
        "piecewise_linear": additive(source("piecewise_linear", bins=128)),
        "autodis": additive(source("autodis", buckets=16, temperature=0.1)),
        "mlp": of_one("mlp", ("numeric", (), {}), widths=(64, 64)),
    }
    return LearningTest(
        "steps",
        "do bins and encodings of a number learn steps, which the number itself cannot?",
        partial(Steps, 7, 2.0),
        {"numeric": additive(("numeric", (), {})), **able},
        (
            is_limited("numeric", by="best straight line"),
            *_learnt(able, "best straight line", over="numeric"),
        ),
        {"passes": 12},
    )


def _learnt(able: Mapping[str, object] | tuple[str, ...], floor: str, *, over: str) -> tuple[Claim, ...]:
    """Each of these beats a model that cannot say the effect, and learns most of it."""
    return tuple(claim for one in able for claim in (beats(one, over), learns(one, floor=floor)))
