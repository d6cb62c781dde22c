"""The driver's end of a rehearsal: asks training processes what trials would be like. Imports nothing heavy."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import fmean
from types import TracebackType
from typing import Any, Protocol

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._evaluator import training_seed
from evaluators._training.child_process import FAREWELL_SECONDS, ChildEnded, ChildLate, ChildProcess
from evaluators._training.cores import cores_of_each
from evaluators._training.exits import failure_of_exit, out_of_memory_kills
from evaluators._trial import Suggestion
from searchspaces import Candidate

COMMAND = (sys.executable, "-P", "-m", "evaluators._training.rehearsal_child")
START_SECONDS = 3600.0


class Trainer(Protocol):
    """What a rehearsal needs to know of the evaluator `train`."""

    study_seed: int
    threads: int | None
    timeout_seconds: float

    def greeting(self) -> Mapping[str, Any]:
        """What its training process is told first."""
        ...


@dataclass(frozen=True)
class Timing:
    """What a whole trial of the candidate would take, from a few batches of it.

    `own_bytes` is the memory that nobody can take back, `peak_bytes` has pages of the data too, `data_bytes`.
    """

    candidate: Candidate
    trial_seconds: float
    step_seconds: float
    steps: int
    rows: int
    own_bytes: int
    peak_bytes: int
    data_bytes: int
    evaluation: Evaluation

    @classmethod
    def of(cls, candidate: Candidate, content: Mapping[str, Any]) -> Timing:
        """Reads an answer of the process."""
        memory = content["memory"]
        return cls(
            candidate,
            content["trial_seconds"],
            content["step_seconds"],
            content["steps"],
            content["rows"],
            memory["own"],
            memory["peak"],
            memory["data"],
            Evaluation.from_dict(content["evaluation"]),
        )


class Rehearsal:
    """Training processes like those of a search, one for each of so many workers, to be used in a `with`.

    `start_seconds` tells how long they took to be ready, `device` where they train and `device_bytes` what an
    accelerator has of memory, None for a CPU.

    Raises:
        EvaluatorError: in `with`, the data or the device is not there.
    """

    def __init__(self, evaluator: Trainer, *, workers: int = 1, clock: Callable[[], float] = time.perf_counter) -> None:
        self.start_seconds = 0.0
        self.device = ""
        self.device_bytes: int | None = None
        self.workers = workers
        self._evaluator = evaluator
        self._clock = clock
        self._children: list[ChildProcess] = []
        self._asked = 0

    def __enter__(self) -> Rehearsal:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(patience=0.0 if kind else FAREWELL_SECONDS)

    @property
    def pids(self) -> list[int]:
        """Process ids."""
        return [child.pid for child in self._children]

    def check(self, candidate: Candidate) -> dict[str, str]:
        """What is wrong with the candidate's blocks, by block; an empty key stands for one that cannot be told."""
        (answer,) = self._ask("check", candidate, children=self._children[:1])
        if isinstance(answer, Failure):
            return {"": answer.reason}
        return dict(answer["faults"])

    def time(self, candidate: Candidate) -> Timing | Failure:
        """What a trial of the candidate takes while all workers run one: the mean over them, the largest memory."""
        answers = self._ask("time", candidate, children=self._children)
        failures = [one for one in answers if isinstance(one, Failure)]
        if failures:
            return failures[0]
        return _joined([Timing.of(candidate, one) for one in answers if not isinstance(one, Failure)])

    def _ask(self, what: str, candidate: Candidate, *, children: list[ChildProcess]) -> list[dict[str, Any] | Failure]:
        self._asked += 1
        request = {
            "id": self._asked,
            "do": what,
            "seed": training_seed(self._evaluator.study_seed, 0),
            "suggestion": Suggestion(candidate).to_dict(),
        }
        kills = out_of_memory_kills()
        with ThreadPoolExecutor(len(children)) as threads:
            answers = list(threads.map(lambda child: self._one(child, request, kills), children))
        if any(not child.is_alive for child in self._children):
            self._end()
            self._start()
        return answers

    def _one(self, child: ChildProcess, request: Mapping[str, Any], kills: int) -> dict[str, Any] | Failure:
        try:
            answer = child.ask(request, seconds=self._evaluator.timeout_seconds)
        except ChildLate:
            child.end()
            limit = f"{self._evaluator.timeout_seconds:g}"
            return Failure(FailureKind.TIMEOUT, f"a few steps took more than timeout_seconds, {limit}")
        except ChildEnded as end:
            child.end()
            return failure_of_exit(end.returncode, end.said, is_oom_kill=out_of_memory_kills() > kills)
        if "failure" in answer:
            return Failure(FailureKind(answer["failure"]["kind"]), answer["failure"]["reason"])
        return answer

    def _start(self) -> None:
        started = self._clock()
        self._children = [ChildProcess(COMMAND) for _ in range(self.workers)]
        for child in self._children:
            answer = child.ask(self._greeting(), seconds=START_SECONDS)
            if "ready" not in answer:
                raise EvaluatorError(str(answer.get("error", answer)))
            self.device, self.device_bytes = answer["ready"]["device"], answer["ready"]["device_bytes"]
        self.start_seconds = self._clock() - started

    def _greeting(self) -> Mapping[str, Any]:
        threads = self._evaluator.threads or cores_of_each(self.workers)
        return {**self._evaluator.greeting(), "threads": threads, "racing": False, "way": "memberwise"}

    def _end(self, *, patience: float = 0.0) -> None:
        children, self._children = self._children, []
        for child in children:
            child.end(patience=patience)


def _joined(timings: list[Timing]) -> Timing:
    first = timings[0]
    return Timing(
        first.candidate,
        fmean(one.trial_seconds for one in timings),
        fmean(one.step_seconds for one in timings),
        first.steps,
        first.rows,
        max(one.own_bytes for one in timings),
        max(one.peak_bytes for one in timings),
        first.data_bytes,
        first.evaluation,
    )
