"""Trains the models of learning tests under several seeds, and holds their scores to what was claimed of them."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from automl._errors import AutomlError
from automl.bench._timing import machine
from automl.bench.learning.catalogue import ABSENT, LearningTest, catalogue
from automl.bench.learning.claims import TRUTH, Score, Scores
from automl.bench.learning.planting import Planted, planted
from automl.bench.learning.truth import Vector
from automl.bench.learning.worlds import World
from evaluators._training.evaluate import Job, train_jobs
from evaluators._training.metrics import quality
from evaluators._training.settings import TrainingSettings
from searchspaces import did_you_mean

LOG = logging.getLogger("automl")

TRAINING: Mapping[str, Any] = {"passes": 4, "learning_rate": 1e-2, "embedding_learning_rate": 0.05}
"""Of every model, where its test has no other: small data is seen a few times, at rates that get there in 400 steps."""


@dataclass(frozen=True)
class Plan:
    """Which tests, all where none is named, on how many rows to train on and to measure on, under how many seeds.

    Seeds are `seed`, `seed` + 1 and so on; each draws what is hidden in a world, its rows, and the first weights.
    """

    only: tuple[str, ...] = ()
    rows: int = 50_000
    measured_rows: int = 50_000
    seeds: int = 3
    seed: int = 1


def learning(plan: Plan) -> dict[str, Any]:
    """Runs the tests: of each what was expected, what was measured with its error, and whether it holds.

    Raises:
        AutomlError: there is no test of a name.
        DivergedError: a training did.
    """
    known = {one.name: one for one in catalogue()}
    for name in plan.only:
        if name not in known:
            raise AutomlError(f"no learning test {name!r}; {did_you_mean(name, tuple(known))}")
    started = time.perf_counter()
    tests = [_found(known[name], plan) for name in plan.only or known]
    claims = [claim for test in tests for claim in test["claims"]]
    return {
        "plan": asdict(plan),
        "training": dict(TRAINING),
        "tests": tests,
        "claims": len(claims),
        "hold": sum(claim["holds"] for claim in claims),
        "absent": dict(ABSENT),
        "seconds": round(time.perf_counter() - started, 1),
        "machine": machine(),
    }


def scores(test: LearningTest, plan: Plan, seed: int) -> Scores:
    """NE and AUC of the truth, of each bound and of each model on the same rows, which no model was trained on."""
    world = test.world(seed=seed)
    rows = planted(world, train=plan.rows, measured=plan.measured_rows, seed=seed)
    settings = TrainingSettings(**{**TRAINING, **test.training})
    trained = train_jobs([Job(one, settings) for one in test.models.values()], rows.data, seed=seed)
    found = {name: _score(logits[rows.states], rows) for name, logits in _known(world).items()}
    for position, name in enumerate(test.models):
        outcome = trained[position]
        if isinstance(outcome, Exception):
            raise outcome
        found[name] = _score(outcome.logits, rows)
    return found


def _found(test: LearningTest, plan: Plan) -> dict[str, Any]:
    started = time.perf_counter()
    seeds = [scores(test, plan, seed) for seed in range(plan.seed, plan.seed + plan.seeds)]
    world = test.world(seed=plan.seed)
    seconds = time.perf_counter() - started
    LOG.info(f"{test.name}: {seconds:.0f} s")
    return {
        "test": test.name,
        "asks": test.asks,
        "training": dict(test.training),
        "closed_form": {name: _expected(world, logits) for name, logits in _known(world).items()},
        "scores": {name: _summary([one[name] for one in seeds]) for name in seeds[0]},
        "claims": [claim.verdict(seeds) for claim in test.claims],
        "seconds": round(seconds, 1),
    }


def _known(world: World) -> dict[str, Vector]:
    """Logits by state that need no training."""
    return {TRUTH: world.truth.log_odds, **world.bounds()}


def _expected(world: World, logits: Vector) -> dict[str, float]:
    return {"ne": round(world.truth.ne(logits), 5), "auc": round(world.truth.auc(logits), 5)}


def _score(logits: Vector, rows: Planted) -> Score:
    found = quality(logits, rows.data.valid.labels)
    return Score(found["ne"].value, found["auc"].value)


def _summary(of: Sequence[Score]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, values in (("ne", [one.ne for one in of]), ("auc", [one.auc for one in of])):
        found[name] = round(float(np.mean(values)), 5)
        found[f"{name}_stderr"] = (
            round(float(np.std(values, ddof=1)) / math.sqrt(len(values)), 5) if len(values) > 1 else None
        )
    return found
