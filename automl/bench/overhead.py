"""What the platform itself costs a trial: ask, store, tracker, lists, at the 10th trial and at the last."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from automl._rows import trial_rows
from automl._searcher import Searcher
from automl.bench._timing import Timed, machine, timed
from automl.course import StudyCourse
from automl.opening import create_study, load_study
from automl.study import Study
from automl.summary import status_of
from automl.syncing import sync
from automl.validation import prepare
from storage import Mirror, Tracker, TrialStore

WINDOW = 10


def overhead(*, trials: int, searcher: str, folder: Path | None = None) -> dict[str, Any]:
    """Runs `trials` planted evaluations through the real loop and store, then mirrors them; milliseconds by part.

    `first` and `last` are medians over the first and the last `WINDOW` trials. The tracker runs after the loop:
    planted trials take no time, so beside it the two would fight for one interpreter as no real search does.
    """
    with _workplace(folder) as place:
        study = _study(place, searcher)
        asked, stored = Timed(study.wiring.searcher), Timed(study.store)
        timed_wiring = replace(study.wiring, searcher=cast(Searcher, asked), tracker=None)
        measured = Study(study.record, cast(TrialStore, stored), lambda _: timed_wiring)
        seconds = _run(measured, trials)
        shown, at_end = _tracker(study)
        return {
            "trials": trials,
            "searcher": searcher,
            "machine": machine(),
            "loop_seconds": round(seconds, 2),
            "ask_ms": _windows(asked.seconds("ask")),
            "store_ms_per_trial": _windows(_per_trial(stored.calls)),
            "lists_ms": _lists(study),
            "tracker_ms_per_trial": shown,
            "tracker_ms_at_end": at_end,
            "sync_trials_per_second": _sync(study, place),
        }


def _study(place: Path, searcher: str) -> Study:
    data = prepare("synthetic", out=place / "data", options={"rows": 2000})
    return create_study(
        "overhead",
        data=data.folder,
        storage=f"sqlite:///{place / 'automl.db'}",
        searcher={"name": searcher},
        evaluator={"name": "planted"},
        tracker={"name": "mlflow", "uri": f"sqlite:///{place / 'mlflow.db'}"},
        baselines=[],
    )


def _run(study: Study, trials: int) -> float:
    started = time.perf_counter()
    study.optimize(trials)
    return time.perf_counter() - started


def _lists(study: Study) -> dict[str, float]:
    """Each list on a store that has just been opened, as a command does."""
    views: dict[str, Callable[[Study], object]] = {
        "front": lambda opened: trial_rows(opened.best_trials),
        "trials": lambda opened: trial_rows(opened.trials),
        "status": status_of,
    }
    return {name: round(1000 * timed(partial(_viewed, study, view)), 1) for name, view in views.items()}


def _viewed(study: Study, view: Callable[[Study], object]) -> None:
    opened = load_study(study.name, storage=study.config.storage)
    view(opened)
    opened.close()


def _tracker(study: Study) -> tuple[dict[str, float], float]:
    """Mirrors the whole study into a fresh MLflow store, one trial a batch, off the path of the search.

    Milliseconds a trial, and how many of them were spent at the end, on ranks that later trials have changed.
    """
    tracker = Timed(study.wiring.tracker)
    course = StudyCourse(study.objectives)
    mirror = Mirror(study.store, cast(Tracker, tracker), study.name, course, batch=1)
    mirror.start()
    mirror.drain(timeout_seconds=3600)
    mirror.stop()
    return _windows(_shown(tracker.calls)), round(1000 * _last_update(tracker.calls), 1)


def _sync(study: Study, place: Path) -> float:
    """Trials a second that `track sync` writes into an empty MLflow store."""
    started = time.perf_counter()
    synced = sync(study, uri=f"sqlite:///{place / 'synced.db'}")
    return round(synced.created / (time.perf_counter() - started), 1)


def _shown(calls: Sequence[tuple[str, float]]) -> list[float]:
    """Tracker time of each trial: its `log` and the `update` after it; the last update is that of the end."""
    found: list[float] = []
    for method, seconds in _without_end(calls):
        if method == "log":
            found.append(seconds)
        elif method == "update":
            found[-1] += seconds
    return found


def _without_end(calls: Sequence[tuple[str, float]]) -> Sequence[tuple[str, float]]:
    logs = [place for place, (method, _) in enumerate(calls) if method == "log"]
    return calls[: logs[-1] + 2]


def _last_update(calls: Sequence[tuple[str, float]]) -> float:
    return sum(seconds for method, seconds in calls[len(_without_end(calls)) :] if method == "update")


def _per_trial(calls: Sequence[tuple[str, float]]) -> list[float]:
    """Store time on the path of each trial: every call from one `finish` to the next, that one included."""
    found = [0.0]
    for method, seconds in calls:
        found[-1] += seconds
        if method == "finish":
            found.append(0.0)
    return found[:-1]


def _windows(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "first": round(1000 * float(np.median(seconds[:WINDOW])), 2),
        "last": round(1000 * float(np.median(seconds[-WINDOW:])), 2),
        "worst": round(1000 * float(np.max(seconds)), 2),
    }


@contextmanager
def _workplace(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)
