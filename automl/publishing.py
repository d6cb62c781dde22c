"""What a study gives away: its winner, its report, its summary in the tracker."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from automl import plugins
from automl._errors import StudyError
from automl._rows import trial_row, trial_rows
from automl._wiring import facts_of
from automl._yaml import to_yaml
from automl.budget import spent
from automl.export import winner_document, write_winner
from automl.front import hypervolume
from automl.report import write_report
from automl.study import DRAIN_SECONDS, Study
from evaluators import Metric, Objective, Trial
from evaluators._training.settings import NAMES, TrainingSettings
from searchspaces import FeatureSchema

LOG = logging.getLogger("automl")


def chosen_trial(study: Study, *, number: int | None = None, max_flops: float | None = None) -> Trial:
    """A finished trial by number, else the best by the first objective, of at most `max_flops` where given.

    Raises:
        StudyError: there is no such trial, or it has no result.
    """
    if number is not None:
        return _numbered(study, number)
    trials = [one for one in study.best_trials if max_flops is None or (one.value("flops") or 0.0) <= max_flops]
    if not trials:
        least = min((one.value("flops") or 0.0 for one in study.best_trials), default=None)
        bound = "" if max_flops is None else f" of at most {max_flops:g} FLOPs"
        cheapest = "" if least is None else f"; the cheapest on the front has {least:g}"
        raise StudyError(f"study {study.name!r} has no feasible trial{bound}{cheapest}")
    return trials[0]


def winner(study: Study, trial: Trial) -> dict[str, Any]:
    """The content of a trial's winner file."""
    data = facts_of(study.record, "data")
    options = plugins.options("evaluator", study.config.evaluator)
    given = {name: value for name, value in options.items() if name in NAMES}
    return winner_document(
        study.record,
        trial,
        dataset={"name": data.get("name"), "digest": data.get("digest")},
        schema=FeatureSchema.from_dict(data["schema"]),
        training=asdict(TrainingSettings(**given)),
        created=datetime.now(UTC),
    )


def write_study_report(study: Study, path: Path) -> Path:
    """Writes the study's HTML report."""
    schema = facts_of(study.record, "data").get("schema")
    return write_report(
        path,
        record=study.record,
        trials=study.trials,
        objectives=study.objectives,
        schema=FeatureSchema.from_dict(schema) if schema else None,
    )


def publish(study: Study, *, status: str = "FINISHED") -> None:
    """Ends the study's entry in its tracker with metrics, report, front, leaderboard, settings and winner.

    `status` is FINISHED, FAILED or KILLED. Nothing happens where the study has no tracker.
    """
    mirror = study.mirror
    if mirror is None:
        return
    if not mirror.drain(timeout_seconds=DRAIN_SECONDS):
        LOG.warning("the tracker does not keep up or does not answer; the next resume completes it")
        return
    with tempfile.TemporaryDirectory() as folder:
        mirror.summarize(status=status, metrics=summary_metrics(study), files=_files(study, Path(folder)))


def summary_metrics(study: Study) -> dict[str, float]:
    """Best value of each objective, hypervolume of the front, trials and seconds."""
    best = study.best_trials
    used = spent(study.trials)
    found = {f"best/{one.metric}": value for one in study.objectives for value in _best_values(best, one)}
    found |= {"trials/finished": float(used.trials), "cost/seconds": used.seconds, "front/size": float(len(best))}
    found |= {f"winner/{name}": metric.value for name, metric in _winner_metrics(best)}
    return found | _hypervolume(study, best)


def _winner_metrics(best: Sequence[Trial]) -> list[tuple[str, Metric]]:
    return list(best[0].evaluation.metrics.items()) if best and best[0].evaluation else []


def _best_values(trials: Sequence[Trial], objective: Objective) -> list[float]:
    values = [value for trial in trials if (value := trial.value(objective.metric)) is not None]
    return [min(values, key=objective.loss)] if values else []


def _hypervolume(study: Study, best: Sequence[Trial]) -> dict[str, float]:
    """Of the front, each axis scaled to the values seen in this study: comparable along a study, not between two."""
    if not best or len(study.objectives) not in (2, 3):
        return {}
    complete = [trial for trial in study.trials if trial.stage == "search" and _has_all(trial, study.objectives)]
    axes = [[one.loss(trial.value(one.metric) or 0.0) for one in study.objectives] for trial in (*best, *complete)]
    losses = np.asarray(axes)
    low, high = losses.min(axis=0), losses.max(axis=0)
    points = (losses[: len(best)] - low) / np.where(high > low, high - low, 1.0)
    return {"front/relative_hypervolume": float(hypervolume(points, np.ones(len(study.objectives))))}


def _has_all(trial: Trial, objectives: Sequence[Objective]) -> bool:
    return all(trial.value(one.metric) is not None for one in objectives)


def _files(study: Study, folder: Path) -> list[Path]:
    best = study.best_trials
    files = [write_study_report(study, folder / "report.html")]
    files.append(_text(folder / "config.yaml", to_yaml(study.record.config)))
    files.append(_text(folder / "pareto.json", json.dumps(trial_rows(best), indent=2)))
    files.append(_leaderboard(study, folder / "leaderboard.parquet"))
    if best and best[0].candidate.architecture:
        files.append(write_winner(folder / "winner.yaml", winner(study, best[0])))
    return files


def _leaderboard(study: Study, path: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [_flat(trial_row(trial)) for trial in study.trials]
    names = dict.fromkeys(name for row in rows for name in row)  # a failed trial has fewer of them
    parquet.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
    return path


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: " ".join(map(str, value)) if isinstance(value, list) else value for name, value in row.items()}


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _numbered(study: Study, number: int) -> Trial:
    trials = study.trials
    if not 0 <= number < len(trials):
        raise StudyError(f"study {study.name!r} has trials 0 to {len(trials) - 1}, but {number} was asked for")
    if trials[number].evaluation is None:
        raise StudyError(
            f"only a trial with a result can be chosen, but trial {number} is {trials[number].state.value}"
        )
    return trials[number]
