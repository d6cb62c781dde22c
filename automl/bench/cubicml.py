"""What CubicML finds on a table of runs, beside random search and TPE, and how well its predictor predicts it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.bench._timing import machine
from automl.bench.foresight import Foresight
from automl.bench.predictors.measure import built
from automl.bench.predictors.pool import Pool, pool_of_table
from automl.bench.race.benchmark import Plan as RacePlan
from automl.bench.race.benchmark import entrants_of, race, spec_of
from automl.bench.race.ground import Course, course_on_table
from automl.bench.race.running import Rules, Run
from evaluators import Objective
from evaluators._tabular.entries import read_facts
from predictors import rank_correlation

SIMULATED = "simulated_cluster"
GUIDES = {SIMULATED: "roofline:equations=peaks"}
"""Where the table is what the calibrated equations say, a predictor that has them would know all of it."""

OTHERS = ("random_search", "tpe")


@dataclass(frozen=True)
class Plan:
    """`runs` a search, over so many `seeds`; the predictor learns from `train` runs, `repeats` times."""

    table: Path
    log: Path
    metric: str = "speed_ratio"
    seeds: int = 50
    runs: int = 40
    train: int = 64
    repeats: int = 20
    guide: str | None = None


def cubicml(plan: Plan) -> dict[str, Any]:
    """Figures of searchers and of the predictor, in JSON types; runs of searches that the log has are not made again.

    `gap` is what the best run that a search has measured is truly worth below the best of the table, as a share.
    `failed` is the share of launched runs that failed; `foreseeable` that of failures which a judge foretells who has
    learned from the other rows of the whole table (`foresight`), more than any search can know at its start;
    `foretold` that of failures which the same judge foretells from the runs before. `mape` and `tau` are of runs that
    the predictor has not seen.

    Raises:
        AutomlError, EvaluatorError, SpaceError: the table cannot be read, or the log is of another race.
        PlanError: too few runs in the table for the predictor, or wrong options of it.
    """
    facts = read_facts(plan.table)
    source = str(facts.get("of", "unknown"))
    guide = plan.guide or GUIDES.get(source, "roofline")
    course = course_on_table(plan.table, [Objective(plan.metric)])
    names = (_entrant(guide), *OTHERS)
    log = race(course, RacePlan(entrants_of(",".join(names)), plan.seeds, plan.log, Rules(plan.runs, initial=0)))
    foresight = Foresight(course)
    every = {label: [one for one in log.runs if one.searcher == label and one.seed < plan.seeds] for label in names}
    return {
        "table": plan.table.name,
        "of": "predictions of simulated_cluster, no measurements" if source == SIMULATED else source,
        "metric": plan.metric,
        "candidates": len(course.numbers),
        "runs": plan.runs,
        "seeds": plan.seeds,
        "guide": guide,
        "searchers": [searcher_row(label, found, course, foresight) for label, found in every.items()],
        "predictor": predicted(pool_of_table(plan.table, plan.metric), guide, plan),
        "machine": machine(),
    }


def predicted(pool: Pool, guide: str, plan: Plan) -> dict[str, Any]:
    """Error and order of what a predictor says of runs that it has not seen, means over repeats."""
    taus, errors = [], []
    count = min(plan.train, len(pool.trials) - 10)
    for repeat in range(plan.repeats):
        order = np.random.default_rng([repeat, count]).permutation(len(pool.trials))
        seen, held = ([pool.trials[at] for at in part] for part in (order[:count], order[count:]))
        predictor = built(guide, pool.space).fit(seen, pool.metric, rng=np.random.default_rng(repeat))
        mean = predictor.predict([one.suggestion for one in held]).mean
        true = np.array([Objective(pool.metric).loss(one.value(pool.metric) or 0.0) for one in held])
        taus.append(rank_correlation(mean, true))
        errors.append(float(np.mean(np.abs(mean / true - 1.0))))
    return {
        "train": count,
        "repeats": plan.repeats,
        "mape": float(np.mean(errors)),
        "tau": float(np.mean(taus)),
        "ceiling": pool.ceiling,
    }


def _entrant(guide: str) -> str:
    """The searcher with its guide, as a race names it."""
    return f"cubicml:guide={json.dumps(spec_of(guide))}"


def searcher_row(label: str, runs: Sequence[Run], course: Course, foresight: Foresight) -> dict[str, Any]:
    """Figures of one searcher over its searches."""
    truth = course.ground.truth[:, 0]
    gaps = np.array([_gap(one, truth) for one in runs])
    failures = [[loss is None for loss in one.losses] for one in runs]
    launched = sum(map(len, failures))
    told = [foresight.of_record(one.rows, failed) for one, failed in zip(runs, failures, strict=True)]
    hindsight = [
        bool(foresight.in_hindsight[row]) and is_failure
        for one, failed in zip(runs, failures, strict=True)
        for row, is_failure in zip(one.rows, failed, strict=True)
    ]
    return {
        "searcher": label.partition(":")[0],
        "median_gap": float(np.median(gaps)),
        "gap_quartiles": np.quantile(gaps, [0.25, 0.75]).tolist(),
        "foreseeable": sum(hindsight) / launched,
        "foretold": sum(map(sum, told)) / launched,
        "failed": sum(map(sum, failures)) / launched,
        "ask_seconds": float(np.mean([one.ask_seconds for one in runs])),
    }


def _gap(run: Run, truth: np.typing.NDArray[np.float64]) -> float:
    """Of the run that was measured best, to the best of the table: shares of that one's value."""
    known = [(loss, row) for loss, row in zip(run.losses, run.rows, strict=True) if loss is not None]
    best = float(np.nanmin(truth))
    return (float(truth[min(known)[1]]) - best) / abs(best) if known else float("inf")
