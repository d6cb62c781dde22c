"""One worker's loop: take what waits, else ask the searcher; evaluate; finish; until the budget is spent.

Exactness under contention rests on two things. What an ask knows is read in the order asks, unfinished, finished, so a
trial that ends meanwhile is seen twice rather than not at all; and `begin` refuses when another process has begun
trials since, so what was read was all there was: no number, no candidate and no trial of the budget is given twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

import numpy as np

from automl._locks import StudyLock
from automl._patience import patiently
from automl._wiring import Wiring
from automl._worker import Heartbeat, Sweep, is_asker
from automl.budget import Budget, Spent, spent
from evaluators import Evaluation, Failure, Trial, TrialState
from storage import LEASE_SECONDS, AskTakenError, StorageError, StudyRecord, TrialStore

LOG = logging.getLogger("automl")
AHEAD_SECONDS = 0.05
"""Work that a worker beside others takes at once: where trials end sooner, a transaction each would cost more."""
AHEAD_TRIALS = 16
LONG_AHEAD_SECONDS = 1.0
"""After which trials that were taken together and have not begun go back to the queue: they are not short after all."""
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.02, 1.0
PATIENCE_SECONDS = 2.0
"""How long a worker waits for its turn to ask, or four times what its last ask took."""


@dataclass(frozen=True)
class View:
    """What is known before an ask: its number, and every trial that has begun and not ended."""

    ask_number: int
    unfinished: tuple[Trial, ...]

    @property
    def has_waiting(self) -> bool:
        """Whether a trial waits for a worker."""
        return any(trial.state is TrialState.WAITING for trial in self.unfinished)

    @property
    def searching(self) -> int:
        """How many of them count for the budget."""
        return sum(trial.stage == "search" for trial in self.unfinished)


@dataclass(frozen=True)
class _Lease:
    worker: str
    seconds: float


class Loop:
    """The part of one worker in a study. `shares` says that others take part on purpose.

    A worker that shares may take several short trials at once and waits for its turn to ask; alone it does neither,
    so that its proposals are a function of the study alone.
    """

    def __init__(
        self, record: StudyRecord, store: TrialStore, *, wiring: Wiring, worker: str, shares: bool = False
    ) -> None:
        self.spent = self._spent_by_trials = Spent()
        self._record = record
        self._store = store
        self._wiring = wiring
        self._worker = worker
        self._lock = StudyLock(record.uid, "ask") if shares else None
        self._told = 0
        self._ask_seconds = 0.0
        self._trial_seconds = AHEAD_SECONDS
        self._busy_since: float | None = None
        self._stop = threading.Event()

    def run(
        self,
        budget: Budget,
        *,
        stop: threading.Event,
        on_end: Callable[[Trial], None],
        ends_at: float | None = None,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        """Works until the budget is spent and nobody holds a trial any more, `stop` is set or `ends_at` has come."""
        beats = heartbeat or Heartbeat(self._store, self._name, self._worker)
        sweep, pause = Sweep(self._store, self._name), FIRST_PAUSE_SECONDS
        self._stop = stop
        patiently(self.begin_baselines, is_over=stop.wait)
        with beats:
            while not stop.is_set() and (ends_at is None or time.monotonic() < ends_at):
                cohort = self._take_patiently(budget)
                if cohort is None:
                    return
                if cohort:
                    pause = FIRST_PAUSE_SECONDS
                    for trial in self.evaluate(cohort):
                        on_end(trial)
                elif not patiently(sweep.look, is_over=stop.wait):
                    stop.wait(pause)
                    pause = min(2 * pause, LAST_PAUSE_SECONDS)

    def busy_seconds(self) -> float:
        """How long the evaluation that runs has been running; zero where none does."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def begin_baselines(self) -> None:
        """Begins the baselines of a new study; only the first worker of all does."""
        if self._wiring.baselines:
            with suppress(AskTakenError):
                self._store.begin(self._name, self._wiring.baselines, ask_number=0, stage="baseline")

    def take(
        self, budget: Budget, size: int = 1, *, worker: str | None = None, lease_seconds: float = LEASE_SECONDS
    ) -> list[Trial] | None:
        """Up to `size` trials for `worker`, by default this one.

        None of them where others hold all that is left; None where nothing is left.
        """
        lease = _Lease(worker or self._worker, lease_seconds)
        while True:
            with self._turn():
                view = self.look()
                taken = self._claim_or_ask(view, budget, size, lease)
            if taken:
                return taken
            if taken is not None:
                continue  # another process was faster
            return None if self._is_over(view) else []

    def look(self) -> View:
        """Reads what has begun and tells the searcher what has ended; the order of the reads leaves nothing out."""
        ask_number = self._store.asks(self._name)
        unfinished = self._store.unfinished(self._name)
        ended = {trial.number for trial in self.sync()}
        return View(ask_number, tuple(trial for trial in unfinished if trial.number not in ended))

    def sync(self) -> list[Trial]:
        """Tells the searcher the trials that have ended since; returns them."""
        fresh = self._store.trials(self._name, finished_after=self._told)
        self._wiring.searcher.tell(fresh)
        self.spent += spent(fresh)
        self._spent_by_trials += spent(trial for trial in fresh if trial.stage == "search")
        self._told = max((trial.finish_order or 0 for trial in fresh), default=self._told)
        return fresh

    def evaluate(self, cohort: Sequence[Trial]) -> list[Trial]:
        """Evaluates and ends the trials; an outcome whose lease was lost meanwhile is left to who holds it now.

        Where they take long, those that have not begun are left to whoever is free.
        """
        started = self._busy_since = time.monotonic()
        try:
            ended = sorted(self._outcomes_in_time(cohort, started + LONG_AHEAD_SECONDS), key=_number)
            finished = patiently(
                lambda: self._store.finish(self._name, ended, worker=self._worker), is_over=self._stop.wait
            )
            if len(ended) < len(cohort):
                patiently(lambda: self._store.release(self._name, worker=self._worker), is_over=self._stop.wait)
        except BaseException:
            with suppress(StorageError):  # the first error is the one to tell of; the lease ends by itself
                self._store.release(self._name, worker=self._worker)
            raise
        finally:
            self._busy_since = None
        mean = (time.monotonic() - started) / max(len(ended), 1)
        self._trial_seconds = max(mean, self._trial_seconds / 2)  # one that fails at once tells nothing of the others
        if len(finished) < len(ended):
            LOG.warning("%d trials took longer than their lease and were given away", len(ended) - len(finished))
        return finished

    @property
    def _name(self) -> str:
        return self._record.name

    def _take_patiently(self, budget: Budget) -> list[Trial] | None:
        """Takes trials; a commit without an answer may have given some, which are put back before the next try."""
        was_unavailable = False

        def take() -> list[Trial] | None:
            nonlocal was_unavailable
            if was_unavailable:
                self._store.release(self._name, worker=self._worker)
            was_unavailable = True
            return self.take(budget, self._size())

        return patiently(take, is_over=self._stop.wait)

    def _turn(self) -> AbstractContextManager[None]:
        """Spares workers of one machine asks that would come to nothing; right without, since `begin` decides."""
        if self._lock is None:
            return nullcontext()
        return self._lock.turn(self._worker, seconds=max(PATIENCE_SECONDS, 4 * self._ask_seconds))

    def _size(self) -> int:
        """How many trials to take: a cohort, and where others take part as many as fill a moment."""
        cohort = self._wiring.evaluator.cohort_size
        if self._lock is None:
            return cohort
        return cohort * max(1, min(AHEAD_TRIALS, int(AHEAD_SECONDS / max(self._trial_seconds, 1e-6))) // cohort)

    def _room(self, budget: Budget, view: View, size: int) -> int:
        """How many trials may begin: what runs counts like what has ended, its cost as the average so far."""
        expected = self.spent + _average(self._spent_by_trials, view.searching)
        if not budget.allows(expected):
            return 0
        return size if budget.trials is None else min(size, budget.trials - expected.trials)

    def _claim_or_ask(self, view: View, budget: Budget, size: int, lease: _Lease) -> list[Trial] | None:
        """New or waiting trials; none where another process took them first, None where there is nothing to take."""
        if view.has_waiting:
            return self._claim(min(size, self._wiring.evaluator.cohort_size), lease)
        return self._ask(view, self._room(budget, view, size), lease)

    def _ask(self, view: View, room: int, lease: _Lease) -> list[Trial] | None:
        """New trials; none where another process has begun some first, None where there is nothing to begin."""
        if not room:
            return None
        started = time.monotonic()
        rng = np.random.default_rng([self._record.seed, view.ask_number])
        pending = [trial.suggestion for trial in view.unfinished]
        suggestions = self._wiring.searcher.ask(room, rng, pending)
        self._ask_seconds = time.monotonic() - started
        if not suggestions:
            return None
        try:
            return self._store.begin(
                self._name,
                suggestions,
                ask_number=view.ask_number,
                stage="search",
                worker=lease.worker,
                lease_seconds=lease.seconds,
            )
        except AskTakenError:
            return []

    def _claim(self, limit: int, lease: _Lease) -> list[Trial]:
        return self._store.claim(self._name, worker=lease.worker, limit=limit, lease_seconds=lease.seconds)

    def _is_over(self, view: View) -> bool:
        """Whether nobody of the search holds a trial, which may come back to the queue or change what is proposed."""
        if not view.unfinished:
            return True
        others = [one for one in self._store.workers(self._name) if one != self._worker and not is_asker(one)]
        return not others and self.look() == view

    def _parts(self, cohort: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
        size = self._wiring.evaluator.cohort_size
        return (cohort[first : first + size] for first in range(0, len(cohort), size))

    def _outcomes_in_time(self, cohort: Sequence[Trial], ends_at: float) -> list[tuple[int, Evaluation | Failure]]:
        """Those of the first part, and of further ones that begin in time."""
        ended: list[tuple[int, Evaluation | Failure]] = []
        for part in self._parts(cohort):
            ended += self._outcomes(part)
            if time.monotonic() >= ends_at:
                break
        return ended

    def _outcomes(self, part: Sequence[Trial]) -> Iterator[tuple[int, Evaluation | Failure]]:
        answers = self._wiring.evaluator.evaluate([trial.suggestion for trial in part])
        return ((part[position].number, outcome) for position, outcome in answers)


def _number(outcome: tuple[int, Evaluation | Failure]) -> int:
    return outcome[0]


def _average(used: Spent, trials: int) -> Spent:
    """What so many trials are expected to use."""
    share = trials / max(used.trials, 1)
    return Spent(trials, used.seconds * share, round(used.rows * share))
