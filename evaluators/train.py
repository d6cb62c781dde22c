"""Evaluator `train`: trains candidates from scratch, many in one pass, in a child process, at their fidelity."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluators._errors import EvaluatorError, ProtocolError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._evaluator import training_seed
from evaluators._training.child_process import FAREWELL_SECONDS, ChildEnded, ChildLate, ChildProcess
from evaluators._training.exits import failure_of_exit, out_of_memory_kills
from evaluators._training.settings import DEVICE, NAMES, PRECISIONS, TrainingSettings
from evaluators._trial import Suggestion
from searchspaces import Candidate

__all__ = ["Train"]

_START_SECONDS = 3600.0
"""Time for the first line: torch is imported, and raw data may have to be prepared."""


@dataclass(eq=False)
class Train:
    """Trains from scratch and measures quality, cost and speed.

    `cohort_size` candidates share one pass over the data. Their numbers are those that each would have alone, bit for
    bit, so a cohort changes speed and nothing else. Where a pass breaks down (memory, time, a killed process), its
    members are trained again one by one, and only the guilty one fails.

    Every evaluation has, beside NE on the validation part, `ne_gain`: how much better it is there than the control, row
    by row, with the error of that difference, which is far smaller than that of either NE. The control is the user's
    own model or the best of the human-made ones.

    The child starts with the first trial and is kept for the next ones, since importing torch costs
    seconds; it is started anew after a crash, a time limit or an out-of-memory. The training settings are
    those of `TrainingSettings`; a candidate's and a fidelity's own override them.

    `peak_memory_bytes` compares trials of one child roughly, not to the byte. On a CPU it is the most resident
    memory of the whole child during the trial: Python and torch (some hundreds of megabytes, equal for all
    trials), the pages of the data that were read, the model, and free pages that the allocator kept from
    earlier trials, so that a small trial after a large one may look larger than it is. On CUDA it is the most
    bytes that tensors held at once, the data on the device included, and nothing of earlier trials.

    dataset           prepared folder, or a source that can be prepared
    device            'auto' (CUDA where there is one), 'cpu', 'cuda' or 'cuda:N'
    threads           threads of an operator; None measures whether one is faster than all usable cores
    precision         'auto', 'fp32' or 'bf16'; auto measures whether bf16 is fast and gives the same NE on this data
    racing            stops members that are surely worse than another of no more FLOPs before their pass ends
    compile           compiles each model first, which takes up to a minute: for trainings of many minutes
    grouped           computes equal blocks of all members at once: for devices on which starting an operation is dear
    timeout_seconds   limit of one trial; a cohort has that of its members together
    memory_limit_mb   limit of the child's memory; None leaves it to the machine

    Raises:
        EvaluatorError: an option breaks its rule; in `evaluate`, the child cannot start at all.
    """

    dataset: Path
    study_seed: int
    _: KW_ONLY
    device: str = "auto"
    rows: int | None = None
    prefix: bool = False
    negative_rate: float = 1.0
    passes: int = 1
    batch_size: int = 512
    hash_cap: int | None = None
    warm_tables: bool = False
    learning_rate: float = 1e-3
    embedding_learning_rate: float | None = None
    weight_decay: float = 0.0
    embedding_weight_decay: float = 0.0
    threads: int | None = None
    precision: str = "auto"
    racing: bool = False
    compile: bool = False
    grouped: bool = False
    timeout_seconds: float = 3600.0
    memory_limit_mb: int | None = None
    cohort_size: int = 4
    controls: Sequence[Candidate] = ()
    _child: ChildProcess | None = field(default=None, init=False, repr=False)
    _asked: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self.settings = TrainingSettings(**{name: getattr(self, name) for name in NAMES})
        if not DEVICE.fullmatch(self.device):
            raise EvaluatorError(f"'device' must be 'auto', 'cpu', 'cuda' or 'cuda:N', but is {self.device!r}")
        if self.precision not in PRECISIONS:
            raise EvaluatorError(f"'precision' must be one of {', '.join(PRECISIONS)}, but is {self.precision!r}")
        for name, value in (("threads", self.threads), ("memory_limit_mb", self.memory_limit_mb)):
            if value is not None and value < 1:
                raise EvaluatorError(f"{name!r} must be at least 1, or null for no limit, but is {value!r}")
        if self.compile and self.grouped:
            raise EvaluatorError("'compile' and 'grouped' are two ways to compute a model; leave out one of them")
        if self.cohort_size < 1:
            raise EvaluatorError(f"'cohort_size' must be at least 1, but is {self.cohort_size!r}")
        if not 0.0 < self.timeout_seconds < math.inf:
            raise EvaluatorError(f"'timeout_seconds' must be a positive number, but is {self.timeout_seconds!r}")

    @property
    def _way(self) -> str:
        return "compiled" if self.compile else "grouped" if self.grouped else "memberwise"

    @property
    def child_pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._child.pid if self._child else None

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Trains the members in one pass and yields each as it ends.

        Raises:
            EvaluatorError: the child cannot start: the data or the device is not there.
            ProtocolError: the child answered something else than what was asked.
        """
        left = dict(enumerate(cohort))
        for position, outcome in self._together(cohort) if cohort else ():
            if len(cohort) > 1 and _is_out_of_memory(outcome):
                continue  # the company may be to blame: it shows alone
            del left[position]
            yield position, outcome
        for position, suggestion in left.items():
            yield position, self._alone(suggestion)

    def open(self) -> None:
        """Starts the child.

        Raises:
            EvaluatorError: the data or the device is not there.
        """
        self._ready_child()

    def greeting(self) -> Mapping[str, Any]:
        """What a training process is told first, as JSON types; a rehearsal tells its own the same."""
        return {
            "dataset": str(self.dataset),
            "settings": asdict(self.settings),
            "device": self.device,
            "threads": self.threads,
            "memory_limit_mb": self.memory_limit_mb,
            "precision": self.precision,
            "controls": [one.to_dict() for one in self.controls],
            "control_seed": training_seed(self.study_seed, 0),
            "racing": self.racing,
            "way": self._way,
        }

    def close(self) -> None:
        """Ends the child; may be called twice, and a later `evaluate` starts a new one."""
        self._end_child(patience=FAREWELL_SECONDS)

    def _alone(self, suggestion: Suggestion) -> Evaluation | Failure:
        outcomes = [outcome for _, outcome in self._together([suggestion])]
        if outcomes:
            return outcomes[0]
        raise ProtocolError("the training process must answer for each member, but said nothing of the only one")

    def _together(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """What the child answers. Where it dies or is late, that is the outcome of a single member, none of many."""
        started = time.perf_counter()
        child, kills = self._ready_child(), out_of_memory_kills()
        is_sound, answered, has_memory = False, 0, True
        try:
            for position, outcome in self._answers(child, cohort):
                answered += 1
                has_memory &= not _is_out_of_memory(outcome)  # or what it held may be in pieces: start anew
                yield position, _timed(outcome, started)
            is_sound = has_memory and answered == len(cohort)
            return
        except (ChildLate, ChildEnded) as end:
            if len(cohort) > 1:
                return
            failure = self._failure(end, is_oom_kill=out_of_memory_kills() > kills)
        finally:
            if not is_sound:  # on an interrupt too: a late answer must not meet the next question
                self._end_child()
        yield 0, _timed(failure, started)

    def _answers(self, child: ChildProcess, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        self._asked += 1
        ends_at = time.monotonic() + self.timeout_seconds * len(cohort)
        members = [
            {"seed": training_seed(self.study_seed, one.replicate), "suggestion": one.to_dict()} for one in cohort
        ]
        child.say({"id": self._asked, "members": members})
        while True:
            answer = child.hear(seconds=ends_at - time.monotonic())
            if answer.get("id") != self._asked:
                said = str(answer)[:200]
                raise ProtocolError(f"the training process must answer question {self._asked}, but said {said}")
            if answer.get("done"):
                return
            yield answer["position"], _read(answer)

    def _failure(self, end: ChildLate | ChildEnded, *, is_oom_kill: bool) -> Failure:
        if isinstance(end, ChildEnded):
            return failure_of_exit(end.returncode, end.said, is_oom_kill=is_oom_kill)
        reason = f"a trial may take {self.timeout_seconds:g} seconds, but was not done; raise timeout_seconds"
        return Failure(FailureKind.TIMEOUT, reason)

    def _ready_child(self) -> ChildProcess:
        if self._child is not None and self._child.is_alive:
            return self._child
        self._end_child()
        self._child = ChildProcess()
        try:
            answer = self._child.ask(self.greeting(), seconds=_START_SECONDS)
            if "ready" not in answer:
                raise EvaluatorError(str(answer.get("error", answer)))
        except BaseException:
            self._end_child()
            raise
        return self._child

    def _end_child(self, *, patience: float = 0.0) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end(patience=patience)


def _read(answer: Mapping[str, Any]) -> Evaluation | Failure:
    if "evaluation" in answer:
        return Evaluation.from_dict(answer["evaluation"])
    return Failure(FailureKind(answer["failure"]["kind"]), answer["failure"]["reason"])


def _timed(outcome: Evaluation | Failure, started: float) -> Evaluation | Failure:
    if isinstance(outcome, Failure):
        return replace(outcome, seconds=time.perf_counter() - started)
    return outcome


def _is_out_of_memory(outcome: Evaluation | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.kind is FailureKind.OUT_OF_MEMORY
