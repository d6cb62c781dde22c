"""Trains random candidates under several seeds by our engine and by a plain loop, and compares their labels."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from automl.bench._remembering import remember
from automl.bench._timing import machine
from automl.bench.reliability import variance
from automl.bench.reliability.labels import DEFAULT, NAIVE, ON_THE_STREAM, TRUTH, Collected
from automl.bench.reliability.trainings import CONTROL, Bench, train_naive, train_ours
from automl.bench.reliability.variance import Measured
from evaluators._datasets import open_dataset
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from searchspaces import Candidate, SearchSpace, zoo
from searchspaces.spaces.autoctr import AutoCTR

LOG = logging.getLogger("automl")

COHORT = 4
"""Candidates of a pass; a few, so that a run that is stopped has lost little."""

RESAMPLES = 2000
LEAST = 4
"""Candidates below which there is nothing to tell."""


@dataclass(frozen=True)
class Plan:
    """What is measured; trainings in `folder` are found again, so the same plan goes on where it stopped.

    After `minutes` no more training begins, and the labels of the candidates that are complete are compared.
    """

    data: str
    folder: Path
    architectures: int = 40
    replicates: int = 5
    rows: int | None = None
    seed: int = 1
    precision: str = "bf16"
    minutes: float | None = None


def reliability(plan: Plan) -> dict[str, Any]:
    """Trains what is missing, a few candidates with all their replicates at a time, and compares the labels."""
    torch.set_num_threads(1)  # as many of them as cores run beside each other
    bench, facts = _bench(plan)
    started = time.monotonic()
    for done, left in _trained(bench, plan):
        LOG.info(f"{done}, about {left / 60:.0f} min left")
        if plan.minutes is not None and time.monotonic() - started > 60.0 * plan.minutes:
            break
    return {**facts, **summary(Collected(bench, plan.replicates), seed=plan.seed)}


def summary(collected: Collected, *, seed: int) -> dict[str, Any]:
    """Reliability of every label over the candidates that are complete, with 95 % intervals over candidates."""
    complete = collected.complete
    found: dict[str, Any] = {"candidates": len(complete), "diverged": collected.diverged}
    if len(complete) < LEAST:
        return found
    labels = collected.labels()
    drawn = variance.resamples(len(complete), RESAMPLES, np.random.default_rng(seed))
    found["mean_ne"] = {name: -float(labels[name].whole.mean()) for name in (NAIVE, "last weights", "averaged weights")}
    found["spread_of_candidates"] = float(np.sqrt(max(0.0, variance.between(labels[TRUTH].half, labels[TRUTH].other))))
    found["labels"] = {name: _row(name, labels, drawn) for name in labels}
    found["default"] = DEFAULT
    return found


def _row(name: str, labels: dict[str, Measured], drawn: Any) -> dict[str, Any]:
    label, naive, truth = labels[name], labels[NAIVE], labels[TRUTH]
    own = np.array([variance.reliability(label.half[rows], label.other[rows]) for rows in drawn])
    other = np.array([variance.reliability(naive.half[rows], naive.other[rows]) for rows in drawn])
    reliability = variance.reliability(label.half, label.other)
    worths = np.array([variance.worth(*pair) for pair in zip(own, other, strict=True)])
    shares = [variance.share_of_truth(_rows(label, rows), _rows(truth, rows)) for rows in drawn]
    return {
        "reliability": round(reliability, 4),
        "interval": variance.interval(own),
        "under_one_seed": round(variance.reliability_under_one_seed(label.half, label.other), 4),
        "of_ranks": round(_of_ranks(label), 4),
        "on_all_rows": round(variance.between(label.half, label.other) / variance.total(label.whole), 4),
        "share_of_truth": round(variance.share_of_truth(label, truth), 4),
        "share_of_truth_interval": variance.interval(np.array(shares)),
        "worth": _finite(variance.worth(reliability, variance.reliability(naive.half, naive.other))),
        "worth_of_ranks": _finite(variance.worth(*(_of_ranks(one) for one in (label, naive)))),
        "worth_interval": variance.interval(worths),
        "rows_are_disjoint": name not in ON_THE_STREAM,
    }


def _of_ranks(label: Measured) -> float:
    return variance.rank_reliability(label.half, label.other)


def _rows(label: Measured, rows: Any) -> Measured:
    return Measured(label.half[rows], label.other[rows], label.whole[rows])


def _finite(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None


def _trained(bench: Bench, plan: Plan) -> Iterator[tuple[str, float]]:
    """Trains what is missing; yields after each training or cohort what was done, and the seconds left."""
    numbers = list(range(plan.architectures))
    every = [(at, numbers[start : start + COHORT]) for start in numbers[::COHORT] for at in range(plan.replicates)]
    rest = sum(len(bench.missing("ours", group, at)) + len(bench.missing("naive", group, at)) for at, group in every)
    started, done = time.monotonic(), 0
    for at, group in every:
        ours = bench.missing("ours", [CONTROL, *group], at)
        if ours:
            train_ours(bench, ours, at)
            done += len([one for one in ours if one != CONTROL])
        for number in bench.missing("naive", group, at):
            train_naive(bench, number, at)
            done += 1
        yield f"candidates {group}, replicate {at}", (time.monotonic() - started) / max(done, 1) * (rest - done)


def _bench(plan: Plan) -> tuple[Bench, dict[str, Any]]:
    dataset = open_dataset(plan.data)
    data = SearchData.load(dataset, torch.device("cpu"))
    candidates = {CONTROL: zoo("dcnv2", dataset.schema), **_sampled(AutoCTR(dataset.schema), plan)}
    dtype = torch.bfloat16 if plan.precision == "bf16" else torch.float32
    settings = TrainingSettings(rows=plan.rows)
    facts = {
        "plan": {**asdict(plan), "folder": None, "data": dataset.name, "digest": dataset.digest},
        "rows": {"train": min(plan.rows or len(data.train), len(data.train)), "valid": len(data.valid)},
        "machine": {**machine(), "torch": torch.__version__},
    }
    kept = {name: value for name, value in facts["plan"].items() if name != "minutes"}
    remember(plan.folder, {**kept, "architectures": None, "replicates": None})
    return Bench(data, candidates, settings, dtype, plan.seed, plan.folder), facts


def _sampled(space: SearchSpace, plan: Plan) -> dict[int, Candidate]:
    """Candidates of which no two are one; the first ones are the same however many there are."""
    rng, found = np.random.default_rng(plan.seed), dict[str, Candidate]()
    while len(found) < plan.architectures:
        one = space.sample(rng)
        found.setdefault(one.fingerprint, one)
    return dict(enumerate(found.values()))
