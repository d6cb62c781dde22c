"""Shows a study in a tracker without ever standing in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from evaluators import Trial
from storage._masking import masked
from storage._store import TrialStore
from storage._tracker import Course, StudyReading, Summary, Tracker

LOG = logging.getLogger("automl")
BATCH = 20
LONGEST_WAIT_SECONDS = 60.0
FEW_FAILURES = 3  # in a row: from here on a tracker counts as down
PATIENCE_SECONDS = 10.0  # with a tracker that is down, for someone who waits


class Mirror:
    """Copies finished trials from a store to a tracker in a thread of its own.

    How far it got is a cursor in the store, one for each entry of the tracker, moved after each batch, so a crash
    repeats at most one batch, which trackers recognise. A tracker that raises is warned about once and tried again,
    ever more rarely; one that hangs is left behind at the end, and one that is down soon. Only that thread touches
    the tracker.

    What trials say together comes from the study's `course`, which is told of each trial once. Tags that trials
    lose or gain as others end are set at once where they must not wait, and all of them whenever the number of
    trials has doubled, and before `drain` and `summarize` are done: so a trial costs at most two of them.
    """

    def __init__(
        self,
        store: TrialStore,
        tracker: Tracker,
        study: str,
        course: Course,
        *,
        poll_seconds: float = 0.5,
        batch: int = BATCH,
    ) -> None:
        self._store = store
        self._tracker = tracker
        self._name = masked(tracker.name)
        self._study = study
        self._course = course
        self._told = 0  # the last finish order that the course knows
        self._retagged = 0  # how much it knew when all changed tags were last asked for
        self._readings: list[StudyReading] = []  # not yet written
        self._tags: dict[int, dict[str, str]] = {}  # not yet written
        self._unshown: set[int] = set()  # told to the course, not yet logged
        self._poll_seconds = poll_seconds
        self._batch = batch
        self._changed = threading.Condition()
        self._asked = 0  # calls of `drain`
        self._drained = 0  # the last of them after which nothing was left
        self._summary: Summary | None = None
        self._stopping = False
        self._entry: str | None = None  # the reader of the cursor, once the tracker is open
        self._failures = 0  # in a row
        self._backoff = 0  # failures in a row since the last order
        self._has_warned = False
        self._has_given_up = False  # somebody has waited for a tracker that is down
        self._is_nudged = False
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Begins to copy; returns at once."""
        self._thread.start()

    def drain(self, timeout_seconds: float) -> bool:
        """Waits until every trial that has ended is shown; False where the time was over first, or the tracker is down.

        A slow tracker is waited for; one that only fails for `PATIENCE_SECONDS`, and once that is known, not at all.
        """
        with self._changed:
            self._asked += 1
            asked = self._asked
            self._nudge()
            return self._await(lambda: self._drained >= asked, timeout_seconds)

    def summarize(self, summary: Summary, *, timeout_seconds: float = 30.0) -> bool:
        """Ends the study's entry; False under the same conditions as `drain`."""
        with self._changed:
            self._summary = summary
            self._nudge()
            return self._await(lambda: self._summary is not summary, timeout_seconds)

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread after what it is doing; one that hangs dies with the process. May be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _await(self, is_done: Callable[[], bool], timeout_seconds: float) -> bool:
        patience = 0.0 if self._has_given_up else min(PATIENCE_SECONDS, timeout_seconds)
        if self._changed.wait_for(lambda: is_done() or self._stopping, patience):
            return is_done()
        rest = timeout_seconds - patience
        self._changed.wait_for(lambda: is_done() or self._stopping or self._failures >= FEW_FAILURES, rest)
        if self._failures >= FEW_FAILURES and not (is_done() or self._has_given_up):
            self._has_given_up = True
            LOG.warning("tracker %s: gave up waiting; a resume or a sync shows the rest", self._name)
        return is_done()

    def _nudge(self) -> None:
        self._is_nudged = True
        self._backoff = 0
        self._changed.notify_all()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._copy()
                self._note_success()
            except Exception as error:  # noqa: BLE001  # a tracker may raise anything, and the search goes on
                self._note_failure(error)
            self._wait()
        try:
            self._tracker.close()
        except Exception as error:  # noqa: BLE001  # the same boundary
            self._note_failure(error)

    def _copy(self) -> None:
        asked, summary = self._asked, self._summary
        if self._entry is None:
            entry = self._tracker.open(self._store.study(self._study))
            self._recall(self._store.cursor(self._study, entry))
            self._entry = entry
        self._copy_trials(self._entry)
        if self._stopping:
            return
        if asked > self._drained or summary is not None:
            self._take_tags(is_complete=True)
            self._update()
        if summary is not None:
            self._tracker.summarize(summary)
        with self._changed:
            self._drained = asked
            self._summary = None if self._summary is summary else self._summary
            self._changed.notify_all()

    def _recall(self, seen: int) -> None:
        """Tells the course of what an earlier mirror has shown."""
        if seen > self._told:
            ended = self._store.trials(self._study, finished_after=self._told)
            self._course.tell([trial for trial in ended if (trial.finish_order or 0) <= seen])
            self._told = seen

    def _copy_trials(self, entry: str) -> None:
        seen = self._store.cursor(self._study, entry)
        ended = self._store.trials(self._study, finished_after=seen)
        while ended and not self._stopping:
            size = 1 if self._failures else self._batch  # after a failure, what works again is soon known
            batch, ended = ended[:size], ended[size:]
            self._show(batch)
            self._store.move_cursor(self._study, entry, batch[-1].finish_order or 0)
            self._note_success()

    def _show(self, trials: Sequence[Trial]) -> None:
        new = [trial for trial in trials if (trial.finish_order or 0) > self._told]
        self._readings += self._course.tell(new)
        self._unshown.update(trial.number for trial in new)
        self._told = max((trial.finish_order or 0 for trial in new), default=self._told)
        self._take_tags(is_complete=self._told >= 2 * self._retagged)
        numbers = {trial.number for trial in trials}
        self._tracker.log(trials, {number: tags for number, tags in self._tags.items() if number in numbers})
        self._unshown -= numbers
        self._tags = {number: tags for number, tags in self._tags.items() if number not in numbers}
        self._update()

    def _take_tags(self, *, is_complete: bool) -> None:
        if is_complete:
            self._retagged = self._told
        self._tags |= self._course.changed_tags(is_complete=is_complete)

    def _update(self) -> None:
        """Writes the study's numbers, and the tags of the trials that are shown."""
        tags = {number: tags for number, tags in self._tags.items() if number not in self._unshown}
        if self._readings or tags:
            self._tracker.update(self._readings, tags)
        self._readings = []
        self._tags = {number: self._tags[number] for number in self._tags.keys() & self._unshown}

    def _note_success(self) -> None:
        if self._failures:
            LOG.info("tracker %s works again", self._name)
        with self._changed:
            self._failures = self._backoff = 0
            self._has_given_up = False

    def _note_failure(self, error: Exception) -> None:
        with self._changed:
            self._failures += 1
            self._backoff += 1
            self._changed.notify_all()
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        LOG.log(
            logging.DEBUG if self._has_warned else logging.WARNING,
            "tracker %s: %s; the search goes on, and its trials are shown once this works again",
            self._name,
            masked(reason),
        )
        self._has_warned = True

    def _wait(self) -> None:
        """Sleeps until the next look, longer after each failure; an order wakes it at once."""
        pause = min(self._poll_seconds * 2 ** min(self._backoff, 10), LONGEST_WAIT_SECONDS)
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._is_nudged, pause)
            self._is_nudged = False
