"""Where studies stand, as plain facts for the command line and the tracker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from automl._checkpoint import Checkpoint
from automl._errors import StudyError
from automl._method_stage import checkpoint_folder, method_trial
from automl._read_out import read_out_of, verdict_of, words_of
from automl._rows import trial_row
from automl.budget import spent
from automl.control import control_name, control_of, control_words, gain
from automl.front import best as best_in
from automl.front import front, searched
from automl.opening import existing_store
from automl.study import Study
from evaluators import Objective, Trial


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
                "searcher": (record.config.get("method") or record.config.get("searcher") or {}).get("name"),
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
    states = Counter(trial.state.value for trial in trials if trial.stage == "search")
    used = spent(trials)
    limit = study.config.budget.trials
    best = front(searched(trials), study.objectives)[:1]
    return {
        "name": study.name,
        "problem": study.record.problem,
        "searcher": study.config.search_name(),
        **_method_facts(study, trials),
        "complete": states["COMPLETE"],
        "failed": states["FAIL"],
        "pruned": states["PRUNED"],
        "running": states["RUNNING"],
        "waiting": states["WAITING"],
        "trials_left": None if limit is None else max(0, limit - used.trials),
        "seconds": round(used.seconds, 1),
        "rows": used.rows,
        **_best_facts(best, study.objectives[0].metric),
        **_control_facts(trials, best, study.objectives[0]),
        **_best_baseline(trials, study.objectives[0]),
    }


def gains_of(study: Study, trials: Sequence[Trial]) -> str:
    """In words, which control the gains of a study refer to and how sure they are; `trials` are all it has."""
    return control_words(control_of(trials, study.objectives), study.objectives[0])


def closing_gain(study: Study) -> str:
    """The best trial's gain, for the line that ends a search; empty where there is none to tell."""
    trials, objective = study.trials, study.objectives[0]
    control = control_of(trials, study.objectives)
    best = front(searched(trials), study.objectives)[:1]
    gained = gain(best[0], control, objective) if best else None
    if gained is None or control is None:
        return ""
    how = "better" if gained >= 0 else "worse"
    return f"{abs(gained):.2f} % {how} than the control, {control_name(control)} (single trainings)"


def trial_of(study: Study, number: int) -> dict[str, Any]:
    """One trial in full.

    Raises:
        StudyError: the study has no trial of that number.
    """
    trials = study.trials
    if not 0 <= number < len(trials):
        raise StudyError(f"study {study.name!r} has trials 0 to {len(trials) - 1}, but {number} was asked for")
    trial = trials[number]
    control = control_of(trials, study.objectives)
    return {
        **trial_row(trial, control=control, objective=study.objectives[0]),
        "control": control.number if control else None,
        "suggestion": trial.suggestion.to_dict(),
        **({"verdict": verdict} if (verdict := verdict_of(trial)) else {}),
        "evaluation": trial.evaluation.to_dict() if trial.evaluation else None,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }


def _method_facts(study: Study, trials: Sequence[Trial]) -> dict[str, Any]:
    """How far the study's method is; nothing where it has none."""
    if study.config.method is None:
        return {}
    ended = method_trial(trials)
    if ended is not None:
        words = {"method_verdict": "; ".join(told)} if (told := words_of(ended)) else {}
        return {"method": f"has read out {len(read_out_of(ended))} candidates", **words}
    accounts = Checkpoint(checkpoint_folder(study.record.uid)).accounts
    told = [f"{phase} {one.steps} steps, {one.rows} rows, {one.seconds:.0f} s" for phase, one in accounts.items()]
    return {"method": "; ".join(told) or "has not begun here"}


def _best_facts(best: list[Trial], metric: str) -> dict[str, Any]:
    if not best:
        return {"best_number": None, f"best_{metric}": None}
    return {"best_number": best[0].number, f"best_{metric}": best[0].value(metric)}


def _control_facts(trials: list[Trial], best: list[Trial], objective: Objective) -> dict[str, Any]:
    """What gains refer to: the control, its value and standard error, and the best trial's gain over it."""
    control = control_of(trials, (objective,))
    if control is None:
        return {"control": None, "gain_percent": None}
    measured = control.evaluation.metrics.get(objective.metric) if control.evaluation else None
    return {
        "control": control.suggestion.origin,
        "control_number": control.number,
        "control_state": control.state.value,
        f"control_{objective.metric}": measured.value if measured else None,
        f"control_{objective.metric}_stderr": measured.stderr if measured else None,
        "gain_percent": gain(best[0], control, objective) if best else None,
    }


def _best_baseline(trials: list[Trial], objective: Objective) -> dict[str, Any]:
    """The best of all baselines: where the user's own is the control, a human-made one may still be better."""
    found = best_in((one for one in trials if one.stage == "baseline"), Objective(objective.metric, objective.goal))
    if found is None:
        return {}
    return {"best_baseline": found.suggestion.origin, f"baseline_{objective.metric}": found.value(objective.metric)}
