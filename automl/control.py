"""The control of a study and the gain of a trial over it: what every reported improvement refers to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from automl.front import best
from evaluators import Objective, Trial

BASELINE_ORIGIN = "baseline"
"""Origin of the trial that measures the user's own model."""

QUALITY_METRICS = ("ne", "logloss", "auc", "supernet_ne", "supernet_auc", "short_ne")
"""What tells how good predictions are, the most telling first."""


def control_of(trials: Iterable[Trial], objectives: Sequence[Objective]) -> Trial | None:
    """The user's own baseline in any state, else the best complete human-made one on the first objective.

    A user's baseline that has failed stays the control, and no trial has a gain over it: another reference
    would answer another question. Bounds do not matter: a control need not be a permitted winner.
    """
    baselines = [trial for trial in trials if trial.stage == "baseline"]
    for trial in baselines:
        if trial.suggestion.origin == BASELINE_ORIGIN:
            return trial
    return best(baselines, Objective(objectives[0].metric, objectives[0].goal)) if objectives else None


def gain(trial: Trial, control: Trial | None, objective: Objective) -> float | None:
    """How much better a trial is than the control, in percent of the control's value; negative where worse.

    None where either has no value, where the control's is zero, and for a trial of a cheap rung: controls are full
    trainings.
    """
    ours = trial.value(objective.metric)
    theirs = control.value(objective.metric) if control else None
    if ours is None or not theirs or not trial.suggestion.fidelity.is_full:
        return None
    return 100.0 * (objective.loss(theirs) - objective.loss(ours)) / abs(theirs)


def quality_objective(objectives: Sequence[Objective]) -> Objective:
    """The objective that measures the quality of predictions; the first one where none does."""
    by_metric = {objective.metric: objective for objective in objectives}
    return next((by_metric[metric] for metric in QUALITY_METRICS if metric in by_metric), objectives[0])


def control_name(control: Trial) -> str:
    """What people call it: 'your baseline', or where it comes from."""
    return "your baseline" if control.suggestion.origin == BASELINE_ORIGIN else control.suggestion.origin


def control_words(control: Trial | None, objective: Objective) -> str:
    """Which trial gains refer to, with its value and standard error, and what a gain must not be taken for."""
    if control is None:
        return "no gains: the study has no baseline yet"
    name = control_name(control)
    measured = control.evaluation.metrics.get(objective.metric) if control.evaluation else None
    if measured is None:
        return f"no gains: the control, {name} (trial {control.number}), has no {objective.metric} ({_state(control)})"
    error = "" if measured.stderr is None else f" ± {measured.stderr:.2g}"
    return (
        f"gains over the control, {name} (trial {control.number}, {objective.metric} {measured.value:.5g}{error}); "
        "single trainings have noise, so a small gain may be none"
    )


def _state(control: Trial) -> str:
    return f"{control.state.value}: {control.failure.reason}" if control.failure else control.state.value
