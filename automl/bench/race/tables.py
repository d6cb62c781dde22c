"""The tables of a race, from its log alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.bench.race.comparison import Duel, band, corrected, duel
from automl.bench.race.log import Log
from automl.bench.race.scores import Score, score, stacked

Values = NDArray[np.float64]
Scores = Mapping[str, Mapping[int, Score]]

JUDGED = ("regret by judge", "volume by judge")
CHECKPOINTS = (20, 30, 50, 75, 100, 200, 500, 1000)
REFERENCE = "autoctr"
"""Searcher whose last score is the target of the others, where it is in the race; else the last that is named."""


def scores_of(log: Log) -> Scores:
    """Of each searcher, in the order of the log, by seed."""
    labels = list(dict.fromkeys(one.searcher for one in log.runs))
    trials = log.rules.trials
    return {label: {one.seed: score(log.ground, one, trials=trials) for one in log.of(label)} for label in labels}


def tables(log: Log, *, scores: Scores | None = None) -> dict[str, Any]:
    """Standings of all searchers and duels of the first one with each other one; `scores` are those of the log."""
    scores = scores_of(log) if scores is None else scores
    has_costs = len(log.ground.objectives) > 1
    first = next(iter(scores), "")
    reference = target_searcher(list(scores))
    return {
        "ground": log.ground.name,
        "objectives": [f"{one.goal.value} {one.metric}" for one in log.ground.objectives],
        "candidates": len(log.ground.truth),
        "trials": log.rules.trials,
        "initial": log.rules.initial,
        "target": {"searcher": reference, **_targets(scores, reference, has_costs=has_costs)},
        "standings": [_standing(log, label, scores, reference) for label in scores],
        "challenger": first,
        "duels": [one.to_dict() for one in duels(scores, first, has_costs=has_costs)],
    }


def target_searcher(labels: Sequence[str]) -> str:
    """Whose last score the others are to reach: AutoCTR's as published, its other versions, else the last named."""
    ours = [label for label in labels if label.split(":")[0] == REFERENCE]
    faithful = [label for label in ours if "faithful=true" in label]
    return next(iter([*faithful, *ours]), labels[-1] if labels else "")


def duels(scores: Scores, challenger: str, *, has_costs: bool) -> list[Duel]:
    """Both endpoints after the last trial, over the seeds that both searchers have; the judge's too where it judged."""
    found = []
    for name in ("regret", *(["volume"] if has_costs else []), *JUDGED[: 1 + has_costs]):
        for other in scores:
            seeds = sorted(_judged_or_all(scores, challenger, name) & _judged_or_all(scores, other, name))
            if other != challenger and seeds:
                ours, theirs = (_last([scores[who][at] for at in seeds], name) for who in (challenger, other))
                found.append(duel((challenger, other), name, ours, theirs))
    return corrected(found)


def _judged_or_all(scores: Scores, label: str, name: str) -> set[int]:
    """Seeds of a searcher that have this score."""
    own = scores.get(label, {})
    return {seed for seed, one in own.items() if name not in JUDGED or one.judged}


def _standing(log: Log, label: str, scores: Scores, reference: str) -> dict[str, Any]:
    own = list(scores[label].values())
    runs = log.of(label)
    found: dict[str, Any] = {"searcher": label, "seeds": len(own)}
    for name in ("regret", "gap", *(["volume"] if len(log.ground.objectives) > 1 else [])):
        mean, low, high = band(stacked(own, name))
        found[name] = {"mean": float(mean[-1]), "low": float(low[-1]), "high": float(high[-1])}
        found[name]["median"] = float(np.median(stacked(own, name)[:, -1]))
        marks = [at for at in CHECKPOINTS if at <= len(mean)]
        found[name]["after"] = {str(at): float(mean[at - 1]) for at in marks}
        if name != "gap":
            found[name]["to_target"] = _to_target(own, name, _target(scores, reference, name))
    tried = [one.tried for one in own if one.tried is not None]
    if tried:
        found["volume"]["tried"] = float(np.mean(tried))
    judged = [one.judged for one in own if one.judged]
    if judged:
        found["judged"] = [float(one) for one in np.mean(np.array(judged), axis=0)]
    found["ask_seconds"] = float(np.median([one.ask_seconds for one in runs]))
    found["repeats"] = float(np.mean([one.repeats for one in runs]))
    found["ended_early"] = sum(len(one.rows) < log.rules.trials for one in runs)
    return found


def _to_target(own: Sequence[Score], name: str, target: float) -> dict[str, float]:
    """Trials until the target is reached, a run that never does counting all its trials (restricted mean)."""
    values = stacked(own, name)
    reached = values <= target + 1e-12
    first = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, values.shape[1])
    return {"trials": float(first.mean()), "reached": float(reached.any(axis=1).mean())}


def _targets(scores: Scores, reference: str, *, has_costs: bool) -> dict[str, float]:
    names = ("regret", *(["volume"] if has_costs else [])) if scores else ()
    return {name: _target(scores, reference, name) for name in names}


def _target(scores: Scores, reference: str, name: str) -> float:
    """The mean of the reference searcher after its last trial."""
    return float(_last(list(scores[reference].values()), name).mean())


def _last(scores: Sequence[Score], name: str) -> Values:
    if name in JUDGED:
        return np.array([one.judged[JUDGED.index(name)] for one in scores], np.float64)
    return stacked(scores, name)[:, -1]
