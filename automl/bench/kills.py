"""Kills a search at random moments and resumes it; what is left must equal an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from automl._errors import StudyError
from automl._rows import trial_row
from automl._yaml import to_yaml
from automl.bench._timing import machine
from automl.opening import load_study
from automl.validation import prepare
from evaluators import Trial
from storage import open_store

NAME = "kills"
ROWS, TRAINED_ROWS = 20_000, 6000
"""Of the prepared data, and of those the rows that each trial trains on."""
QUALITY = ("ne", "auc", "flops", "params")


def kills(*, kills: int, trials: int, seed: int, searcher: str = "autoctr") -> dict[str, Any]:
    """Runs one search undisturbed and one under `kill -9` at random moments, with real training and MLflow.

    Returns what was found: trials lost, changed, doubled in the store and in MLflow, and whether the
    proposals are the same.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data = prepare("synthetic", out=place / "data", options={"rows": ROWS})
        calm, rough = (_config(place / name, data.folder, trials, seed, searcher) for name in ("calm", "rough"))
        started = time.time()
        _automl(calm.parent, "search", str(calm)).wait()
        longest = _longest_wait(_trials(calm.parent), started, kills)
        snapshots = _disturb(rough, kills, longest, np.random.default_rng(seed))
        _go_on(rough).wait()
        last = {trial.number: trial for trial in _trials(rough.parent)}
        return {
            "kills": len(snapshots),
            "finished_at_kills": [len(snapshot) for snapshot in snapshots],
            "lost_or_changed": sum(last.get(one.number) != one for snapshot in snapshots for one in snapshot),
            "trials": trials,
            "machine": machine(),
            **_compared(_trials(calm.parent), _trials(rough.parent)),
            **_mirrored(rough.parent),
        }


def _config(folder: Path, data: Path, trials: int, seed: int, searcher: str) -> Path:
    folder.mkdir()
    path = folder / "study.yaml"
    content = {
        "schema_version": 1,
        "study": {"name": NAME, "seed": seed},
        "data": str(data),
        "searcher": {"name": searcher},
        "evaluator": {"name": "train", "device": "cpu", "rows": TRAINED_ROWS},
        "budget": {"trials": trials},
        "storage": "sqlite:///automl.db",
        "tracker": {"name": "mlflow", "uri": "sqlite:///mlflow.db"},
        "baselines": ["logistic_regression"],
    }
    path.write_text(to_yaml(content), encoding="utf-8")
    return path


def _automl(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "automl", *arguments]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})


def _longest_wait(trials: list[Trial], started: float, kills: int) -> float:
    """Seconds below which waits are drawn: a start, and the share of the work between two kills."""
    first = min(trial.started_at or started for trial in trials)
    last = max(trial.finished_at or started for trial in trials)
    return 1.5 * (first - started) + 1.5 * (last - first) / kills


def _go_on(config: Path) -> subprocess.Popen[bytes]:
    verb = ("resume", NAME) if _exists(config.parent) else ("search", str(config))
    return _automl(config.parent, *verb)


def _disturb(config: Path, kills: int, longest: float, rng: np.random.Generator) -> list[list[Trial]]:
    """Kills a living search `kills` times, at moments drawn from its start on; the finished trials at each."""
    snapshots: list[list[Trial]] = []
    while len(snapshots) < kills:
        process = _go_on(config)
        try:
            process.wait(timeout=float(rng.uniform(0.3, longest)))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            known = _trials(config.parent) if _exists(config.parent) else []
            snapshots.append([trial for trial in known if trial.state.is_finished])
    return snapshots


def _exists(folder: Path) -> bool:
    if not (folder / "automl.db").exists():
        return False
    store = open_store(f"sqlite:///{folder / 'automl.db'}")
    try:
        return any(record.name == NAME for record in store.studies())
    finally:
        store.close()


def _trials(folder: Path) -> list[Trial]:
    study = load_study(NAME, storage=f"sqlite:///{folder / 'automl.db'}")
    try:
        return study.trials
    finally:
        study.close()


def _compared(calm: list[Trial], rough: list[Trial]) -> dict[str, Any]:
    identities = Counter((trial.stage, *trial.suggestion.identity) for trial in rough)
    pairs = list(zip(calm, rough, strict=False))
    return {
        "undisturbed_trials": len(calm),
        "disturbed_trials": len(rough),
        "unfinished": sum(not trial.state.is_finished for trial in rough),
        "doubled_in_store": sum(count - 1 for count in identities.values()),
        "other_proposals": sum(one.candidate.fingerprint != other.candidate.fingerprint for one, other in pairs),
        "other_results": sum(_quality(one) != _quality(other) for one, other in pairs),
    }


def _quality(trial: Trial) -> tuple[object, ...]:
    row = trial_row(trial)
    return tuple(row[name] for name in (*QUALITY, "state"))


def _mirrored(folder: Path) -> dict[str, Any]:
    from storage.trackers.mlflow_run import trial_uids

    uids = Counter(trial_uids(f"sqlite:///{folder / 'mlflow.db'}", study=NAME))
    if not uids:
        raise StudyError(f"nothing was mirrored to MLflow; its log is {folder / 'log.txt'}")
    return {"mlflow_runs": sum(uids.values()), "doubled_in_mlflow": sum(count - 1 for count in uids.values())}
