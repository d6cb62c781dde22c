"""Searchers and human-made baselines on one dataset: same seed, same evaluator, same final training."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl._files import write_text
from automl.bench._timing import machine
from automl.export import read_winner, write_winner
from automl.opening import create_study
from automl.publishing import chosen_trial, winner
from automl.study import Study
from automl.training import Training, spread, train_winner
from evaluators import Trial

LOG = logging.getLogger("automl")


@dataclass(frozen=True)
class Plan:
    """What is compared; everything in `folder` is found again, so the same plan goes on where it stopped."""

    data: str
    folder: Path
    searchers: tuple[str, ...] = ("autoctr", "random_search")
    trials: int = 100
    seed: int = 1
    seeds: int = 5
    threads: int | None = None


def comparison(plan: Plan) -> dict[str, Any]:
    """Runs the searches, trains each finalist over seeds on fresh replicates, and measures on the test part.

    Finalists are the human-made baselines and each searcher's best trial by validation NE. Replicates are
    the same for all, so `difference` is paired: test NE minus that of the reference, with the standard
    error of the mean over seeds. The reference is the baseline of the best mean validation NE.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    studies = {name: _searched(plan, name) for name in plan.searchers}
    rows = [_final(plan, name, study, trial) for name, study, trial in _finalists(studies)]
    reference = min((row for row in rows if row["kind"] == "baseline"), key=lambda row: row["valid_ne"]["mean"])
    for row in rows:
        row["difference"] = _paired(row["by_seed"], reference["by_seed"])
    return {
        "plan": {**asdict(plan), "folder": None, "data": Path(plan.data).name},
        "machine": machine(),
        "reference": reference["name"],
        "searches": {name: _search_facts(study) for name, study in studies.items()},
        "finalists": sorted(rows, key=lambda row: row["test_ne"]["mean"]),
    }


def _searched(plan: Plan, searcher: str) -> Study:
    study = create_study(
        f"{searcher}-{plan.seed}",
        data=plan.data,
        seed=plan.seed,
        storage=f"sqlite:///{plan.folder / 'automl.db'}",
        searcher={"name": searcher},
        evaluator={"name": "train", "threads": plan.threads},
        budget={"trials": plan.trials},
        load_if_exists=True,
    )
    study.set_trials(plan.trials)
    study.optimize(callbacks=[_teller(plan.trials)])
    study.wiring.evaluator.close()
    return study


def _teller(trials: int) -> Callable[[Study, Trial], None]:
    started = time.monotonic()
    ended = [0]

    def tell(study: Study, trial: Trial) -> None:
        ended[0] += 1
        left = (time.monotonic() - started) / ended[0] * (trials - trial.number)
        LOG.info(f"{study.name} {trial.number}: ne {trial.value('ne')}, about {max(left, 0.0):.0f} s left")

    return tell


def _finalists(studies: Mapping[str, Study]) -> Iterator[tuple[str, Study, Trial]]:
    first = next(iter(studies.values()))
    for trial in first.trials:
        if trial.stage == "baseline" and trial.evaluation:
            yield trial.suggestion.origin.removeprefix("zoo:"), first, trial
    for name, study in studies.items():
        yield name, study, chosen_trial(study)


def _final(plan: Plan, name: str, study: Study, trial: Trial) -> dict[str, Any]:
    key = f"{name}-{trial.candidate.fingerprint[-12:]}-{plan.seed}-{plan.seeds}"
    cache = plan.folder / f"final-{key}.json"
    if not cache.exists():
        LOG.info(f"training {name} over {plan.seeds} seeds")
        config = write_winner(plan.folder / f"{key}.yaml", winner(study, trial))
        found = train_winner(read_winner(config), plan.data, Training(plan.seeds, plan.seed))
        write_text(cache, json.dumps(found, indent=2))
    found = json.loads(cache.read_text(encoding="utf-8"))
    summary = spread(found["seeds"])
    return {
        "name": name,
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


def _search_facts(study: Study) -> dict[str, Any]:
    searched = [trial for trial in study.trials if trial.stage == "search"]
    seconds = [trial.evaluation.seconds for trial in searched if trial.evaluation]
    values = [trial.value("ne") or np.inf for trial in searched]
    return {
        "trials": len(searched),
        "failed": sum(trial.failure is not None for trial in searched),
        "best_valid_ne": min(values),
        "best_at": int(np.argmin(values)) + 1,
        "median_valid_ne_by_20": [round(float(np.median(values[at : at + 20])), 4) for at in range(0, len(values), 20)],
        "training_seconds": round(sum(seconds), 1),
        "front": [[trial.number, trial.value("ne"), trial.value("flops")] for trial in study.best_trials],
    }
