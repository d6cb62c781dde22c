"""Evaluator `external`: a trainer of the user's own, run once a trial; candidate in, metrics out, both JSON.

The formats are told in `evaluators._external.candidate_document` and `evaluators._external.metrics_document`.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

from evaluators._errors import EvaluatorError, ProtocolError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._evaluator import training_seed
from evaluators._external.candidate_document import candidate_document, cost_metrics
from evaluators._external.command import check_command, filled_in, found_program
from evaluators._external.exits import EXIT_CODES, check_exit_codes, described_exit, kind_of_exit
from evaluators._external.folders import Keep, make_folder, remove_folder, write_json
from evaluators._external.metrics_document import completed, read_metrics
from evaluators._external.supervised import End, Supervised, Task
from evaluators._external.text import last_words, one_line
from evaluators._objective import Objective
from evaluators._training.exits import out_of_memory_kills
from evaluators._trial import Suggestion
from searchspaces import FeatureSchema

__all__ = ["External"]

MEBIBYTE = 1 << 20
_NOT_FOR_TRAINERS = ("AUTOML_STORAGE",)
"""What the driver knows by its environment and no trainer needs: the address of the store may hold a password."""


@dataclass(eq=False)
class External:
    """Runs the user's own program for each trial, without a shell, and reads the metrics file that it writes.

    Placeholders in the words of `command`, each also in the environment as AUTOML_ and its name in capitals:
    {candidate} the file to read, {metrics} the file to write, {folder} the trial's own folder, {seed} to train with,
    {replicate}, {fidelity} the rung. Metrics count when the program has ended with 0; whatever it started and left
    running is killed then, as it is when the time is up or the search ends. Costs in closed form (params, macs,
    flops, embedding_bytes) are filled in where it does not tell its own.

    command           program and arguments; a program with a slash, like every relative path, starts in working_folder
    working_folder    where the program runs
    trial_folders     where each trial gets a fresh folder; a relative path starts in working_folder
    keep_folders      'failed' keeps the folders of failed trials with their logs; or 'all', or 'none'
    timeout_seconds   limit of one trial
    memory_limit_mb   limit of each process's memory (RLIMIT_DATA); None leaves it to the machine
    exit_codes        kinds of failure by exit code, on top of 81 diverged, 82 out_of_memory, 83 and 124 timeout,
                      84 crashed, 85 invalid; any other one is a crash

    Raises:
        EvaluatorError: an option breaks its rule; in `open` and `evaluate`, the program cannot be started at all.
    """

    schema: FeatureSchema
    objectives: Sequence[Objective]
    study_seed: int
    _: KW_ONLY
    command: list[str]
    working_folder: Path = Path()
    trial_folders: Path = Path("external-trials")
    keep_folders: Keep = Keep.FAILED
    timeout_seconds: float = 86400.0
    memory_limit_mb: int | None = None
    exit_codes: Mapping[int, FailureKind] = field(default_factory=dict)
    cohort_size: int = field(default=1, init=False)
    _running: Supervised | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_command(self.command)
        check_exit_codes(self.exit_codes)
        self.working_folder = self.working_folder.absolute()
        self.trial_folders = self.working_folder / self.trial_folders
        if self.memory_limit_mb is not None and self.memory_limit_mb < 1:
            raise EvaluatorError(
                f"'memory_limit_mb' must be at least 1, or null for no limit, but is {self.memory_limit_mb!r}"
            )
        if not 0.0 < self.timeout_seconds < math.inf:
            raise EvaluatorError(f"'timeout_seconds' must be a positive number, but is {self.timeout_seconds!r}")

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Runs the trainer for one member after the other and yields each as it ends.

        Raises:
            EvaluatorError: the program cannot be started, or a trial's folder cannot be made.
        """
        for position, suggestion in enumerate(cohort):
            yield position, self._outcome(suggestion)

    def open(self) -> None:
        """Looks whether the program and its folder are there.

        Raises:
            EvaluatorError: they are not.
        """
        if not self.working_folder.is_dir():
            raise EvaluatorError(f"'working_folder' must be a folder, but {self.working_folder} is none")
        found_program(self.command[0], self.working_folder)

    def close(self) -> None:
        """Kills a trainer that is running, with all that it started; may be called twice."""
        if self._running is not None:
            self._running.end()

    def _outcome(self, suggestion: Suggestion) -> Evaluation | Failure:
        self.open()
        started = time.perf_counter()
        folder = make_folder(self.trial_folders, suggestion)
        outcome = self._run(suggestion, folder)
        seconds = outcome.seconds or time.perf_counter() - started
        if not self.keep_folders.keeps(has_failed=isinstance(outcome, Failure)):
            remove_folder(folder)
        elif isinstance(outcome, Failure):
            outcome = replace(outcome, reason=f"{outcome.reason}; its files are in {folder}")
        return replace(outcome, seconds=seconds)

    def _run(self, suggestion: Suggestion, folder: Path) -> Evaluation | Failure:
        task = self._task(suggestion, folder)
        kills = out_of_memory_kills()
        running = self._running = Supervised(task)
        try:
            end = running.wait()
        finally:
            running.close()
            self._running = None
        is_oom_kill = out_of_memory_kills() > kills
        try:
            if end.returncode == 0:
                return self._measured(suggestion, folder)
            return self._failure(end, task, is_oom_kill=is_oom_kill)
        except ProtocolError as error:
            said = _quoted(last_words(task.stderr, task.stdout))
            return Failure(FailureKind.CRASHED, f"the trainer ended well, but {error}{said}")

    def _task(self, suggestion: Suggestion, folder: Path) -> Task:
        values = {
            "candidate": str(folder / "candidate.json"),
            "metrics": str(folder / "metrics.json"),
            "folder": str(folder),
            "seed": str(training_seed(self.study_seed, suggestion.replicate)),
            "replicate": str(suggestion.replicate),
            "fidelity": str(suggestion.fidelity.rung),
        }
        content = candidate_document(
            suggestion, schema=self.schema, objectives=self.objectives, study_seed=self.study_seed
        )
        write_json(folder / "candidate.json", content)
        program, *words = self.command
        return Task(
            [found_program(program, self.working_folder), *filled_in(words, values)],
            self.working_folder,
            _environment(values),
            folder,
            self.timeout_seconds,
            None if self.memory_limit_mb is None else self.memory_limit_mb * MEBIBYTE,
        )

    def _measured(self, suggestion: Suggestion, folder: Path) -> Evaluation | Failure:
        outcome = read_metrics(folder / "metrics.json")
        if isinstance(outcome, Failure):
            return outcome
        return completed(outcome, self.objectives, cost_metrics(suggestion, self.schema))

    def _failure(self, end: End, task: Task, *, is_oom_kill: bool) -> Failure:
        if end.returncode is None:
            written = "; its metrics do not count, since it had not ended" if _has_metrics(task) else ""
            reason = f"a trial may take {self.timeout_seconds:g} seconds, but was not done; raise timeout_seconds"
            return Failure(FailureKind.TIMEOUT, reason + written)
        told = _told_failure(task)
        if told is not None:
            return told
        said = last_words(task.stderr, task.stdout)
        codes = {**EXIT_CODES, **self.exit_codes}
        kind = kind_of_exit(end.returncode, said, codes=codes, is_oom_kill=is_oom_kill)
        how = described_exit(end.returncode, is_oom_kill=is_oom_kill)
        return Failure(kind, f"the trainer ended {how}{_quoted(said)}")


def _environment(values: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_TRAINERS}
    own = {f"AUTOML_{name.upper()}": value for name, value in values.items()}
    return {"PYTHONUNBUFFERED": "1", **inherited, **own}  # what a killed trainer printed last should be in its log


def _has_metrics(task: Task) -> bool:
    return (task.logs / "metrics.json").exists()


def _told_failure(task: Task) -> Failure | None:
    """What the trainer itself says of its failure; metrics of a program that failed count for nothing."""
    try:
        told = read_metrics(task.logs / "metrics.json")
    except ProtocolError:
        return None
    return told if isinstance(told, Failure) else None


def _quoted(said: str) -> str:
    return f"; it said: {one_line(said)}" if said else "; it said nothing"
