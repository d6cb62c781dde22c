"""The study loop: ask, begin, evaluate, finish, tell; every step goes through the store.

A study is what its store remembers: a resumed study replays `tell` in the order in which trials ended and
derives the generator of each ask from (study seed, ask number), so with one worker it proposes what an
undisturbed run would have proposed.
"""

from __future__ import annotations

import logging
import os
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial

import numpy as np

from automl import plugins
from automl._checkpoint import Advance
from automl._errors import AutomlError, NothingLeft, StudyError
from automl._locks import StudyLock
from automl._loop import Loop
from automl._method_stage import method_trial, run_method
from automl._searcher import Declares
from automl._wiring import Wiring
from automl._worker import ASK_LEASE_SECONDS, ASKED, Heartbeat, keeps_driver_out, requeue_all_lost, worker_name
from automl.budget import Budget
from automl.config import StudyConfig, parse_config
from automl.course import StudyCourse
from automl.front import front, searched
from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Metric, Objective, Trial, TrialState
from storage import Mirror, StorageError, StudyRecord, TrialStore

DRAIN_SECONDS = 60.0
"""How long the end of a study waits for its tracker."""

HUNG_EXIT = 70
"""Exit code of a worker that gives up a trial that hangs."""

LOG = logging.getLogger("automl")

Callback = Callable[["Study", Trial], None]
OnAdvance = Callable[[Advance], None]


class Study:
    """One search: its record, its loop, its front.

    `wire` builds space, searcher and evaluator; it runs on first need, so looking at a study's trials
    loads neither data nor models. With `keeps_files` a method's weights stay, after its read-out is in the store, for
    more scores.
    """

    keeps_files = False

    def __init__(
        self, record: StudyRecord, store: TrialStore, wire: Callable[[StudyRecord], Wiring], *, role: str = ""
    ) -> None:
        """`role` is that of one of several workers, empty for whoever drives the study or only looks."""
        self.record = record
        self.store = store
        self._wire = wire
        self._worker = worker_name(role)
        self._is_one_of_many = bool(role)
        self._asker = worker_name(ASKED)
        self._stop = threading.Event()

    def __repr__(self) -> str:
        return f"Study({self.name!r}, uid={self.record.uid!r})"

    @property
    def name(self) -> str:
        """The study's name, unique in its store."""
        return self.record.name

    @property
    def worker(self) -> str:
        """The name under which this process works on the study."""
        return self._worker

    @cached_property
    def config(self) -> StudyConfig:
        """The configuration that the study was made with."""
        return parse_config(self.record.config, source=f"study {self.name!r}")

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What is wanted, in order of importance."""
        return self.config.objective_list()

    @cached_property
    def wiring(self) -> Wiring:
        """Space, searcher, evaluator and data of the study."""
        return self._wire(self.record)

    @property
    def trials(self) -> list[Trial]:
        """All trials by number, baselines included."""
        return self.store.trials(self.name)

    @property
    def best_trials(self) -> list[Trial]:
        """The feasible front of the search, in full training: no trial of it is beaten in every objective."""
        return front(searched(self.trials), self.objectives)

    def declared(self) -> list[Trial]:
        """Candidates in the order of the quality that the searcher expects, best first; empty where it has no model.

        Where its model cannot be made, because the data is gone, there is a warning and none.
        """
        if not issubclass(plugins.load("searcher", self.config.searcher["name"]), Declares):
            return []
        try:
            self._loop.sync()
            searcher = self.wiring.searcher
        except (AutomlError, EvaluatorError) as error:
            LOG.warning(
                "study %r cannot ask its searcher who has won, and takes what was measured: %s", self.name, error
            )
            return []
        return searcher.declared() if isinstance(searcher, Declares) else []

    @property
    def budget(self) -> Budget:
        """Limits of the search stage."""
        limits = self.config.budget
        return Budget(limits.trials, limits.seconds, limits.rows)

    def set_trials(self, trials: int) -> None:
        """Sets the budget of the search stage, in trials, and remembers it."""
        config = {**self.record.config, "budget": {**self.record.config["budget"], "trials": trials}}
        self.store.update_config(self.name, config)
        self.record = self.store.study(self.name)
        self.__dict__.pop("config", None)

    def ask(self, *, holder: str | None = None, budget: Budget | None = None) -> Trial:
        """The next trial to evaluate elsewhere: a lost one or a baseline first, else a new suggestion; `tell` ends it.

        It is held for this process and comes back to the queue when this process ends. `holder` names somebody who
        outlives it, a person or a program of theirs; the trial then comes back after a week. A new suggestion keeps to
        `budget`, with what others hold counted; by default there is no limit.

        Raises:
            NothingLeft: the budget is spent, or the space has no candidate left that was not tried.
            StudyError: the study's method has not run.
        """
        if self.config.method is not None and method_trial(self.trials) is None:
            raise StudyError(
                f"study {self.name!r} has nothing to ask before its method has read out its candidates; "
                f"run it with `automl resume {shlex.quote(self.name)}`"
            )
        requeue_all_lost(self.store, self.name)
        self._loop.begin_baselines()
        asker = self._asker if holder is None else f"{holder} {ASKED}"
        taken = self._loop.take(budget or Budget(), worker=asker, lease_seconds=ASK_LEASE_SECONDS)
        if not taken:
            spent = "" if budget is None else "spent its budget, running trials counted, or "
            remedy = "enlarge the space" if budget is None else "enlarge the budget or the space"
            raise NothingLeft(f"study {self.name!r} has {spent}tried every candidate of its space; {remedy}")
        return taken[0]

    def tell(self, trial: Trial | int, outcome: Mapping[str, float] | Evaluation | Failure) -> Trial:
        """Ends a trial that `ask` gave with its metrics; one that is not finite makes the trial a failure.

        Raises:
            FinishedTrialError: the trial had ended before.
            StudyError: a metric is missing that an objective needs.
        """
        number = trial.number if isinstance(trial, Trial) else trial
        ended = outcome if isinstance(outcome, Evaluation | Failure) else _judged(outcome)
        if isinstance(ended, Evaluation):
            missing = [one.metric for one in self.objectives if one.metric not in ended.metrics]
            if missing:
                raise StudyError(f"every objective needs its metric, but trial {number} was told no {missing[0]!r}")
        return self.store.finish(self.name, [(number, ended)])[0]

    def optimize(
        self,
        n_trials: int | None = None,
        *,
        timeout: float | None = None,
        callbacks: Sequence[Callback] = (),
        on_advance: OnAdvance | None = None,
    ) -> None:
        """Runs until `n_trials` more have ended, the budget is spent, `timeout` seconds are over or `stop` is called.

        Without `n_trials` the study's own budget decides. May be called again to go on. Where the study has a method
        it runs first, and tells `on_advance` how far it is.
        """
        ends_at = None if timeout is None else time.monotonic() + timeout
        self.read_out(on_advance=on_advance, ends_at=ends_at)
        with self.driving():
            loop = self._loop
            view = loop.look()
            _ = self.mirror  # starts to copy what earlier runs have left
            held = sum(one.stage == "search" and one.state is TrialState.RUNNING for one in view.unfinished)
            budget = self.budget if n_trials is None else Budget(trials=loop.spent.trials + held + n_trials)
            loop.run(budget, stop=self._stop, on_end=partial(self._tell_of, callbacks), ends_at=ends_at)

    def read_out(self, *, on_advance: OnAdvance | None = None, ends_at: float | None = None) -> None:
        """Runs the study's method, or goes on with it, until it has read out its candidates; does nothing without one.

        Returns early where `stop` is called or `ends_at` has come: its checkpoint is kept.

        Raises:
            StudyError: another process drives the study, or the method's read-out or checkpoint is broken.
            EvaluatorError: its training diverged.
        """
        if self.config.method is None:
            return

        def is_over() -> bool:
            return self._stop.is_set() or (ends_at is not None and time.monotonic() >= ends_at)

        with self.driving():
            run_method(
                self.record,
                self.store,
                self.wiring,
                worker=self._worker,
                tell=on_advance or _log_advance,
                is_stopped=is_over,
                keeps_files=self.keeps_files,
            )

    def work(self, *, callbacks: Sequence[Callback] = (), trial_seconds: float | None = None) -> None:
        """Takes part in the study beside other workers until its budget is spent and none of them holds a trial.

        Nothing is mirrored: that is the driver's part. An evaluation that takes longer than `trial_seconds` has
        hung beyond what its evaluator allows: the trial goes back to the queue and this process ends at once.
        """
        loop = self._loop
        heartbeat = Heartbeat(
            self.store,
            self.name,
            self._worker,
            is_hung=lambda: trial_seconds is not None and loop.busy_seconds() > trial_seconds,
            give_up=self._give_up,
        )
        requeue_all_lost(self.store, self.name)
        loop.run(self.budget, stop=self._stop, on_end=partial(self._tell_of, callbacks), heartbeat=heartbeat)

    def _give_up(self) -> None:
        LOG.error("a trial of study %r hangs; this worker ends, and another one takes the trial", self.name)
        with suppress(StorageError):
            self.store.requeue_lost(self.name, worker=self._worker)  # a loss: it is not tried for ever
        os._exit(HUNG_EXIT)

    def stop(self) -> None:
        """Lets the running trials end and asks for no more; safe to call from a signal handler."""
        self._stop.set()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def abandon(self, *, seconds: float = 2.0) -> None:
        """Ends the running trials at once and gives them back to the queue, for a process that ends right after.

        Safe to call from a signal handler: what the interrupted code holds is waited for no longer than `seconds`.
        """
        if "wiring" in self.__dict__:
            self.wiring.evaluator.close()
        releasing = threading.Thread(target=self._release, daemon=True)
        releasing.start()
        releasing.join(seconds)

    def _release(self) -> None:
        with suppress(StorageError):  # their lease ends by itself
            self.store.release(self.name, worker=self._worker)

    @contextmanager
    def driving(self) -> Iterator[None]:
        """Keeps other drivers out while this process drives the study; lost trials are back in the queue then.

        Raises:
            StudyError: another process drives this study.
        """
        lock = StudyLock(self.record.uid, "driver")
        if not lock.acquire(self._worker):
            raise self._is_driven(lock.holder())
        try:
            self.recover()
            yield
        finally:
            lock.release()

    def recover(self) -> int:
        """Returns the trials of dead workers to the queue; says how many.

        Raises:
            StudyError: another process drives this study.
        """
        lost = requeue_all_lost(self.store, self.name)
        others = [one for one in self.store.workers(self.name) if keeps_driver_out(one, self._worker)]
        if others:
            raise self._is_driven(others[0])
        return lost

    def _is_driven(self, other: str) -> StudyError:
        return StudyError(
            f"study {self.name!r} is being worked on by process {other}; wait for it, or end it and try again, "
            f"or add a worker to it with `automl work {shlex.quote(self.name)}`"
        )

    @cached_property
    def _loop(self) -> Loop:
        return Loop(self.record, self.store, wiring=self.wiring, worker=self._worker, shares=self._is_one_of_many)

    def _tell_of(self, callbacks: Sequence[Callback], trial: Trial) -> None:
        for callback in callbacks:
            callback(self, trial)

    def close(self) -> None:
        """Ends child processes, lets the tracker catch up and frees the store; may be called twice."""
        if "wiring" in self.__dict__:
            self.wiring.evaluator.close()
        mirror = self.__dict__.pop("mirror", None)
        if mirror is not None:
            mirror.drain(timeout_seconds=DRAIN_SECONDS)
            mirror.stop()
        self.store.close()

    @cached_property
    def mirror(self) -> Mirror | None:
        """The thread that shows finished trials in the tracker, started; None where the study has no tracker."""
        if self.wiring.tracker is None:
            return None
        mirror = Mirror(self.store, self.wiring.tracker, self.name, StudyCourse(self.objectives))
        mirror.start()
        return mirror


def _log_advance(advance: Advance) -> None:
    LOG.debug("%s: %d of %d", advance.phase, advance.done, advance.total)


def _judged(metrics: Mapping[str, float]) -> Evaluation | Failure:
    wrong = [name for name, value in metrics.items() if not np.isfinite(value)]
    if wrong:
        return Failure(FailureKind.DIVERGED, f"{wrong[0]} is {metrics[wrong[0]]}, which is no finite number")
    return Evaluation({name: Metric(float(value)) for name, value in metrics.items()})
