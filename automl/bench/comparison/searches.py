"""The searches that are compared: each a study in a store of its own, with a budget in trials or in CPU time."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from automl._files import write_text
from automl.opening import create_study
from automl.study import Study
from evaluators import Trial

LOG = logging.getLogger("automl")

ENDLESS = 1_000_000
"""Trials of a search that CPU time ends, until it is known how many it has time for."""

FORESEEN = 0.9
"""Share of its CPU time after which that is known: a searcher may plan its end by the number of trials."""


@dataclass(frozen=True)
class Plan:
    """What is compared; everything in `folder` is found again, so the same plan goes on where it stopped.

    searchers    by name
    trials       of a search, as long as `minutes` does not say when it ends: CPU time of this process and of its
                 children, in minutes; the trial that crosses the limit counts. How many trials a searcher is told to
                 plan for is known after nine tenths of it
    seed, runs   the first seed of the searches, and how many there are
    seeds        trainings of each finalist, on the test part
    rows         of a training in a search; None takes all
    """

    data: str
    folder: Path
    searchers: tuple[str, ...] = ("autoctr", "random_search")
    trials: int = 100
    seed: int = 1
    seeds: int = 5
    threads: int | None = None
    runs: int = 1
    minutes: float | None = None
    rows: int | None = None


def searched(plan: Plan, searcher: str, seed: int) -> Study:
    """The study of a searcher and a seed at the end of its budget."""
    if plan.minutes is None:
        study = _opened(plan, searcher, seed, plan.trials)
        study.set_trials(plan.trials)
        return _advanced(plan, study, None)
    study, seconds = _opened(plan, searcher, seed, ENDLESS), 60.0 * plan.minutes
    if study.budget.trials == ENDLESS:
        _advanced(plan, study, FORESEEN * seconds)
        study.set_trials(math.ceil(sum(trial.stage == "search" for trial in study.trials) / FORESEEN))
    trials = study.budget.trials or ENDLESS
    study.close()
    return _advanced(plan, _opened(plan, searcher, seed, trials), seconds)


def _opened(plan: Plan, searcher: str, seed: int, trials: int) -> Study:
    return create_study(
        f"{searcher}-{seed}",
        data=plan.data,
        seed=seed,
        storage=f"sqlite:///{plan.folder / 'automl.db'}",
        searcher={"name": searcher},
        evaluator={"name": "train", "threads": plan.threads, "rows": plan.rows},
        budget={"trials": trials},
        load_if_exists=True,
    )


def _advanced(plan: Plan, study: Study, seconds: float | None) -> Study:
    """The same study, after so many seconds of CPU or at the end of its trials."""
    meter = Meter(plan.folder / f"cpu-{study.name}.json", seconds)
    if not meter.is_spent:
        study.optimize(callbacks=[meter])
    study.wiring.evaluator.close()
    return study


class Meter:
    """Counts the CPU seconds of this process and its children over all sessions of a search, and ends it in time."""

    def __init__(self, file: Path, limit: float | None) -> None:
        self._file = file
        self._limit = limit
        self._before: float = json.loads(file.read_text(encoding="utf-8")) if file.exists() else 0.0
        self._at_start, self._most = cpu_seconds(), self._before

    def __call__(self, study: Study, trial: Trial) -> None:
        """After each trial of the study."""
        write_text(self._file, json.dumps(self.seconds))
        LOG.info("%s %d: ne %s, %.0f s of CPU", study.name, trial.number, trial.value("ne"), self.seconds)
        if self.is_spent:
            study.stop()

    @property
    def seconds(self) -> float:
        """So far, in all sessions; it never falls, though a child that nobody waits for takes its time with it."""
        self._most = max(self._most, self._before + cpu_seconds() - self._at_start)
        return self._most

    @property
    def is_spent(self) -> bool:
        """Whether the limit is reached."""
        return self._limit is not None and self.seconds >= self._limit


def cpu_seconds() -> float:
    """Of this process, and of its children whether they live or not."""
    me = psutil.Process()
    own = me.cpu_times()
    found = own.user + own.system + own.children_user + own.children_system
    for child in me.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:  # it has just ended
            continue
        found += times.user + times.system + times.children_user + times.children_system
    return float(found)


def facts(plan: Plan, study: Study) -> dict[str, Any]:
    """What a search did: trials, rows and seconds, and how its median moved."""
    trials = [trial for trial in study.trials if trial.stage == "search"]
    values = [trial.value("ne") or np.inf for trial in trials]
    done = [trial.evaluation for trial in trials if trial.evaluation]
    spent = plan.folder / f"cpu-{study.name}.json"
    return {
        "trials": len(trials),
        "failed": sum(trial.failure is not None for trial in trials),
        "best_valid_ne": min(values),
        "best_at": int(np.argmin(values)) + 1,
        "median_valid_ne_by_20": [round(float(np.median(values[at : at + 20])), 4) for at in range(0, len(values), 20)],
        "rows_trained": sum(one.curve[-1].rows for one in done if one.curve),
        "training_seconds": round(sum(one.seconds for one in done), 1),
        "cpu_seconds": round(json.loads(spent.read_text(encoding="utf-8")), 1) if spent.exists() else None,
        "front": [[trial.number, trial.value("ne"), trial.value("flops")] for trial in study.best_trials],
    }
