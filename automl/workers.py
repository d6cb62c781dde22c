"""Many workers on one study: what starts them, and the driver that watches over them.

The driver evaluates nothing. It starts workers through a `Launcher`, restarts those that die, tells what ends in the
store whoever ended it, and ends when they have. Another way to start workers, on other machines say, is another
`Launcher`; all of them run `Study.work` on the same store.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from automl._errors import StudyError
from automl._patience import patiently
from automl._worker import is_asker, requeue_all_lost, requeue_dead
from automl.study import Callback, Study
from evaluators import Trial

LOG = logging.getLogger("automl")
POLL_SECONDS = 0.2
SWEEP_SECONDS = 1.0
DEATHS = 5
"""In a row, without anything having moved in the store, after which a worker counts as unable to work."""
LONGEST_PAUSE_SECONDS = 30.0
GRACE_SECONDS = 30.0
"""How long the end waits for a worker that holds no trial."""
STALL_SECONDS = 3600.0
"""How long all workers may live without any of them holding or ending a trial before they are started anew."""
FAREWELL_SECONDS = 3.0


class Spawned(Protocol):
    """A worker that was started."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        ...

    def stop(self) -> None:
        """Asks it to end after its running trial; asked a second time it ends at once."""
        ...

    def kill(self) -> None:
        """Ends it at once, whatever it does; may be called when it has ended."""
        ...

    def last_words(self) -> str:
        """The last thing that it said, for people; empty where it said nothing."""
        ...


class Launcher(Protocol):
    """Starts workers of one study."""

    def start(self) -> Spawned:
        """Starts one more."""
        ...


@dataclass
class _Place:
    """One worker's place: who fills it, and how its workers have fared."""

    worker: Spawned | None = None
    start_at: float = 0.0
    deaths: int = 0
    moved: tuple[int, int] = (-1, -1)
    is_done: bool = False
    has_ended_by_itself: bool = False


class Crew:
    """The workers of a driver. `clock` counts seconds, `pause` sleeps for so many."""

    def __init__(
        self,
        study: Study,
        launcher: Launcher,
        *,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._study = study
        self._launcher = launcher
        self._clock = clock
        self._pause = pause
        self._places = [_Place() for _ in range(workers)]
        self._told = 0
        self._has_asked_to_stop = False
        self._swept_at = self._moved_at = self._held_at = clock()

    def run(self, *, callbacks: Sequence[Callback] = ()) -> None:
        """Runs until every worker has ended because the budget is spent or `Study.stop` was called.

        Each callback sees every trial that ends, in the order in which they end, whoever ends it.

        Raises:
            StudyError: another process drives the study, or a worker cannot work.
        """
        with self._study.driving():
            self._fresh()
            _ = self._study.mirror  # starts to copy what earlier runs have left
            try:
                while not all(place.is_done for place in self._places):
                    patiently(lambda: self._tend(callbacks), is_over=self._has_stopped_after)
                    self._pause(POLL_SECONDS)
            finally:
                self.end_at_once()
            self._tell(callbacks)

    def end_at_once(self) -> None:
        """Ends all workers within a few seconds: politely, then not."""
        living = self._living()
        for _ in range(2 if living else 0):
            for worker in living:
                worker.stop()
            time.sleep(POLL_SECONDS)  # two signals that meet on the way are one
        ends_at = time.monotonic() + FAREWELL_SECONDS
        while any(worker.poll() is None for worker in living) and time.monotonic() < ends_at:
            time.sleep(POLL_SECONDS / 4)
        for worker in living:
            worker.kill()

    def _tend(self, callbacks: Sequence[Callback]) -> None:
        self._tell(callbacks)
        if self._study.is_stopped and not self._has_asked_to_stop:
            self._has_asked_to_stop = True
            for worker in self._living():
                worker.stop()
        for place in self._places:
            self._look_at(place)
        if self._clock() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = self._clock()
            self._sweep()

    def _has_stopped_after(self, seconds: float) -> bool:
        self._pause(seconds)
        return self._study.is_stopped

    def _look_at(self, place: _Place) -> None:
        if place.is_done:
            return
        if place.worker is None:
            self._fill(place)
            return
        code = place.worker.poll()
        if code is None:
            return
        place.is_done = code == 0 or self._study.is_stopped
        place.has_ended_by_itself = code == 0
        if not place.is_done:
            self._mourn(place, place.worker, code)

    def _fill(self, place: _Place) -> None:
        if self._study.is_stopped:
            place.is_done = True
        elif self._clock() >= place.start_at:
            place.moved = self._moved()
            place.worker = self._launcher.start()

    def _mourn(self, place: _Place, worker: Spawned, code: int) -> None:
        requeue_dead(self._study.store, self._study.name)
        words = worker.last_words() or "it said nothing"
        place.deaths = place.deaths + 1 if place.moved == self._moved() else 1
        if place.deaths >= DEATHS:
            raise StudyError(
                f"a worker must be able to work, but one ended {DEATHS} times in a row with nothing done, "
                f"the last time with code {code}: {words}; mend that and go on with `automl resume`"
            )
        LOG.warning("a worker ended with code %d and is started again: %s", code, words)
        place.worker = None
        place.start_at = self._clock() + min(0.5 * 2 ** (place.deaths - 1), LONGEST_PAUSE_SECONDS)

    def _sweep(self) -> None:
        """Returns lost trials to the queue, and ends workers that would keep the search from its end."""
        requeue_all_lost(self._study.store, self._study.name)
        now = self._clock()
        if any(not is_asker(worker) for worker in self._study.store.workers(self._study.name)):
            self._held_at = now
            return
        is_over = any(place.has_ended_by_itself for place in self._places)
        if is_over and now - self._held_at > GRACE_SECONDS:
            self._give_up_on("has nothing left to do, but does not end")
        elif now - max(self._held_at, self._moved_at) > STALL_SECONDS:
            self._held_at = now
            self._give_up_on("neither holds nor ends a trial")

    def _give_up_on(self, reason: str) -> None:
        for place in self._places:
            if place.worker is not None and place.worker.poll() is None:
                LOG.warning("a worker %s; it is killed", reason)
                place.worker.kill()
                place.is_done = any(one.has_ended_by_itself for one in self._places)

    def _moved(self) -> tuple[int, int]:
        """What changes whenever a worker has ended a trial or was lost with one."""
        return self._told, sum(trial.losses for trial in self._study.store.unfinished(self._study.name))

    def _tell(self, callbacks: Sequence[Callback]) -> None:
        for trial in self._fresh():
            for callback in callbacks:
                callback(self._study, trial)

    def _fresh(self) -> list[Trial]:
        fresh = self._study.store.trials(self._study.name, finished_after=self._told)
        if fresh:
            self._told = fresh[-1].finish_order or self._told
            self._moved_at = self._clock()
        return fresh

    def _living(self) -> list[Spawned]:
        return [one.worker for one in self._places if one.worker is not None and one.worker.poll() is None]


def was_shared(trials: Sequence[Trial]) -> bool:
    """Whether several workers took part: a trial began while one of an earlier ask was still running."""
    timed = sorted(
        (one.started_at, one.finished_at, one.ask_number)
        for one in trials
        if one.stage == "search" and one.started_at is not None and one.finished_at is not None
    )
    latest, its_ask = float("-inf"), -1
    for started, finished, ask in timed:
        if started < latest and ask != its_ask:
            return True
        if finished > latest:
            latest, its_ask = finished, ask
    return False
