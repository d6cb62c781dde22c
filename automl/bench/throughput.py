"""Trials per second of many workers on one store, beside Optuna's storages under as many processes."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend

from automl.bench._timing import machine
from automl.local_workers import LocalLauncher
from automl.opening import create_study
from automl.validation import prepare
from automl.workers import Crew
from evaluators import Trial

STUDY = "throughput"
PARAMETERS = 10
PATIENCE_SECONDS = 300
"""How long a peer waits for a lock of SQLite: its default of 5 seconds ends processes under this load."""


def throughput(
    *,
    trials: int,
    workers: int,
    storage: str | None = None,
    peer_trials: int | None = None,
    searcher: str = "random_search",
) -> dict[str, Any]:
    """Runs `trials` trials that take no time by `workers` processes, ours and Optuna's, one system after the other.

    `peer_trials` spares patience: as many for each of Optuna's storages, by default as many as ours.

    Ours propose architectures; Optuna's random sampler draws ten floats, which is less work. `trials_per_second`
    counts from the first trial's start to the last one's end, `seconds` from the first process's start.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data = str(prepare("synthetic", out=place / "data", options={"rows": 2000}).folder)
        urls = {"sqlite": f"sqlite:///{place / 'ours.db'}"} | ({"postgresql": storage} if storage else {})
        ours = {f"automl on {name}": _ours(url, data, searcher, trials, workers=workers) for name, url in urls.items()}
        peers = {
            f"optuna {kind} on a file": _peer(kind, place, peer_trials or trials, workers)
            for kind in ("RDBStorage", "JournalStorage")
        }
    return {
        "trials": trials,
        "peer_trials": peer_trials or trials,
        "workers": workers,
        "searcher": searcher,
        "machine": {**machine(), "optuna": optuna.__version__},
        **ours,
        **peers,
        "ratios": _ratios(ours, peers),
    }


def _ours(url: str, data: str, searcher: str, trials: int, *, workers: int) -> dict[str, Any]:
    study = create_study(
        f"{STUDY}-{time.time_ns()}",
        data=data,
        storage=url,
        searcher={"name": searcher},
        evaluator={"name": "planted"},
        budget={"trials": trials},
        baselines=[],
    )
    launcher = LocalLauncher(study.name, storage=url, driver=study.worker, workers=workers)
    seconds = _timed(Crew(study, launcher, workers=workers).run)
    done = study.trials
    study.close()
    return {
        **_speed(seconds, [(one.started_at or 0.0, one.finished_at or 0.0) for one in done]),
        "finished": sum(trial.state.is_finished for trial in done),
        "doubled_numbers": _doubled(trial.number for trial in done),
        "doubled_identities": _doubled(trial.suggestion.identity for trial in done),
        "largest_number": max(trial.number for trial in done),
        "share_seen_when_asked": _seen(done),
    }


def _seen(trials: Sequence[Trial]) -> float:
    """Of the trials that had begun when a trial was asked for, the share that had ended: what a searcher could know."""
    ends = sorted(one.finished_at or 0.0 for one in trials)
    shares, ended = [], 0
    for one in sorted(trials, key=lambda trial: trial.number):
        while ended < len(ends) and ends[ended] <= (one.started_at or 0.0):
            ended += 1
        shares.append(ended / max(one.number, 1))
    return round(sum(shares) / len(shares), 4)


def _peer(kind: str, place: Path, trials: int, workers: int) -> dict[str, Any]:
    storage = _storage(kind, place)
    optuna.create_study(study_name=STUDY, storage=storage)
    shares = [trials // workers + (position < trials % workers) for position in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        seconds = _timed(partial(_all, pool, partial(_work, kind, place), shares))
    done = optuna.load_study(study_name=STUDY, storage=storage).get_trials(deepcopy=False)
    times = [(_epoch(one.datetime_start), _epoch(one.datetime_complete)) for one in done]
    return {
        **_speed(seconds, times),
        "finished": sum(trial.state.is_finished() for trial in done),
        "doubled_numbers": _doubled(trial.number for trial in done),
    }


def _storage(kind: str, place: Path) -> optuna.storages.BaseStorage:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if kind == "RDBStorage":
        url = f"sqlite:///{place / 'optuna.db'}"
        return optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": PATIENCE_SECONDS}})
    backend = JournalFileBackend(str(place / "optuna.journal"))
    return optuna.storages.JournalStorage(backend)


def _work(kind: str, place: Path, trials: int) -> None:
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name=STUDY, storage=_storage(kind, place), sampler=sampler)
    study.optimize(_objective, n_trials=trials)


def _objective(trial: optuna.Trial) -> float:
    return sum(trial.suggest_float(f"x{position}", 0.0, 1.0) for position in range(PARAMETERS))


def _all(pool: ProcessPoolExecutor, work: Callable[[int], None], shares: Sequence[int]) -> None:
    list(pool.map(work, shares))


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _epoch(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _speed(seconds: float, times: Sequence[tuple[float, float]]) -> dict[str, float]:
    span = max(ended for _, ended in times) - min(started for started, _ in times)
    return {"seconds": round(seconds, 2), "trials_per_second": round(len(times) / span, 1)}


def _doubled(values: Iterable[object]) -> int:
    return sum(count - 1 for count in Counter(values).values())


def _ratios(ours: dict[str, Any], peers: dict[str, Any]) -> dict[str, float]:
    return {
        f"{name} / {peer}": round(speed["trials_per_second"] / other["trials_per_second"], 2)
        for name, speed in ours.items()
        for peer, other in peers.items()
    }
