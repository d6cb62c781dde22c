"""The table of tuned baselines, as a pure function of the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import Any

from automl.tuning._contenders import Contender
from automl.tuning._course import FIRST_FRESH, TUNED_STAGE, TuningPlan, tuning_of, winner_of
from evaluators import Trial, TrialState
from searchspaces import Candidate

COSTS = ("auc", "flops", "params")


def tuned_rows(
    trials: Sequence[Trial], plan: TuningPlan, contenders: Sequence[Contender], *, seeds: int
) -> list[dict[str, Any]]:
    """One row a model as JSON types, best mean first; null where nothing is known.

    `trials` is what its tuning took, `settings` how many different ones that were. The metric is the mean over the
    fresh replicates with their standard deviation (`_sd`); `_stderr` is the error that one evaluation has by its rows.
    """
    rows = [_row(trials, plan, one, seeds) for one in contenders]
    objective = plan.objective
    known = [row for row in rows if row[objective.metric] is not None]
    return [
        *sorted(known, key=lambda row: objective.loss(row[objective.metric])),
        *(row for row in rows if row[objective.metric] is None),
    ]


def tuned_words(rows: Sequence[dict[str, Any]], plan: TuningPlan, *, seeds: int) -> list[str]:
    """What the table means, and what it lacks."""
    metric, used = plan.objective.metric, sum(row["trials"] for row in rows)
    words = [
        f"{len(rows)} models tuned with {used} trials in all; {metric} is the mean over {seeds} fresh replicates of "
        "each winner on the validation part, the part that tuning chose by; the test part has not been opened"
    ]
    words += [
        f"{row['model']}: {row['seeds']} of {seeds} fresh replicates are complete"
        for row in rows
        if row["seeds"] < seeds
    ]
    return words


def _row(trials: Sequence[Trial], plan: TuningPlan, contender: Contender, seeds: int) -> dict[str, Any]:
    tuning = tuning_of(trials, contender)
    winner = winner_of(trials, plan, contender)
    fresh = _fresh(trials, contender, winner, seeds)
    metric = plan.objective.metric
    return {
        "model": contender.name.removeprefix("zoo:"),
        metric: _mean(fresh, metric),
        f"{metric}_sd": _deviation(fresh, metric),
        f"{metric}_stderr": _error(fresh, metric),
        **{name: _mean(fresh, name) for name in COSTS if name != metric},
        "seconds": fmean(one.evaluation.seconds for one in fresh if one.evaluation) if fresh else None,
        "seeds": len(fresh),
        "trials": len(tuning),
        "settings": len({one.candidate.fingerprint for one in tuning}),
        "failed": sum(one.failure is not None for one in tuning),
        "replicates": [one.value(metric) for one in fresh],
        "setting": "" if winner is None else " ".join(_differences(winner, contender.first)) or "its own",
        "candidate": None if winner is None else winner.to_dict(),
    }


def _fresh(trials: Sequence[Trial], contender: Contender, winner: Candidate | None, seeds: int) -> list[Trial]:
    if winner is None:
        return []
    return [
        one
        for one in trials
        if one.stage == TUNED_STAGE
        and one.state is TrialState.COMPLETE
        and one.suggestion.origin == contender.name
        and one.candidate.fingerprint == winner.fingerprint
        and one.suggestion.replicate < FIRST_FRESH + seeds
    ]


def _values(trials: Sequence[Trial], metric: str) -> list[float]:
    return [value for one in trials if (value := one.value(metric)) is not None]


def _mean(trials: Sequence[Trial], metric: str) -> float | None:
    values = _values(trials, metric)
    return fmean(values) if values else None


def _deviation(trials: Sequence[Trial], metric: str) -> float | None:
    values = _values(trials, metric)
    return stdev(values) if len(values) > 1 else None


def _error(trials: Sequence[Trial], metric: str) -> float | None:
    measured = [one.evaluation.metrics[metric] for one in trials if one.evaluation and metric in one.evaluation.metrics]
    errors = [one.stderr for one in measured if one.stderr is not None]
    return fmean(errors) if errors else None


def _differences(candidate: Candidate, first: Candidate) -> Iterator[str]:
    """What a setting says that the model's first one does not."""
    for name, value in candidate.training.items():
        if first.training.get(name) != value:
            yield f"{name}={value}"
    if candidate.architecture is None or first.architecture is None:
        return
    told: dict[str, None] = {}
    for node, other in zip(candidate.architecture.nodes, first.architecture.nodes, strict=True):
        for name, value in node.options.items():
            if other.options.get(name) != value:
                text = "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
                told[f"{node.block}.{name}={text}"] = None
    yield from told
