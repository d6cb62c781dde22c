"""Trials from candidates to evaluations: build, train in one pass, score, measure."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from evaluators._errors import DivergedError, EvaluatorError
from evaluators._evaluation import Evaluation, Metric, Point
from evaluators._training.cohort import Cohort
from evaluators._training.compiling import forget_compiled
from evaluators._training.energy import metered
from evaluators._training.labels.at_full import gains_at_full
from evaluators._training.labels.calibration import calibrated_ne
from evaluators._training.labels.paired import ne_gain
from evaluators._training.labels.progressive import Batches, progressive_gain, progressive_ne
from evaluators._training.loop import Course, Courses, Judge, scores, train
from evaluators._training.memory import peak_bytes, reset_peak
from evaluators._training.metrics import quality, row_losses
from evaluators._training.search_data import SearchData
from evaluators._training.serving import measure_serving
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan
from evaluators._training.warm_tables import WarmTables
from evaluators._training.way import Way
from searchspaces import Architecture, Candidate, Cost, FeatureSchema
from searchspaces.build import RankingModel, build
from searchspaces.cost import cost

DIVERGED_LOGLOSS = 5.0 * math.log(2.0)
"""Log loss in nats from which a model counts as diverged: five times that of answering one half always."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """A candidate with the settings that it is trained with."""

    candidate: Candidate
    settings: TrainingSettings


@dataclass(frozen=True, eq=False)
class Reference:
    """What the control did on the rows that others are compared on: training losses [steps], scored losses [rows]."""

    course: Vector
    losses: Vector
    flops: float


@dataclass(frozen=True, eq=False)
class Trained:
    """One member after its training: its course among the others', and its logits on the validation part."""

    model: RankingModel
    course: Course
    courses: Courses
    number: int
    logits: Vector
    seconds: float
    price: Cost


Outcome = Evaluation | Exception

Racing = Callable[[Sequence[float]], Judge]
"""Takes the FLOPs of the members of a cohort."""


def evaluate_candidate(candidate: Candidate, data: SearchData, settings: TrainingSettings, *, seed: int) -> Evaluation:
    """Trains one candidate on the training part and measures it on the validation part.

    Raises:
        DivergedError: the loss is not finite, or the model is far worse than guessing.
        EvaluatorError: the candidate has no architecture to train.
        SearchSpaceError: the architecture cannot be built for this schema.
    """
    ((_, outcome),) = evaluate_cohort([Job(candidate, settings)], data, seed=seed)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def evaluate_cohort(
    jobs: Sequence[Job],
    data: SearchData,
    *,
    seed: int,
    dtype: torch.dtype = torch.float32,
    reference: Reference | None = None,
    racing: Racing | None = None,
    warm: WarmTables | None = None,
    full_rows: int | None = None,
    way: Way = Way.MEMBERWISE,
) -> Iterator[tuple[int, Outcome]]:
    """Trains jobs of one plan in one pass and yields (position, outcome): what is wrong with one is its outcome alone.

    `energy_joules`, from the first step to the last, is among the metrics where the device tells, each member's share.
    `full_rows` are those of a full training, all passes together, which gains beside a reference are carried on to;
    `warm` are tables that members begin with.
    """
    with metered(data.train.device) as energy:
        trained = train_jobs(jobs, data, seed=seed, dtype=dtype, racing=racing, warm=warm, way=way)
        joules = {name: Metric(one.value / len(jobs)) for name, one in energy().items()}
    for position, found in sorted(trained.items()):
        if isinstance(found, Exception):
            yield position, found
            continue
        try:
            yield position, _evaluation(found, data, reference, joules, full_rows)
        except (DivergedError, EvaluatorError) as error:
            yield position, error


def train_jobs(
    jobs: Sequence[Job],
    data: SearchData,
    *,
    seed: int,
    dtype: torch.dtype = torch.float32,
    racing: Racing | None = None,
    warm: WarmTables | None = None,
    way: Way = Way.MEMBERWISE,
) -> dict[int, Trained | Exception]:
    """What became of each job, by its position; all must have one plan and one hash cap."""
    reset_peak(data.train.device)
    started = time.perf_counter()
    models: dict[int, RankingModel] = {}
    found: dict[int, Trained | Exception] = {}
    for position, job in enumerate(jobs):
        try:
            models[position] = _model(job, data, seed=seed, dtype=dtype)
            if warm is not None and job.settings.warm_tables:
                warm.fill(models[position])
        except Exception as error:  # noqa: BLE001  # a block may raise anything, and the others are not to blame
            found[position] = error
    if not models:
        return found
    positions = list(models)
    cohort = Cohort(list(models.values()), [jobs[at].settings for at in positions], way=way)
    plan = Plan.of(jobs[positions[0]].settings, len(data.train), seed=seed)
    prices = [cost(trainable(jobs[at].candidate), _schema(jobs[at], data)) for at in positions]
    judge = racing([one.flops for one in prices]) if racing else None
    courses = train(cohort, data.stream, plan, judge=judge)
    if way is Way.COMPILED:
        forget_compiled()
    sound = [at for number, at in enumerate(positions) if courses.of[number].error is None]
    logits = dict(zip(sound, scores([models[at] for at in sound], data.valid), strict=True))
    seconds = (time.perf_counter() - started) / len(models)
    for number, at in enumerate(positions):
        course = courses.of[number]
        found[at] = course.error or Trained(models[at], course, courses, number, logits[at], seconds, prices[number])
    return found


def alike(jobs: Sequence[Job], data: SearchData) -> list[list[int]]:
    """Positions of jobs that can share a pass: with one plan, one hash cap and one kind of first tables."""
    groups: dict[tuple[Plan, int | None, bool], list[int]] = {}
    for position, job in enumerate(jobs):
        key = (Plan.of(job.settings, len(data.train), seed=0), job.settings.hash_cap, job.settings.warm_tables)
        groups.setdefault(key, []).append(position)
    return list(groups.values())


def reference_of(trained: Trained, data: SearchData) -> Reference:
    """What others are compared with, where this is the control."""
    losses = row_losses(trained.logits, data.valid.labels)
    return Reference(trained.course.losses, losses, trained.price.flops)


def trainable(candidate: Candidate) -> Architecture:
    """The candidate's architecture.

    Raises:
        EvaluatorError: it has none.
    """
    if candidate.architecture is None:
        raise EvaluatorError(
            f"training needs an architecture, but candidate {candidate.fingerprint} has only settings; "
            "choose an evaluator that measures settings"
        )
    return candidate.architecture


def checked_logits(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same logits, [rows]: the last steps of a training have no later loss that would show them going wrong.

    Raises:
        DivergedError: a logit is not finite.
    """
    wrong = ~np.isfinite(logits)
    if wrong.any():
        raise DivergedError(
            f"a trained model must give finite logits, but gives {logits[wrong.argmax()]} on {wrong.sum()} of "
            f"{len(logits)} evaluated rows; lower the learning rate or the widths"
        )
    return logits


def checked_quality(found: dict[str, Metric]) -> dict[str, Metric]:
    """The same metrics.

    Raises:
        DivergedError: the log loss is beyond `DIVERGED_LOGLOSS`.
    """
    loss = found["logloss"].value
    if loss > DIVERGED_LOGLOSS:
        raise DivergedError(
            f"a trained model must have a log loss below {DIVERGED_LOGLOSS:.2f}, but it is {loss:.4g} "
            "on the evaluated rows; lower the learning rate"
        )
    return found


def _model(job: Job, data: SearchData, *, seed: int, dtype: torch.dtype) -> RankingModel:
    model = build(trainable(job.candidate), _schema(job, data), seed=seed).to(data.train.device)
    model.lower(dtype)
    return model


def _schema(job: Job, data: SearchData) -> FeatureSchema:
    return data.schema.capped(job.settings.hash_cap)


def _evaluation(
    one: Trained,
    data: SearchData,
    reference: Reference | None,
    joules: Mapping[str, Metric],
    full_rows: int | None,
) -> Evaluation:
    started = time.perf_counter()
    logits, labels = checked_logits(one.logits), data.valid.labels
    gain = None if reference is None else ne_gain(row_losses(logits, labels), reference.losses, labels)
    metrics = {
        **checked_quality(quality(logits, labels)),
        "ne_calibrated": calibrated_ne(logits, labels).metric(),
        **_progressive(one, reference, gain, full_rows),
        **({} if gain is None else {"ne_gain": gain}),
        **_static_metrics(one.price),
        **measure_serving(one.model, data.valid),
        "examples_per_second": Metric(float(one.courses.rows[: len(one.course.losses)].sum()) / one.seconds),
        "train_seconds": Metric(one.seconds),
        "peak_memory_bytes": Metric(peak_bytes(data.train.device)),
        **joules,
    }
    seconds = one.seconds + time.perf_counter() - started
    return Evaluation(metrics, _curve(one), stopped_at=one.course.stopped_at, seconds=seconds)


def _curve(one: Trained) -> tuple[Point, ...]:
    return one.courses.curve(one.number)


def _progressive(
    one: Trained, reference: Reference | None, gain: Metric | None, full_rows: int | None
) -> dict[str, Metric]:
    """From the losses of batches before their update; none where a short training saw clicks alone, or none."""
    steps = len(one.course.losses)
    batches = Batches(one.courses.rows[:steps].astype(np.float64), one.courses.clicks[:steps])
    tail = batches.tail()
    if not 0.0 < batches.clicks[tail].sum() < batches.rows[tail].sum():
        return {}
    found = {"ne_progressive": progressive_ne(one.course.losses, batches).metric()}
    if reference is not None and gain is not None and len(reference.course) >= steps:
        control = reference.course[:steps]
        found["ne_progressive_gain"] = progressive_gain(one.course.losses, control, batches).metric()
        full = float(full_rows or one.courses.rows.sum())
        found |= gains_at_full(gain, one.course.losses, control, batches, full_rows=full)
    return found


def _static_metrics(price: Cost) -> dict[str, Metric]:
    return {
        "flops": Metric(price.flops),
        "macs": Metric(price.macs),
        "params": Metric(price.parameters),
        "embedding_bytes": Metric(price.embedding_bytes),
    }
