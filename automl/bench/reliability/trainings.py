"""The trainings of the benchmark: ours in cohorts, and a plain loop one after the other; each is kept in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators import training_seed
from evaluators._training.cohort import Cohort
from evaluators._training.evaluate import DIVERGED_LOGLOSS, trainable
from evaluators._training.loop import Course, score, scores, train
from evaluators._training.metrics import row_losses
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan
from searchspaces import Candidate
from searchspaces.build import RankingModel, build

CONTROL = -1
"""Number of the control among the candidates."""

NAIVE_STREAM = 7919
"""Keeps the seeds of the plain loop apart from those of ours."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bench:
    """What is trained: candidates by number, on which data, how."""

    data: SearchData
    candidates: dict[int, Candidate]
    settings: TrainingSettings
    dtype: torch.dtype
    seed: int
    folder: Path

    def path(self, method: str, number: int, replicate: int) -> Path:
        """Where one training's results are, or will be."""
        return self.folder / f"{method}-{number}-{replicate}.npz"

    def missing(self, method: str, numbers: Sequence[int], replicate: int) -> list[int]:
        """Those of the candidates that have not been trained yet."""
        return [one for one in numbers if not self.path(method, one, replicate).exists()]

    def read(self, method: str, number: int, replicate: int) -> dict[str, Vector] | None:
        """What a training left: logits on the validation rows and more; None where it is to come, or diverged."""
        path = self.path(method, number, replicate)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name].astype(np.float64) for name in found.files} or None

    def diverged(self, method: str, number: int, replicate: int) -> bool:
        """Whether it was trained and left nothing to score."""
        return self.path(method, number, replicate).exists() and self.read(method, number, replicate) is None

    def keep(self, method: str, number: int, replicate: int, found: dict[str, Vector]) -> None:
        """Writes what a training left, all or nothing; an empty result for one that diverged."""
        path = self.path(method, number, replicate)
        fresh = path.with_suffix(".tmp")
        with fresh.open("wb") as file:
            np.savez(file, allow_pickle=False, **{name: values.astype(np.float32) for name, values in found.items()})
        fresh.replace(path)


def train_ours(bench: Bench, numbers: Sequence[int], replicate: int) -> None:
    """One pass of a cohort under the replicate's seed: averaged and last weights, and the losses of its batches."""
    seed = training_seed(bench.seed, replicate)
    models = [_model(bench, number, seed) for number in numbers]
    for model in models:
        model.lower(bench.dtype)
    cohort = Cohort(models, [bench.settings] * len(models))
    plan = Plan.of(bench.settings, len(bench.data.train), seed=seed)
    courses = train(cohort, bench.data.stream, plan)
    sound = [at for at in range(len(numbers)) if courses.of[at].error is None]
    averaged = scores([models[at] for at in sound], bench.data.valid)
    if cohort.members:
        cohort.use(averaged=False)
    last = scores([models[at] for at in sound], bench.data.valid)
    left = {at: (one, other) for at, one, other in zip(sound, averaged, last, strict=True)}
    for at, number in enumerate(numbers):
        found = _ours(courses.of[at], *left[at], bench) if at in left else {}
        shared = {"rows": courses.rows.astype(np.float64), "clicks": courses.clicks}
        bench.keep("ours", number, replicate, {**found, **shared} if found else {})


def train_naive(bench: Bench, number: int, replicate: int) -> None:
    """A plain loop: dense fused Adam over all weights, rows and weights drawn anew for each training."""
    seed = int(np.random.SeedSequence([bench.seed, replicate, number, NAIVE_STREAM]).generate_state(1)[0])
    model, settings, data = _model(bench, number, seed), bench.settings, bench.data
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    plan = Plan.of(settings, len(data.train), seed=seed)
    order = np.random.default_rng(seed).permutation(plan.rows).astype(np.int64) + plan.first
    model.train()
    for batch in data.train.batches(order, settings.batch_size):
        with torch.autocast(data.train.device.type, torch.bfloat16, enabled=bench.dtype == torch.bfloat16):
            logits = model(batch.numeric, batch.categorical)
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(logits.float(), batch.label).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    logits_found = score(model, data.valid)
    bench.keep("naive", number, replicate, {"last": logits_found} if _is_sound(logits_found, bench) else {})


def _ours(course: Course, averaged: Vector, last: Vector, bench: Bench) -> dict[str, Vector]:
    if not (_is_sound(averaged, bench) and _is_sound(last, bench)):
        return {}
    return {"averaged": averaged, "last": last, "losses": course.losses}


def _is_sound(logits: Vector, bench: Bench) -> bool:
    return bool(np.isfinite(logits).all() and row_losses(logits, bench.data.valid.labels).mean() <= DIVERGED_LOGLOSS)


def _model(bench: Bench, number: int, seed: int) -> RankingModel:
    return build(trainable(bench.candidates[number]), bench.data.schema, seed=seed).to(bench.data.train.device)
