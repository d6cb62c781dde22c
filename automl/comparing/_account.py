"""What a comparison found, as JSON types: winners by seed, means, duels, cost, and how orders agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import fmean, stdev
from typing import Any

import numpy as np

from automl._read_out import METHOD_STAGE, words_of
from automl.bench.race.comparison import corrected, duel
from automl.comparing._agreement import agreement_of
from automl.comparing._judging import why_silent
from automl.comparing._ran import Ran
from automl.ledger import ledger_of

SCORES = ("test_ne", "flops")
"""What entries are compared in; smaller is better."""

COSTS = ("rows", "seconds", "trials", "failed")
METHOD_COSTS = ("training_rows", "scoring_rows", "seconds_per_step", "peak_memory_bytes")

Json = dict[str, Any]


def comparison_of(found: Sequence[Ran], *, name: str, rows: int) -> Json:
    """Everything that is told of a comparison."""
    runs = [_run(one) for one in found]
    labels = list(dict.fromkeys(one.entry.label for one in found))
    first = found[0].finals["data"]
    return {
        "name": name,
        "data": {"name": first["name"], "digest": first["digest"]},
        "rows": rows,
        "seeds": sorted({one.seed for one in found}),
        "entries": [_standing(label, [one for one in runs if one["entry"] == label]) for label in labels],
        "duels": _duels(labels, runs),
        "agreement": [_agreement(one) for one in found if one.entry.kind == "method"],
        "diagnosis": _diagnosis(found),
        "runs": runs,
    }


def _run(ran: Ran) -> Json:
    """The declared winner of one study: what finals chose on valid, and what the search has cost."""
    chosen = ran.finals["verdict"]["chosen"]
    winner = next(one for one in ran.finals["entrants"] if one["name"] == chosen)
    paid = ledger_of(ran.trials, ran.study.objectives).paid
    ended = [one for one in ran.trials if one.stage == "search" and one.state.is_finished]
    method = next((one for one in ran.trials if one.stage == METHOD_STAGE), None)
    costs = {} if method is None else {name: method.value(name) for name in METHOD_COSTS}
    return {
        "entry": ran.entry.label,
        "kind": ran.entry.kind,
        "seed": ran.seed,
        "study": ran.study.name,
        "trial": winner["trial"],
        "fingerprint": winner["fingerprint"],
        **{name: winner[name]["mean"] for name in ("valid_ne", "test_ne", "test_auc")},
        "flops": None if winner["macs"] is None else 2 * winner["macs"],
        "params": winner["params"],
        "verdict": ran.finals["verdict"]["kind"],
        "reference": ran.finals["verdict"]["reference"],
        "percent": ran.finals["verdict"]["percent"],
        "ended_at": [] if method is None else words_of(method),
        "trials": len(ended),
        "failed": sum(one.failure is not None for one in ended),
        "rows": paid.rows,
        "seconds": round(paid.seconds, 2),
        **costs,
    }


def _standing(label: str, runs: Sequence[Json]) -> Json:
    """Means over seeds, with standard deviations of what is compared."""
    found: Json = {"entry": label, "kind": runs[0]["kind"], "seeds": len(runs)}
    for name in (*SCORES, "valid_ne", "percent"):
        values = _known(runs, name)
        found[name] = {"mean": fmean(values), "sd": stdev(values) if len(values) > 1 else None} if values else None
    for name in (*COSTS, *METHOD_COSTS):
        values = _known(runs, name)
        found[name] = fmean(values) if values else None
    return found


def _known(runs: Iterable[Json], name: str) -> list[float]:
    return [float(one[name]) for one in runs if one.get(name) is not None]


def _duels(labels: Sequence[str], runs: Sequence[Json]) -> list[Json]:
    """Each pair of entries in each score, over seeds that both have; Holm's correction over all pairs of a score."""
    found = []
    for name in SCORES:
        by_entry = {
            label: {one["seed"]: float(one[name]) for one in runs if one["entry"] == label and one[name] is not None}
            for label in labels
        }
        for one, other in combinations(labels, 2):
            seeds = sorted(by_entry[one].keys() & by_entry[other].keys())
            if seeds:
                ours, theirs = (np.array([by_entry[label][seed] for seed in seeds]) for label in (one, other))
                found.append(duel((one, other), name, ours, theirs))
    return [one.to_dict() for one in corrected(found)]


def _agreement(ran: Ran) -> Json:
    where = {"entry": ran.entry.label, "seed": ran.seed}
    silent = why_silent(ran)
    if silent is not None:
        return {**where, "read_out": 0, "random": 0, "reason": silent}
    return {**where, **agreement_of(ran.judged, seed=ran.seed)}


def _diagnosis(found: Sequence[Ran]) -> Json:
    """What was trained beside the studies, over all seeds."""
    told = [one.diagnosis for one in found if one.diagnosis]
    return {name: sum(one[name] for one in told) for name in ("trainings", "rows", "seconds")}
