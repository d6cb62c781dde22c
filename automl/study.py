"""The study loop: ask, begin, evaluate, finish, tell; every step goes through the store.

A study is what its store remembers: a resumed study replays `tell` in the order in which trials ended and
derives the generator of each ask from (study seed, ask number), so it proposes what an undisturbed run
would have proposed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

import numpy as np

from automl._errors import StudyError
from automl._wiring import Wiring
from automl._worker import ASK_LEASE_SECONDS, LEASE_SECONDS, Heartbeat, is_dead, worker_name
from automl.budget import Budget, Spent, spent
from automl.config import StudyConfig, parse_config
from automl.front import front
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Trial
from storage import AskTakenError, Mirror, StudyRecord, TrialStore

DRAIN_SECONDS = 60.0
"""How long the end of a study waits for its tracker."""

Callback = Callable[["Study", Trial], None]


class Study:
    """One search: its record, its loop, its front.

    `wire` builds space, searcher and evaluator; it runs on first need, so looking at a study's trials
    loads neither data nor models.
    """

    def __init__(self, record: StudyRecord, store: TrialStore, wire: Callable[[StudyRecord], Wiring]) -> None:
        self.record = record
        self.store = store
        self._wire = wire
        self._worker = worker_name()
        self._told = 0
        self._spent = Spent()
        self._stop = threading.Event()

    def __repr__(self) -> str:
        return f"Study({self.name!r}, uid={self.record.uid!r})"

    @property
    def name(self) -> str:
        """The study's name, unique in its store."""
        return self.record.name

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
        """The feasible front of the search stage: no trial of it is beaten in every objective."""
        return front([trial for trial in self.trials if trial.stage == "search"], self.objectives)

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

    def ask(self) -> Trial:
        """The next trial to evaluate, leased to this process: a lost one first, else a new suggestion.

        Raises:
            StudyError: the space has no candidate left that was not tried.
        """
        self._requeue_dead()
        claimed = self._claim(1, ASK_LEASE_SECONDS) or self._claim_new(1, ASK_LEASE_SECONDS)
        if not claimed:
            raise StudyError(f"study {self.name!r} has tried every candidate of its space; enlarge the space")
        return claimed[0]

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
        self, n_trials: int | None = None, *, timeout: float | None = None, callbacks: Sequence[Callback] = ()
    ) -> None:
        """Runs until `n_trials` more have ended, the budget is spent, `timeout` seconds are over or `stop` is called.

        Without `n_trials` the study's own budget decides. May be called again to go on.
        """
        ends_at = None if timeout is None else time.monotonic() + timeout
        self.recover()
        self._sync()
        _ = self.mirror  # starts to copy what earlier runs have left
        budget = self.budget if n_trials is None else Budget(trials=self._spent.trials + n_trials)
        with Heartbeat(self.store, self.name, self._worker):
            self._run_queue(callbacks)
            while not self._stop.is_set() and (ends_at is None or time.monotonic() < ends_at):
                if not budget.allows(self._spent) or not self._step(budget, callbacks):
                    break

    def stop(self) -> None:
        """Lets the running trials end and asks for no more; safe to call from a signal handler."""
        self._stop.set()

    def _step(self, budget: Budget, callbacks: Sequence[Callback]) -> bool:
        """Evaluates one cohort, no larger than what is left of the budget; False where the space is exhausted."""
        left = self._spent.trials + 1 if budget.trials is None else budget.trials - self._spent.trials
        size = max(1, min(self.wiring.evaluator.cohort_size, left))
        cohort = self._claim(size) or self._claim_new(size)
        self._evaluate(cohort, callbacks)
        self._sync()
        return bool(cohort)

    def recover(self) -> int:
        """Returns the trials of dead workers to the queue; says how many.

        Raises:
            StudyError: a live process is working on this study.
        """
        lost = self._requeue_dead()
        others = [worker for worker in self.store.workers(self.name) if worker != self._worker]
        if others:
            raise StudyError(
                f"study {self.name!r} is being worked on by process {others[0]}; wait for it, or end it and try again"
            )
        return lost

    def _requeue_dead(self) -> int:
        dead = [worker for worker in self.store.workers(self.name) if is_dead(worker)]
        return self.store.requeue_lost(self.name) + sum(
            self.store.requeue_lost(self.name, worker=worker) for worker in dead
        )

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
        mirror = Mirror(self.store, self.wiring.tracker, self.name, self.objectives)
        mirror.start()
        return mirror

    def _claim(self, limit: int, seconds: float = LEASE_SECONDS) -> list[Trial]:
        return self.store.claim(self.name, worker=self._worker, limit=limit, lease_seconds=seconds)

    def _claim_new(self, n: int, seconds: float = LEASE_SECONDS) -> list[Trial]:
        while True:
            self._sync()
            ask_number = self.store.asks(self.name)
            rng = np.random.default_rng([self.record.seed, ask_number])
            pending = [trial.suggestion for trial in self.store.unfinished(self.name) if trial.stage == "search"]
            suggestions = self.wiring.searcher.ask(n, rng, pending)
            if not suggestions:
                return []
            with suppress(AskTakenError):  # another process was faster: its trials are in the queue now
                self.store.begin(self.name, suggestions, ask_number=ask_number, stage="search")
            claimed = self._claim(n, seconds)
            if claimed:
                return claimed

    def _sync(self) -> None:
        finished = self.store.trials(self.name, finished_after=self._told)
        self.wiring.searcher.tell(finished)
        self._spent += spent(finished)
        self._told = max((trial.finish_order or 0 for trial in finished), default=self._told)

    def _evaluate(self, cohort: Sequence[Trial], callbacks: Sequence[Callback]) -> None:
        try:
            outcomes = self.wiring.evaluator.evaluate([trial.suggestion for trial in cohort])
            ended = sorted((cohort[position].number, outcome) for position, outcome in outcomes)
            finished = self.store.finish(self.name, ended)
        except BaseException:
            self.store.requeue_lost(self.name, worker=self._worker)
            raise
        for trial in finished:
            for callback in callbacks:
                callback(self, trial)

    def _run_queue(self, callbacks: Sequence[Callback]) -> None:
        """Evaluates the baselines of a new study, and what an ended process left behind."""
        if not any(trial.stage == "baseline" for trial in self.trials) and self.wiring.baselines:
            with suppress(AskTakenError):
                self.store.begin(self.name, self.wiring.baselines, ask_number=0, stage="baseline")
        while not self._stop.is_set() and (cohort := self._claim(self.wiring.evaluator.cohort_size)):
            self._evaluate(cohort, callbacks)
            self._sync()


def _judged(metrics: Mapping[str, float]) -> Evaluation | Failure:
    wrong = [name for name, value in metrics.items() if not np.isfinite(value)]
    if wrong:
        return Failure(FailureKind.DIVERGED, f"{wrong[0]} is {metrics[wrong[0]]}, which is no finite number")
    return Evaluation({name: Metric(float(value)) for name, value in metrics.items()})
