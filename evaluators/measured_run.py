"""Evaluator `measured_run`: launches a real training with a candidate's system settings and measures its speed."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from evaluators._distributed.knobs import trained_with
from evaluators._distributed.launch import Ranks, Training, Window
from evaluators._distributed.warm_start import WarmStart
from evaluators._errors import DivergedError, EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric
from evaluators._evaluator import training_seed
from evaluators._training.child_process import ChildEnded, ChildLate
from evaluators._training.exits import failure_of_exit, out_of_memory_kills
from evaluators._trial import Suggestion
from searchspaces import Architecture, FeatureSchema, zoo

__all__ = ["MeasuredRun"]

LOG = logging.getLogger("automl")

TRIES = 2
"""Of a run during which the warm process ended."""

MEDIAN_STDERR = 1.2533
"""Standard error of a median over that of a mean, of many normal values."""

_POSITIVE: Mapping[str, Any] = MappingProxyType(
    {
        "windows": int,
        "window_seconds": (int, float),
        "warm_up_steps": int,
        "timeout_seconds": (int, float),
        "memory_limit_mb": int,
        "hash_cap": int,
    }
)
_MAY_BE_LEFT = frozenset({"memory_limit_mb", "hash_cap"})


@dataclass(eq=False)
class MeasuredRun:
    """Trains a model for some seconds on real processes, as the candidate's system settings say.

    Windows of steps are timed in turn with windows of a control, whose settings never change: the ratio of the two
    cancels what a shared machine does meanwhile. Running out of memory or time and crashes are results. `speed_ratio`
    is the median over windows of rows a second beside the control's windows before and after; `examples_per_second`
    are the rows themselves, each as often as a model of a cohort learns from it; `peak_memory_bytes` is that of all
    ranks together, without processes that load for them.

    A candidate's own architecture is trained where it has one, else the zoo's `model`.

    dataset          prepared folder, or a source that can be prepared
    model            name in the zoo
    control          settings of the control (see `evaluators._distributed.knobs`); those left out are the defaults,
                     and a candidate's are put on top of them
    windows          timed windows of a trial
    window_seconds   how long each takes, about
    warm_up_steps    steps before the first window
    timeout_seconds  limit of one trial
    memory_limit_mb  limit of each rank's memory (RLIMIT_DATA); None leaves it to the machine
    hash_cap         most rows of a field's table; None leaves them as they are
    warm             splits training processes off one that has loaded torch and the data, instead of starting each anew
                     (about four seconds); on a CPU alone, and not where a model is compiled

    Raises:
        EvaluatorError: an option breaks its rule, the zoo has no such model, or a setting of the control is wrong; in
            `evaluate`, the control itself cannot run.
    """

    dataset: Path
    schema: FeatureSchema
    study_seed: int
    _: KW_ONLY
    model: str = "dcnv2"
    control: Mapping[str, Any] = field(default_factory=dict)
    windows: int = 3
    window_seconds: float = 2.0
    warm_up_steps: int = 10
    timeout_seconds: float = 120.0
    memory_limit_mb: int | None = None
    hash_cap: int | None = None
    device: str = "cpu"
    warm: bool = True
    cohort_size: int = field(default=1, init=False)
    _warm: WarmStart | None = field(default=None, init=False, repr=False)
    _standing: Ranks | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, kind in _POSITIVE.items():
            value = getattr(self, name)
            if name in _MAY_BE_LEFT and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, kind) or value <= 0:
                whole = "whole and positive" if kind is int else "positive"
                raise EvaluatorError(f"{name!r} must be {whole}, but is {value!r}")
        if not isinstance(self.control, Mapping):
            raise EvaluatorError(f"'control' names settings by knob, as {{ranks: 2}}, but is {self.control!r}")
        self._base = trained_with(self._training(_zoo(self.model, self.schema)), self.control)

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Measures one member after the other.

        Raises:
            EvaluatorError: the control cannot run.
        """
        for position, suggestion in enumerate(cohort):
            started = time.perf_counter()
            outcome = self._outcome(suggestion)
            seconds = time.perf_counter() - started
            if isinstance(outcome, Failure):
                yield position, Failure(outcome.kind, outcome.reason, seconds)
            else:
                yield position, Evaluation(outcome, seconds=seconds)

    def open(self) -> None:
        """Starts the control's ranks, if they are not there, or no longer.

        Raises:
            EvaluatorError: the control cannot run.
        """
        if self._standing is not None and self._standing.is_alive:
            return
        self.close()
        try:
            self._warm = self._warmed()
            self._standing = self._ranks(self._base).__enter__()
            self._standing.steps(self.warm_up_steps, seconds=self.timeout_seconds)
        except EvaluatorError as error:
            self.close()
            raise self._no_control(error) from error

    def close(self) -> None:
        """Ends the control's ranks; may be called twice."""
        if self._standing is not None:
            self._standing.close()
            self._standing = None
        if self._warm is not None:
            self._warm.close()
            self._warm = None

    def _warmed(self) -> WarmStart | None:
        """A process to split trainings off; None where each starts cold."""
        if not self.warm or self.device != "cpu":
            return None
        try:
            return WarmStart(self.dataset)
        except EvaluatorError as error:
            LOG.warning("measured runs start cold: %s", error)
            return None

    def _ranks(self, training: Training) -> Ranks:
        """The processes of one training; compiling starts threads and processes of its own, so that starts cold."""
        start = self._warm.start if self._warm and not training.is_compiled else None
        return Ranks(training, start=start, start_seconds=self.timeout_seconds)

    def _outcome(self, suggestion: Suggestion) -> dict[str, Metric] | Failure:
        try:
            training = self._asked(suggestion)
        except EvaluatorError as error:
            return Failure(FailureKind.INVALID, str(error))
        for _ in range(TRIES):
            self.open()
            found = self._tried(training)
            if found is not None:
                return found
        reason = (
            f"the warm process ended {TRIES} times while this run was split off it or measured; give the machine more "
            "memory, or start cold with 'warm: false'"
        )
        return Failure(FailureKind.CRASHED, reason)

    def _tried(self, training: Training) -> dict[str, Metric] | Failure | None:
        """What comes of a run; None where the warm process ended, which says nothing of it."""
        kills = out_of_memory_kills()
        try:
            return self._measured(training)
        except ChildEnded as end:
            if self._warm is not None and not self._warm.is_alive:
                self.close()
                return None
            self._check_control(end)
            is_oom_kill, has_limit = out_of_memory_kills() > kills, training.memory_limit_mb is not None
            return failure_of_exit(end.returncode, end.said, is_oom_kill=is_oom_kill, has_memory_limit=has_limit)
        except ChildLate:
            self.close()  # a late answer of the control must not meet the next question
            reason = f"a run may take {self.timeout_seconds:g} seconds, but was not done; raise timeout_seconds"
            return Failure(FailureKind.TIMEOUT, reason)
        except DivergedError as error:
            return Failure(FailureKind.DIVERGED, str(error))
        except EvaluatorError as error:
            return Failure(FailureKind.INVALID, str(error))

    def _check_control(self, end: ChildEnded) -> None:
        if self._standing is not None and not self._standing.is_alive:
            self.close()
            raise self._no_control(end) from end

    def _no_control(self, error: EvaluatorError) -> EvaluatorError:
        told, way_out = str(error), "choose another 'control', or give it more memory"
        if isinstance(error, ChildEnded):
            told = f"it ended: {error.said or 'no output'}"
        elif isinstance(error, ChildLate):
            told = f"it was not ready in {self.timeout_seconds:g} seconds"
            way_out = "raise timeout_seconds, or choose another 'control'"
        return EvaluatorError(f"the control must run, or there is nothing to compare with, but {told}; {way_out}")

    def _asked(self, suggestion: Suggestion) -> Training:
        candidate = suggestion.candidate
        seed = training_seed(self.study_seed, suggestion.replicate)
        own = self._training(candidate.architecture or self._base.architecture, seed=seed)
        return trained_with(own, {**self.control, **candidate.system})

    def _training(self, architecture: Architecture, *, seed: int | None = None) -> Training:
        return Training(
            architecture,
            self.dataset,
            training_seed(self.study_seed, 0) if seed is None else seed,
            device=self.device,
            hash_cap=self.hash_cap,
            memory_limit_mb=self.memory_limit_mb,
        )

    def _measured(self, training: Training) -> dict[str, Metric]:
        """Windows of the control before, between and after those of the run."""
        ends_at = time.monotonic() + self.timeout_seconds
        with ExitStack() as stack:
            run = _Timed(stack.enter_context(self._ranks(training)), training, ends_at)
            run.settle(self.warm_up_steps, self.window_seconds)
            control = self._control(ends_at)
            beside, own = [control.speed()], []
            for _ in range(self.windows):
                own.append(run.speed())
                beside.append(control.speed())
        ratios = [2 * one / (beside[at] + beside[at + 1]) for at, one in enumerate(own)]
        return {
            "speed_ratio": Metric(median(ratios), _stderr(ratios)),
            "examples_per_second": Metric(median(own), _stderr(own)),
            "peak_memory_bytes": Metric(run.peak_bytes),
        }

    def _control(self, ends_at: float) -> _Timed:
        assert self._standing is not None  # opened before
        control = _Timed(self._standing, self._base, ends_at)
        control.settle(1, self.window_seconds)
        return control


class _Timed:
    """Ranks whose windows last about equally long."""

    def __init__(self, ranks: Ranks, training: Training, ends_at: float) -> None:
        self._ranks, self._ends_at = ranks, ends_at
        self._learned = training.batch_size * training.cohort
        self._steps = 1
        self.peak_bytes = 0

    def settle(self, steps: int, seconds: float) -> None:
        """Takes some steps and finds out how many make a window."""
        taken = self._window(steps).seconds
        self._steps = max(1, round(seconds / max(min(taken[-3:]), 1e-6)))

    def speed(self) -> float:
        """Rows a second in one window; those of a cohort count for each model that learns from them."""
        window = self._window(self._steps)
        return self._learned * len(window.seconds) / sum(window.seconds)

    def _window(self, steps: int) -> Window:
        window = self._ranks.steps(steps, seconds=max(0.0, self._ends_at - time.monotonic()))
        self.peak_bytes = max(self.peak_bytes, window.peak_bytes)
        if not all(map(math.isfinite, window.losses)):
            raise DivergedError("the loss of a measured run must be a finite number, but is not; lower its rates")
        return window


def _zoo(name: str, schema: FeatureSchema) -> Architecture:
    architecture = zoo(name, schema).architecture
    assert architecture is not None  # all of the zoo have one
    return architecture


def _stderr(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    spread = (sum((one - mean) ** 2 for one in values) / (len(values) - 1)) ** 0.5
    return float(MEDIAN_STDERR * spread / len(values) ** 0.5)
