"""Where studies stand, as plain facts for the command line and the tracker."""

from __future__ import annotations

from collections import Counter
from typing import Any

from automl._errors import StudyError
from automl._rows import trial_row
from automl.budget import spent
from automl.front import front
from automl.opening import existing_store
from automl.study import Study
from evaluators import Trial


def study_rows(storage: str | None) -> list[dict[str, Any]]:
    """One row a study of the store: name, problem, seed, searcher, trials by state."""
    store = existing_store(storage)
    rows = []
    for record in store.studies():
        states = Counter(trial.state.value for trial in store.trials(record.name) if trial.stage == "search")
        rows.append(
            {
                "name": record.name,
                "problem": record.problem,
                "searcher": record.config.get("searcher", {}).get("name"),
                "seed": record.seed,
                "complete": states["COMPLETE"],
                "failed": states["FAIL"],
                "unfinished": states["WAITING"] + states["RUNNING"],
                "uid": record.uid,
            }
        )
    store.close()
    return rows


def status_of(study: Study) -> dict[str, Any]:
    """Trials by state, what is best, what is spent and left."""
    trials = study.trials
    searched = [trial for trial in trials if trial.stage == "search"]
    states = Counter(trial.state.value for trial in searched)
    used = spent(trials)
    limit = study.config.budget.trials
    best = front(searched, study.objectives)[:1]
    return {
        "name": study.name,
        "problem": study.record.problem,
        "searcher": study.config.searcher["name"],
        "complete": states["COMPLETE"],
        "failed": states["FAIL"],
        "pruned": states["PRUNED"],
        "running": states["RUNNING"],
        "waiting": states["WAITING"],
        "trials_left": None if limit is None else max(0, limit - used.trials),
        "seconds": round(used.seconds, 1),
        **_best_facts(best, study.objectives[0].metric),
        **_best_baseline(trials, study),
    }


def trial_of(study: Study, number: int) -> dict[str, Any]:
    """One trial in full.

    Raises:
        StudyError: the study has no trial of that number.
    """
    trials = study.trials
    if not 0 <= number < len(trials):
        raise StudyError(f"study {study.name!r} has trials 0 to {len(trials) - 1}, but {number} was asked for")
    trial = trials[number]
    return {
        **trial_row(trial),
        "suggestion": trial.suggestion.to_dict(),
        "evaluation": trial.evaluation.to_dict() if trial.evaluation else None,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }


def _best_facts(best: list[Trial], metric: str) -> dict[str, Any]:
    if not best:
        return {"best_number": None, f"best_{metric}": None}
    return {"best_number": best[0].number, f"best_{metric}": best[0].value(metric)}


def _best_baseline(trials: list[Trial], study: Study) -> dict[str, Any]:
    objective = study.objectives[0]
    measured = [
        (objective.loss(value), trial)
        for trial in trials
        if trial.stage == "baseline" and (value := trial.value(objective.metric)) is not None
    ]
    if not measured:
        return {}
    _, trial = min(measured, key=lambda pair: (pair[0], pair[1].number))
    return {"best_baseline": trial.suggestion.origin, f"baseline_{objective.metric}": trial.value(objective.metric)}
