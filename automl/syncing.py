"""Completes a study's tracker from its store, without the study's data, space or evaluator."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl._errors import StudyError
from automl._locks import StudyLock
from automl._wiring import tracker_of
from automl._worker import keeps_driver_out
from automl.budget import spent
from automl.config import resolve_url
from automl.course import StudyCourse
from automl.publishing import summary_of
from automl.study import Study
from storage import Synced, Tracker, TrackerError, masked


def sync(study: Study, *, uri: str | None = None) -> Synced:
    """Makes the study's tracker show what the store holds, whatever it shows now; says what there was to do.

    `uri` names an MLflow other than the study's tracker.

    Raises:
        StudyError: the study has no tracker, another process works on it, or the tracker cannot be reached.
    """
    tracker = tracker_to_sync(study, uri)
    with _alone(study), tempfile.TemporaryDirectory() as folder:
        try:
            return _synced(study, tracker, Path(folder))
        except TrackerError:
            raise
        except (KeyboardInterrupt, StudyError):
            raise
        except Exception as error:  # the boundary to foreign code, which may raise anything
            reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
            raise StudyError(
                f"tracker {masked(tracker.name)} was not completed: {masked(reason)}; sync again once it works"
            ) from error
        finally:
            tracker.close()


def tracker_to_sync(study: Study, uri: str | None = None) -> Tracker:
    """The tracker of the study, or MLflow at another place, in the experiment that the study names.

    Raises:
        StudyError: neither is there.
    """
    spec = study.config.tracker
    if uri is not None:
        known = spec if spec and spec["name"] == "mlflow" else {}
        spec = {**known, "name": "mlflow", "uri": resolve_url(uri, Path.cwd())}
    tracker = tracker_of(spec)
    if tracker is None:
        raise StudyError(f"study {study.name!r} has no tracker to sync; name an MLflow with --uri")
    return tracker


def _synced(study: Study, tracker: Tracker, folder: Path) -> Synced:
    trials = study.store.trials(study.name, finished_after=0)
    course = StudyCourse(study.objectives)
    readings = course.tell(trials)
    is_spent = not study.budget.allows(spent(trials))
    synced = tracker.sync(
        study.record,
        trials,
        readings=readings,
        tags=course.changed_tags(is_complete=True),
        summary=summary_of(study, folder, status="FINISHED" if is_spent else "KILLED"),
    )
    study.store.move_cursor(study.name, synced.entry, len(trials))
    return synced


@contextmanager
def _alone(study: Study) -> Iterator[None]:
    """Keeps searches out meanwhile, as their mirror and this one would give a trial two entries.

    Raises:
        StudyError: another process drives the study.
    """
    lock = StudyLock(study.record.uid, "driver")
    is_free = lock.acquire(study.worker)
    try:
        drivers = [one for one in study.store.workers(study.name) if keeps_driver_out(one, study.worker)]
        if drivers or not is_free:
            raise StudyError(
                f"study {study.name!r} is being worked on by process {(drivers or [lock.holder()])[0]}, which shows "
                "it in its tracker itself; wait for it, or end it, and sync again"
            )
        yield
    finally:
        lock.release()
