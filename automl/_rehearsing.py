"""Rehearses a study: its operators, its baselines and a few of its candidates, and predicts what it will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from automl._footprint import store_bytes, tracker_bytes
from automl._machine import free_disk, load_per_core, memory
from automl._operators import Operator, check_operators
from automl._prediction import (
    BYTES_PER_PARAMETER,
    DiskNeed,
    MemoryNeed,
    Prediction,
    Range,
    allowed_trials,
    predicted_hours,
    warnings_of,
)
from automl._wiring import Wiring
from automl.budget import Budget
from automl.config import StudyConfig
from evaluators import Failure
from evaluators._training.rehearsal import Rehearsal, Timing
from evaluators.train import Train
from searchspaces import Candidate
from searchspaces.cost import cost

SAMPLES = 64
TIMED = 8
"""Candidates that are timed: the middles of as many equal shares of the samples, by FLOPs."""

ROUNDS = 2
"""Times each is timed, with all others between: another program's busy minute then falls on all of them."""

NOT_TIMED = "hours, memory and disk are not predicted without timing; leave out --quick"


STARTS = 2
"""How often a search starts the training process: to see that it can, and for its trials."""


@dataclass(frozen=True)
class Priced:
    """A random candidate with its closed-form cost."""

    candidate: Candidate
    flops: int
    parameters: int


@dataclass(frozen=True)
class Outlook:
    """What a rehearsal found; `prediction` is None where it was not asked for or could not be made."""

    operators: tuple[Operator, ...] = ()
    drawn: tuple[Priced, ...] = ()
    prediction: Prediction | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def rehearse(config: StudyConfig, wiring: Wiring, *, workers: int = 1, is_timed: bool = True) -> Outlook:
    """Tries every operator and, with `is_timed`, times random candidates, in processes like those of the search.

    Raises:
        EvaluatorError: the evaluator's process cannot start: the data or the device is not there.
    """
    rng = np.random.default_rng(config.study.seed)
    if not isinstance(wiring.evaluator, Train):
        return Outlook(drawn=sampled(wiring, rng), unknown=(_unpredictable(config.evaluator["name"]),))
    with Rehearsal(wiring.evaluator, workers=workers) as rehearsal:
        baselines = [one.candidate for one in wiring.baselines]
        operators = tuple(check_operators(wiring.space, rehearsal.check, rng, others=baselines))
        problems = tuple(f"operator {one.name!r} {one.reason}" for one in operators if one.state == "broken")
        warnings = tuple(f"operator {one.name!r} {one.reason}" for one in operators if one.state == "sometimes")
        if problems:
            return Outlook(operators, warnings=warnings, problems=problems)
        drawn = sampled(wiring, rng)
        if not is_timed:
            return Outlook(operators, drawn, warnings=warnings, unknown=(NOT_TIMED,))
        times = _time(wiring, rehearsal, drawn)
    if not times.candidates:
        return Outlook(operators, drawn, warnings=warnings, problems=times.failures)
    prediction = _predict(config, wiring, rehearsal, times)
    foreseen = warnings_of(prediction, budget=_budget(config), limits=wiring.evaluator)
    told = (*warnings, *times.failures, *foreseen)
    return Outlook(operators, drawn, prediction, told, unknown=_unknown(config, prediction))


def sampled(wiring: Wiring, rng: np.random.Generator) -> tuple[Priced, ...]:
    """Random candidates that have an architecture, by FLOPs.

    Raises:
        SearchSpaceError: a block's cost cannot be told.
    """
    schema = wiring.dataset.schema
    if isinstance(wiring.evaluator, Train):
        schema = schema.capped(wiring.evaluator.settings.hash_cap)
    found = []
    for candidate in (wiring.space.sample(rng) for _ in range(SAMPLES)):
        if candidate.architecture:
            price = cost(candidate.architecture, schema)
            found.append(Priced(candidate, price.flops, price.parameters))
    return tuple(sorted(found, key=lambda one: (one.flops, one.parameters)))


@dataclass(frozen=True)
class _Times:
    """Timings of candidates and of baselines, several of each; the most parameters seen; what failed."""

    candidates: tuple[tuple[Timing, ...], ...]
    baselines: tuple[tuple[Timing, ...], ...]
    parameters: int
    load: float
    failures: tuple[str, ...]

    @property
    def every(self) -> list[Timing]:
        """All of them."""
        return [one for timings in (*self.candidates, *self.baselines) for one in timings]


def _time(wiring: Wiring, rehearsal: Rehearsal, drawn: Sequence[Priced]) -> _Times:
    load = load_per_core()
    count = min(TIMED, len(drawn))
    chosen = [drawn[(2 * at + 1) * len(drawn) // (2 * count)].candidate for at in range(count)]
    known = [one.candidate for one in wiring.baselines]
    rounds = [[rehearsal.time(one) for one in (*chosen, *known)] for _ in range(ROUNDS)]
    each = [tuple(one for one in outcomes if isinstance(one, Timing)) for outcomes in zip(*rounds, strict=True)]
    return _Times(
        tuple(one for one in each[:count] if one),
        tuple(one for one in each[count:] if one),
        max((one.parameters for one in drawn), default=0),
        load,
        _told(rounds[0]),
    )


def _told(outcomes: Sequence[Timing | Failure]) -> tuple[str, ...]:
    failures = [one for one in outcomes if isinstance(one, Failure)]
    return tuple(
        f"{len(failures)} of {len(outcomes)} rehearsed trials failed, the first as {one.kind.value}: {one.reason}"
        for one in failures[:1]
    )


def _predict(config: StudyConfig, wiring: Wiring, rehearsal: Rehearsal, times: _Times) -> Prediction:
    seconds = Range.of([fmean(one.trial_seconds for one in each) for each in times.candidates])
    allowed = allowed_trials(_budget(config), seconds=seconds.expected, rows=times.candidates[0][0].rows)
    fixed = sum(fmean(one.trial_seconds for one in each) for each in times.baselines)
    return Prediction(
        device=rehearsal.device,
        workers=rehearsal.workers,
        trials=allowed.count,
        limited_by=allowed.limit,
        trial_seconds=seconds,
        step_seconds=Range.of([fmean(one.step_seconds for one in each) for each in times.candidates]),
        start_seconds=rehearsal.start_seconds,
        hours=None
        if allowed.count is None
        else predicted_hours(
            seconds,
            trials=allowed.count,
            fixed_seconds=STARTS * rehearsal.start_seconds + fixed / rehearsal.workers,
            workers=rehearsal.workers,
        ),
        memory=_memory_need(rehearsal, times),
        disk=_disk_need(config, wiring, times, allowed.count),
        rehearsed=len(times.candidates),
        load_per_core=times.load,
    )


def _memory_need(rehearsal: Rehearsal, times: _Times) -> MemoryNeed:
    candidates = [one for each in times.candidates for one in each]
    heaviest = max(candidates, key=lambda one: one.own_bytes)
    missing = max(0, times.parameters - int(heaviest.evaluation.value("params")))
    machine = memory()
    return MemoryNeed(
        own=int(fmean(one.own_bytes for one in candidates)),
        peak=Range.of([one.peak_bytes for one in candidates]),
        largest=heaviest.own_bytes + BYTES_PER_PARAMETER * missing,
        data=candidates[0].data_bytes,
        has=rehearsal.device_bytes or min(machine.available, machine.most),
        workers=rehearsal.workers,
    )


def _disk_need(config: StudyConfig, wiring: Wiring, times: _Times, trials: int | None) -> DiskNeed:
    measured = [(each[0].candidate, each[0].evaluation) for each in times.candidates]
    store, tracker = store_bytes(measured), tracker_bytes(config.tracker, measured)
    whole = [cost(one.architecture, wiring.dataset.schema) for one, _ in measured if one.architecture]
    return DiskNeed(
        store_per_trial=store,
        tracker_per_trial=tracker,
        budget=None if trials is None else (trials + len(wiring.baselines)) * (store + (tracker or 0.0)),
        weights=Range.of([4.0 * one.parameters for one in whole]),
        free=free_disk(_folder(config.storage)),
    )


def _folder(storage: str) -> Path:
    """Where the store's file is; the working directory for a server, whose disk is not seen from here."""
    file = storage.removeprefix("sqlite:///")
    return Path.cwd() if file == storage else Path(file).absolute().parent


def _budget(config: StudyConfig) -> Budget:
    limits = config.budget
    return Budget(limits.trials, limits.seconds, limits.rows)


def _unpredictable(evaluator: str) -> str:
    return f"operators, hours and memory are not known beforehand: the evaluator {evaluator!r} trains no model of ours"


def _unknown(config: StudyConfig, prediction: Prediction) -> tuple[str, ...]:
    texts = []
    if prediction.trials is None:
        texts.append("hours of the whole budget are not known beforehand: the budget has no limit")
    if prediction.disk.tracker_per_trial is None:
        texts.append("what the tracker keeps of a trial is not known beforehand: it lies on another machine")
    if not config.storage.startswith("sqlite"):
        texts.append("whether the store fits is not known beforehand: it is not a file of this machine")
    return tuple(texts)
