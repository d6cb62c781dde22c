"""Shows a study in a tracker without ever standing in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluators import Objective
from storage._masking import masked
from storage._store import TrialStore
from storage._tracker import Tracker

LOG = logging.getLogger("automl")
BATCH = 20
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class _Summary:
    status: str
    metrics: Mapping[str, float]
    files: tuple[Path, ...]


class Mirror:
    """Copies finished trials from a store to a tracker in a thread of its own.

    How far it got is a cursor in the store, moved after each batch, so a crash repeats at most one batch, which
    trackers recognise. A tracker that raises is warned about once and tried again, ever more rarely; one that
    hangs is left behind at the end. Only that thread touches the tracker.
    """

    def __init__(
        self,
        store: TrialStore,
        tracker: Tracker,
        study: str,
        objectives: Sequence[Objective],
        *,
        poll_seconds: float = 0.5,
    ) -> None:
        self._store = store
        self._tracker = tracker
        self._reader = tracker.name
        self._study = study
        self._objectives = tuple(objectives)
        self._poll_seconds = poll_seconds
        self._changed = threading.Condition()
        self._asked = 0  # calls of `drain`
        self._drained = 0  # the last of them after which nothing was left
        self._summary: _Summary | None = None
        self._stopping = False
        self._is_open = False
        self._failures = 0  # in a row
        self._has_warned = False
        self._is_nudged = False
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Begins to copy; returns at once."""
        self._thread.start()

    def drain(self, timeout_seconds: float) -> bool:
        """Waits until every trial that has ended is shown; False where the time was over first."""
        with self._changed:
            self._asked += 1
            asked = self._asked
            self._nudge()
            self._changed.wait_for(lambda: self._drained >= asked or self._stopping, timeout_seconds)
            return self._drained >= asked

    def summarize(
        self, *, status: str, metrics: Mapping[str, float], files: Sequence[Path] = (), timeout_seconds: float = 30.0
    ) -> bool:
        """Ends the study's entry as FINISHED, FAILED or KILLED; False where the time was over first."""
        summary = _Summary(status, dict(metrics), tuple(files))
        with self._changed:
            self._summary = summary
            self._nudge()
            self._changed.wait_for(lambda: self._summary is not summary or self._stopping, timeout_seconds)
            return self._summary is not summary

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread after what it is doing; one that hangs dies with the process. May be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _nudge(self) -> None:
        self._is_nudged = True
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
        asked = self._asked
        if not self._is_open:
            self._open()
        self._copy_trials()
        if self._stopping:
            return
        summary = self._summary
        if summary is not None:
            self._tracker.summarize(status=summary.status, metrics=summary.metrics, files=summary.files)
        with self._changed:
            self._drained = asked
            self._summary = None if self._summary is summary else self._summary
            self._changed.notify_all()

    def _open(self) -> None:
        if not self._tracker.open(self._store.study(self._study), self._objectives):
            self._store.move_cursor(self._study, self._reader, 0)
        self._is_open = True

    def _copy_trials(self) -> None:
        seen = self._store.cursor(self._study, self._reader)
        ended = self._store.trials(self._study, finished_after=seen)
        for start in range(0, len(ended), BATCH):
            if self._stopping:
                return
            batch = ended[start : start + BATCH]
            self._tracker.log(batch)
            self._store.move_cursor(self._study, self._reader, batch[-1].finish_order or 0)

    def _note_success(self) -> None:
        if self._failures:
            LOG.info("tracker %s works again", masked(self._reader))
        self._failures = 0

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        LOG.log(
            logging.DEBUG if self._has_warned else logging.WARNING,
            "tracker %s: %s; the search goes on, and its trials are shown once this works again",
            masked(self._reader),
            masked(reason),
        )
        self._has_warned = True

    def _wait(self) -> None:
        """Sleeps until the next look, longer after each failure; an order wakes it at once."""
        pause = min(self._poll_seconds * 2 ** min(self._failures, 10), LONGEST_WAIT_SECONDS)
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._is_nudged, pause)
            self._is_nudged = False
