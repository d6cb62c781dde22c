"""What is tuned of a model: a first setting, that of its file, and others drawn around it.

A network's learning rates are drawn within a factor of 3 of its own, log-uniformly; each weight decay is zero in half
of the draws, else log-uniform; dropout, embedding dimension and widths of layers come from a few values around its own.
So a draw changes some of it: where all changed at once by much, few draws in a small budget came near the first one.
What decides which rows are seen how often is the study's, as in a search.

The trees' ranges are those that a careful user would search (30 trials on one of our data sets found its best setting
inside them).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from evaluators import Suggestion
from evaluators._training.settings import TrainingSettings
from searchspaces import Candidate, FeatureSchema, Options
from searchspaces.resizing import embedding_dim, with_dim, with_dropout, with_widths

TREES = "lightgbm"
"""Name of the boosted trees among the contenders."""

RATE_FACTOR = 3.0
DECAYS = (1e-6, 1e-1)
DROPOUTS = (0.0, 0.0, 0.05, 0.1, 0.2)
DIM_FACTORS = (0.5, 1.0, 1.0, 2.0)
WIDTH_FACTORS = (0.5, 1.0, 1.0, 2.0)
MOST_REPEATS = 20
"""Draws for each new setting: a model that has fewer settings than are wanted ends there."""

Draw = Callable[[np.random.Generator], Candidate]


@dataclass(frozen=True)
class Contender:
    """A model to be tuned: its name, its first setting, and how others are drawn."""

    name: str
    first: Candidate
    draw: Draw
    seed: int = 0

    @property
    def is_trees(self) -> bool:
        """Whether it is no network and takes another evaluator."""
        return self.first.architecture is None

    def settings(self, wanted: int) -> list[Candidate]:
        """The first `wanted` different settings; fewer where the model has no more. Their order never changes."""
        return list(islice(self._different(wanted * MOST_REPEATS), wanted))

    def _different(self, draws: int) -> Iterator[Candidate]:
        known: set[str] = set()
        key = zlib.crc32(self.name.encode())
        for number in islice(count(), draws):
            drawn = self.first if number == 0 else self.draw(np.random.default_rng([self.seed, key, number]))
            if drawn.fingerprint not in known:
                known.add(drawn.fingerprint)
                yield drawn


def contenders_of(
    baselines: Sequence[Suggestion], schema: FeatureSchema, usual: TrainingSettings, *, seed: int
) -> list[Contender]:
    """The study's baselines as contenders; `usual` is how the study trains what says nothing else."""
    return [
        Contender(one.origin, one.candidate, _network_draw(one.candidate, schema, usual), seed)
        for one in baselines
        if one.candidate.architecture is not None
    ]


def trees_contender(*, seed: int) -> Contender:
    """Boosted trees on the same prepared columns."""
    return Contender(TREES, Candidate(), _drawn_trees, seed)


def _network_draw(candidate: Candidate, schema: FeatureSchema, usual: TrainingSettings) -> Draw:
    own = usual.overridden(candidate.training)
    return lambda rng: _drawn_network(candidate, schema, own, rng)


def _drawn_network(
    candidate: Candidate, schema: FeatureSchema, own: TrainingSettings, rng: np.random.Generator
) -> Candidate:
    training = {
        "learning_rate": _near(own.learning_rate, rng),
        "embedding_learning_rate": _near(own.table_learning_rate, rng),
        "weight_decay": _decay(rng),
        "embedding_weight_decay": _decay(rng),
    }
    dim_factor, width_factor, dropout = (float(rng.choice(one)) for one in (DIM_FACTORS, WIDTH_FACTORS, DROPOUTS))
    architecture = candidate.architecture
    assert architecture is not None  # trees are drawn elsewhere
    dim = embedding_dim(architecture)
    if dim is not None:
        architecture = with_dim(architecture, schema, max(2, round(dim * dim_factor)))
    architecture = with_dropout(with_widths(architecture, schema, width_factor), schema, dropout)
    return Candidate(architecture, Options({**candidate.training, **training}), candidate.system)


def _drawn_trees(rng: np.random.Generator) -> Candidate:
    settings = {
        "learning_rate": _log_uniform(0.02, 0.15, rng),
        "num_leaves": round(_log_uniform(8, 128, rng)),
        "min_data_in_leaf": round(_log_uniform(10, 300, rng)),
        "feature_fraction": _rounded(rng.uniform(0.5, 1.0)),
        "bagging_fraction": _rounded(rng.uniform(0.6, 1.0)),
        "lambda_l1": _log_uniform(1e-3, 1.0, rng),
        "lambda_l2": _log_uniform(1e-3, 10.0, rng),
        "native_up_to": int(rng.choice((0, 32, 300))),
        "large_fields": str(rng.choice(("ordinal", "statistics", "both"))),
    }
    return Candidate(None, Options(settings))


def _near(value: float, rng: np.random.Generator) -> float:
    return _log_uniform(value / RATE_FACTOR, value * RATE_FACTOR, rng)


def _decay(rng: np.random.Generator) -> float:
    drawn = _log_uniform(*DECAYS, rng)
    return 0.0 if rng.random() < 1 / 2 else drawn


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return _rounded(float(np.exp(rng.uniform(np.log(low), np.log(high)))))


def _rounded(value: float) -> float:
    """Three digits: more say nothing, and people read them."""
    return float(f"{value:.3g}")
