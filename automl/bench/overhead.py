"""What the platform itself costs a trial: ask, store, tracker, lists, at the 10th trial and at the last."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from automl._rows import trial_rows
from automl._searcher import Searcher
from automl.bench._timing import Timed, machine, timed
from automl.opening import create_study, load_study
from automl.study import Study
from automl.summary import status_of
from automl.validation import prepare
from storage import Mirror, StudyRecord, Tracker, TrialStore

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
        return {
            "trials": trials,
            "searcher": searcher,
            "machine": machine(),
            "loop_seconds": round(seconds, 2),
            "ask_ms": _windows(asked.seconds("ask")),
            "store_ms_per_trial": _windows(_per_trial(stored.calls)),
            "lists_ms": _lists(study),
            "tracker_ms_per_trial": _tracker(study),
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


def _tracker(study: Study) -> dict[str, float]:
    """Mirrors the whole study into a fresh MLflow store, one batch a trial, off the path of the search."""
    tracker = Timed(study.wiring.tracker)
    mirror = Mirror(study.store, cast(Tracker, _OneByOne(tracker)), study.name, study.objectives)
    mirror.start()
    mirror.drain(timeout_seconds=3600)
    mirror.stop()
    return _windows(tracker.seconds("log"))


class _OneByOne:
    """Hands trials on one at a time, so that each is timed."""

    def __init__(self, tracker: Timed) -> None:
        self._tracker = tracker

    @property
    def name(self) -> str:
        return str(self._tracker.name)

    def open(self, record: StudyRecord, objectives: Sequence[Any]) -> str:
        return str(self._tracker.open(record, objectives))

    def log(self, trials: Sequence[Any]) -> None:
        for trial in trials:
            self._tracker.log([trial])

    def summarize(self, *, status: str, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        self._tracker.summarize(status=status, metrics=metrics, files=files)

    def close(self) -> None:
        self._tracker.close()


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
