"""Trains predictors on some trials of a pool and asks them for the order of the others."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl._errors import AutomlError
from automl.bench._timing import machine
from automl.bench.predictors.pool import Pool
from evaluators import Goal
from predictors import Predictor, rank_correlation
from searchspaces import FeatureSchema, SearchSpace, load_plugin, plugin_names

ROOM = "predictors"
BEST = 5
"""Held-out candidates that a predictor may name; the regret is that of the best of them."""

Sample = dict[str, Any]


class PlanError(AutomlError):
    """The trials, the sizes and the predictors do not go together."""


@dataclass(frozen=True)
class Plan:
    """How many trials to train on, how often, and which predictors.

    `predictors` are names, with options as in `pairwise_mlp:loss=squared`; none means all of the room.
    `held_out` is the most candidates that are predicted in a repeat.
    """

    train: tuple[int, ...] = (20, 50, 100)
    repeats: int = 20
    predictors: tuple[str, ...] = ()
    seed: int = 1
    held_out: int = 1000


def predictors(pool: Pool, plan: Plan, *, kept: Path | None = None) -> Iterator[dict[str, Any]]:
    """Figures after each repeat; those in the file `kept` that answer the same question are not taken again, but stay.

    Each repeat draws a training set of the largest size, of which the smaller ones are the beginning, and holds the
    other candidates out: all sizes and predictors are asked for the same ones. `tau` is Kendall's tau-b of predicted
    and true order, `regret` what the best of the five first misses to the best that was held out, in the unit of the
    metric; both are means over repeats, with standard errors. `cpu_seconds` are those of fit and predict. `ceiling` is
    what tau could be at most, given the noise of the labels: that of the pool.

    Raises:
        PlanError: too few candidates for the sizes, or no sizes.
        PluginError: no such predictor.
    """
    names = plan.predictors or plugin_names(ROOM)
    _check(plan, pool)
    for name in names:
        built(name, pool.space, pool.schema)
    about = _about(pool, plan)
    samples = _kept(kept, about)
    for repeat in range(plan.repeats):
        taken = {(one["predictor"], one["train"]) for one in samples if one["repeat"] == repeat}
        asked = [(name, size) for name in names for size in plan.train if (name, size) not in taken]
        samples += [_sample(name, size, repeat, pool, plan) for name, size in asked]
        if asked or repeat == plan.repeats - 1:
            rows = [{**row, "ceiling": pool.ceiling} for row in summary(samples)]
            yield {**about, "ceiling": pool.ceiling, "predictors": rows, "samples": samples, "machine": machine()}


def built(text: str, space: SearchSpace, schema: FeatureSchema | None = None) -> Predictor:
    """The predictor that a name with options stands for, with the schema where it takes one.

    Raises:
        PlanError: an option without a value, or one that the predictor does not take.
        PluginError: no such predictor.
    """
    name, *pairs = text.split(":")
    options = dict(_option(pair, text) for pair in pairs)
    kind = load_plugin(ROOM, name)
    try:
        injected = {"schema": schema} if "schema" in inspect.signature(kind).parameters else {}
        predictor: Predictor = kind(space, **{**injected, **options})
    except TypeError as error:
        raise PlanError(f"options must be those of the predictor, but {text!r} has others: {error}") from error
    return predictor


def summary(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """A row for each predictor and size, in the order of their first samples: means over repeats, standard errors."""
    groups: dict[tuple[str, int], list[Sample]] = {}
    for one in samples:
        groups.setdefault((one["predictor"], one["train"]), []).append(one)
    names = list(dict.fromkeys(name for name, _ in groups))
    return [
        {"predictor": name, "train": size, "repeats": len(own), **_means(own)}
        for (name, size), own in sorted(groups.items(), key=lambda item: (names.index(item[0][0]), item[0][1]))
    ]


def _option(pair: str, text: str) -> tuple[str, Any]:
    name, equals, value = pair.partition("=")
    if not equals:
        raise PlanError(f"options are written as name:option=value, but {text!r} is not")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _means(samples: Sequence[Sample]) -> dict[str, float]:
    found: dict[str, float] = {}
    for figure in ("tau", "regret"):
        values = np.array([one[figure] for one in samples])
        found[figure] = float(values.mean())
        found[f"{figure}_stderr"] = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0
    return found | {"cpu_seconds": float(np.mean([one["cpu_seconds"] for one in samples]))}


def _check(plan: Plan, pool: Pool) -> None:
    if not plan.train or min(plan.train) < 4 or plan.repeats < 1:
        raise PlanError(f"train on at least 4 trials, at least once, not on {list(plan.train)}, {plan.repeats} times")
    left = len(pool.trials) - max(plan.train)
    if left < 2 * BEST:
        raise PlanError(
            f"{2 * BEST} candidates must be held out, but {len(pool.trials)} are there and {max(plan.train)} trained "
            "on; take smaller --train"
        )


def _sample(name: str, size: int, repeat: int, pool: Pool, plan: Plan) -> Sample:
    trials = pool.trials
    order = np.random.default_rng([plan.seed, repeat]).permutation(len(trials))
    learned = [trials[at] for at in order[:size]]
    held = [trials[at] for at in order[max(plan.train) :][: plan.held_out]]
    sign = 1.0 if pool.goal is Goal.MINIMIZE else -1.0
    true = sign * np.array([trial.value(pool.metric) for trial in held], dtype=np.float64)
    predictor = built(name, pool.space, pool.schema)
    started = time.process_time()
    predictor.fit(learned, pool.metric, rng=np.random.default_rng([plan.seed, repeat, size]))
    mean = predictor.predict([trial.suggestion for trial in held]).mean
    spent = time.process_time() - started
    best = true[np.argsort(mean, kind="stable")[:BEST]].min()
    return {
        "predictor": name,
        "train": size,
        "repeat": repeat,
        "tau": rank_correlation(mean, true),
        "regret": float(best - true.min()),
        "cpu_seconds": round(spent, 3),
    }


def _about(pool: Pool, plan: Plan) -> dict[str, Any]:
    return {
        **pool.about,
        "seed": plan.seed,
        "train": list(plan.train),
        "held_out": min(plan.held_out, len(pool.trials) - max(plan.train)),
    }


def _kept(file: Path | None, about: Mapping[str, Any]) -> list[Sample]:
    if file is None or not file.exists():
        return []
    content = json.loads(file.read_text(encoding="utf-8"))
    same = all(content.get(name) == value for name, value in about.items() if name != "train")
    same = same and max(content["train"]) == max(about["train"])  # which ones are held out follows from the largest
    samples: list[Sample] = content["samples"] if same else []
    return samples
