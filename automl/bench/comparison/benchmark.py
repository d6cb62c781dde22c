"""Runs the searches, then trains their winners and the baselines anew, over seeds that no search has seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from automl._files import write_text
from automl.bench._timing import machine
from automl.bench.comparison.searches import Plan, facts, searched
from automl.bench.race.comparison import corrected, duel
from automl.export import read_winner, write_winner
from automl.publishing import chosen_trial, winner
from automl.study import Study
from automl.training import Training, spread, train_winner
from evaluators import Trial

LOG = logging.getLogger("automl")

Studies = Mapping[tuple[str, int], Study]


def comparison(plan: Plan) -> dict[str, Any]:
    """Runs the searches, trains each finalist over seeds on fresh replicates, and measures on the test part.

    Finalists are the human-made baselines and each search's best trial by validation NE. Replicates are
    the same for all, so `difference` is paired: test NE minus that of the reference, with the standard
    error of the mean over seeds. The reference is the baseline of the best mean validation NE. With several runs
    the first searcher is compared with each other one over them, a pair of winners for each seed.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(plan.seed, plan.seed + plan.runs)
    studies = {(name, seed): searched(plan, name, seed) for seed in seeds for name in plan.searchers}
    rows = [_final(plan, *finalist) for finalist in _finalists(studies)]
    reference = min((row for row in rows if row["kind"] == "baseline"), key=lambda row: row["valid_ne"]["mean"])
    for row in rows:
        row["difference"] = _paired(row["by_seed"], reference["by_seed"])
    return {
        "plan": {**asdict(plan), "folder": None, "data": Path(plan.data).name},
        "machine": machine(),
        "reference": reference["name"],
        "searches": {study.name: facts(plan, study) for study in studies.values()},
        "finalists": sorted(rows, key=lambda row: row["test_ne"]["mean"]),
        "duels": _duels(plan, rows),
    }


def _finalists(studies: Studies) -> Iterator[tuple[str, int, Study, Trial]]:
    (_, seed), first = next(iter(studies.items()))
    for trial in first.trials:
        if trial.stage == "baseline" and trial.evaluation:
            yield trial.suggestion.origin.removeprefix("zoo:"), seed, first, trial
    for (name, own), study in studies.items():
        yield name, own, study, chosen_trial(study)


def _final(plan: Plan, name: str, seed: int, study: Study, trial: Trial) -> dict[str, Any]:
    key = f"{name}-{trial.candidate.fingerprint[-12:]}-{seed}-{plan.seeds}"
    cache = plan.folder / f"final-{key}.json"
    if not cache.exists():
        LOG.info(f"training {name} of seed {seed} over {plan.seeds} seeds")
        config = write_winner(plan.folder / f"{key}.yaml", winner(study, trial))
        found = train_winner(read_winner(config), plan.data, Training(plan.seeds, plan.seed))
        write_text(cache, json.dumps(found, indent=2))
    found = json.loads(cache.read_text(encoding="utf-8"))
    summary = spread(found["seeds"])
    return {
        "name": name,
        "seed": seed,
        "kind": trial.stage,
        "trial": trial.number,
        "search_valid_ne": trial.value("ne"),
        "flops": trial.value("flops"),
        "params": found["params"],
        "test_ne": summary["test_ne"],
        "test_auc": summary["test_auc"],
        "valid_ne": summary["valid_ne"],
        "by_seed": [row["test_ne"] for row in found["seeds"]],
    }


def _paired(one: Sequence[float], other: Sequence[float]) -> dict[str, float | None]:
    differences = np.asarray(one) - np.asarray(other)
    error = float(differences.std(ddof=1) / np.sqrt(len(differences))) if len(differences) > 1 else None
    return {"mean": float(differences.mean()), "stderr": error}


def _duels(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first searcher's winners against each other one's, seed by seed."""
    of = {
        name: np.array([row["test_ne"]["mean"] for row in rows if row["name"] == name and row["kind"] != "baseline"])
        for name in plan.searchers
    }
    first, *others = plan.searchers
    found = [duel((first, name), "test_ne", of[first], of[name]) for name in others]
    return [one.to_dict() for one in corrected(found)]
