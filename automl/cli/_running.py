"""Runs a study for a person: progress, interruption, mirror, report."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from automl._checkpoint import Advance
from automl.budget import spent
from automl.cli._advancing import AdvanceLine
from automl.cli._output import compact, say
from automl.config import resolve_url
from automl.front import best, searched
from automl.opening import default_storage
from automl.publishing import REMEDY, publish
from automl.study import Study
from automl.summary import closing_gain
from evaluators import Trial

if TYPE_CHECKING:
    from rich.status import Status

    from automl.workers import Crew, Launcher

ORPHAN_EXIT = 71
"""Exit code of a worker whose driver is gone."""

PATIENCE_SECONDS = 2.0
"""How long the end of a search is silent about its tracker."""


def run_study(study: Study, *, workers: int = 1, storage: str = "", ray: str | None = None) -> int:
    """Runs until the budget is spent or the person interrupts; returns the exit code.

    Several workers are processes of their own on the store at `storage`, passwords and all; with the address of a
    `ray` cluster they run on its nodes.
    """
    crew = _crew(study, workers, storage=storage, ray=ray) if workers > 1 or ray else None
    progress = Progress(study)
    interruption = Interruption(study, at_once=study.abandon if crew is None else crew.end_at_once)
    status = "FAILED"
    try:
        if crew is None:
            study.optimize(callbacks=[progress.show], on_advance=progress.advance)
        else:
            study.read_out(on_advance=progress.advance)  # in this process; workers train what it reads out
            crew.run(callbacks=[progress.show])
        status = "KILLED" if interruption.code else "FINISHED"
    finally:
        progress.end()
        interruption.end()
        _publish(study, status)
        line, has_result = _closing_line(study, interruption.code), _has_result(study)
        study.close()
    say(line)
    return interruption.code or (0 if has_result else 1)


def _crew(study: Study, workers: int, *, storage: str, ray: str | None) -> Crew:
    from automl.workers import Crew

    return Crew(study, _launcher(study, workers, storage=storage, ray=ray), workers=workers)


def _launcher(study: Study, workers: int, *, storage: str, ray: str | None) -> Launcher:
    if ray is None:
        from automl.local_workers import LocalLauncher

        return LocalLauncher(study.name, storage=storage, driver=study.worker, workers=workers)
    from automl.ray_workers import RayLauncher

    cores = study.config.evaluator.get("threads") or 1
    return RayLauncher(study.name, storage=storage, driver=study.worker, address=ray, cores=cores)


def run_worker(study: Study) -> int:
    """Works on a study beside others until nothing is left of it; returns the exit code."""
    from automl.local_workers import end_with_parent, is_orphan, trial_seconds

    def end_at_once() -> None:
        study.abandon()
        os._exit(ORPHAN_EXIT)

    interruption = Interruption(study, at_once=study.abandon, is_urgent=is_orphan)
    end_with_parent(end_at_once)
    progress = Progress(study)
    try:
        study.work(callbacks=[progress.show], trial_seconds=trial_seconds(study))
    finally:
        progress.end()
        interruption.end()
        study.close()
    return interruption.code


class Interruption:
    """First Ctrl-C or SIGTERM lets running trials end, the second ends `at_once`; both can be resumed.

    Where `is_urgent` says so, the first one ends at once too.
    """

    def __init__(
        self,
        study: Study,
        *,
        at_once: Callable[[], None],
        is_urgent: Callable[[], bool] = lambda: False,
        again: str = "",
    ) -> None:
        """`again` is the command that goes on, by default that of a search."""
        self.code = 0
        self._again = again
        self._study = study
        self._at_once = at_once
        self._is_urgent = is_urgent
        self._before = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}

    def end(self) -> None:
        """Gives the signals back to whoever had them."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if self.code or self._is_urgent():
            self._at_once()
            say(f"automl: ended at once; go on with `{self._again or _command('resume', self._study)}`")
            os._exit(self.code or 128 + number)
        self.code = 128 + number
        say("automl: ending after the running trials; once more ends at once")
        self._study.stop()


class Progress:
    """One live line on a terminal, a plain line a trial elsewhere."""

    def __init__(self, study: Study) -> None:
        self._metric = study.objectives[0]
        self._budget = study.config.budget.trials
        self._started = time.monotonic()
        self._best: Trial | None = best(searched(study.trials), self._metric)
        self._ended = 0
        self._before = spent(study.trials).trials
        self._status = _live_status() if sys.stderr.isatty() else None
        self._method = AdvanceLine(study.config.search_name())

    def show(self, _study: Study, trial: Trial) -> None:
        """Tells of a finished trial."""
        value = trial.value(self._metric.metric)
        if trial.stage == "search":
            self._ended += 1
            is_full = trial.suggestion.fidelity.is_full
            if is_full and value is not None and (self._best is None or self._metric.loss(value) < self._best_loss()):
                self._best = trial
        line = f"{self._place(trial)} {self._told(trial)}{self._best_text()}"
        if self._status is None:
            say(line)
        else:
            self._status.update(line)

    def advance(self, advance: Advance) -> None:
        """Tells how far the study's method is."""
        self._started = time.monotonic()  # trials come after it, and their pace is another one
        line = self._method.of(advance)
        if self._status is not None:
            self._status.update(line)
        elif self._method.is_due(advance):
            say(line)

    def end(self) -> None:
        """Removes the live line."""
        if self._status is not None:
            self._status.stop()

    def _best_loss(self) -> float:
        value = self._best.value(self._metric.metric) if self._best else None
        return float("inf") if value is None else self._metric.loss(value)

    def _place(self, trial: Trial) -> str:
        if trial.stage != "search":
            return trial.suggestion.origin
        done = self._before + self._ended
        rung = "" if trial.suggestion.fidelity.is_full else f" at rung {trial.suggestion.fidelity.rung}"
        return f"trial {trial.number} ({done}{f'/{self._budget}' if self._budget else ''}){rung}"

    def _told(self, trial: Trial) -> str:
        if trial.failure:
            return f"FAIL {trial.failure.kind.value}: {trial.failure.reason}"
        assert trial.evaluation
        flops = trial.value("flops")
        cost = f" flops {compact(int(flops))}" if flops is not None else ""
        value = compact(trial.value(self._metric.metric))
        return f"{trial.state.value} {self._metric.metric} {value}{cost} {trial.evaluation.seconds:.1f} s"

    def _best_text(self) -> str:
        if self._best is None:
            return ""
        rest = (self._budget or 0) - self._before - self._ended
        pace = (time.monotonic() - self._started) / max(self._ended, 1)
        left = f", {rest * pace:.0f} s left" if rest > 0 else ""
        return f" | best {compact(self._best.value(self._metric.metric))} at {self._best.number}{left}"


def _live_status() -> Status:
    from rich.console import Console

    status = Console(stderr=True).status("starting")
    status.start()
    return status


def _has_result(study: Study) -> bool:
    return any(trial.stage == "search" and trial.evaluation for trial in study.trials)


def _publish(study: Study, status: str) -> None:
    """Tells the tracker; its store is only a mirror, so no trouble with it may cost the person the result."""
    if "wiring" not in vars(study):
        return  # it failed before there was anything to tell
    try:
        if study.mirror and not study.mirror.drain(timeout_seconds=PATIENCE_SECONDS):
            say("automl: waiting for the tracker; Ctrl-C leaves the rest to the next resume")
        publish(study, status=status)
    except KeyboardInterrupt:
        say(f"automl: the tracker is not up to date; {REMEDY}")
    except Exception as error:  # noqa: BLE001  # the boundary to a mirror: the study itself is safe in its store
        say(f"automl: the tracker is not up to date ({error}); {REMEDY}")


def _command(verb: str, study: Study) -> str:
    """What a person types next: the store is named where the default is another one."""
    storage = study.config.storage
    is_default = storage == resolve_url(default_storage(), Path.cwd())
    return " ".join(["automl", verb, shlex.quote(study.name), *([] if is_default else ["--storage", storage])])


def _closing_line(study: Study, code: int) -> str:
    best = study.best_trials
    metric = study.objectives[0].metric
    found = "no trial has a result"
    if best:
        value = compact(best[0].value(metric))
        gained = closing_gain(study)
        found = f"best {metric} {value} at trial {best[0].number}{gained and ', ' + gained}, {len(best)} on the front"
    look = f"see `{_command('front', study)}`, `{_command('report', study)}`"
    then = f"go on with `{_command('resume', study)}`" if code else look
    return f"automl: study {study.name!r}: {found}; {then}"
