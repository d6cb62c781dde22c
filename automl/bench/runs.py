"""A table of runs of a training system: settings of a space, each measured once, the best ones again.

Source of the idea: Zheng et al. 2021, TenSet: A Large-scale Program Performance Dataset for Learned Tensor Compilers;
of training systems for ranking models nobody has published one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl import plugins
from automl._versions import versions
from automl.bench._remembering import remember
from automl.bench.table.benchmark import tell, written
from automl.bench.table.plan import drawn
from automl.bench.table.trainings import Trainings, cohorts_of, trained
from evaluators import Evaluator, Objective
from evaluators._datasets import Dataset, open_dataset
from evaluators._tabular.entries import SEARCH, TRUTH
from searchspaces import SearchSpace

FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What is measured. Runs in `folder` are found again, so the same plan goes on where it stopped.

    `count` settings of the `space` are measured once, which is what searchers see; the `top` best by `metric` are
    measured `repeats` times more, under other seeds, which is what they are judged by. Failures are rows too.
    """

    folder: Path
    data: str
    space: Mapping[str, Any] = field(default_factory=lambda: {"name": "run_settings"})
    evaluator: Mapping[str, Any] = field(default_factory=lambda: {"name": "measured_run"})
    metric: str = "speed_ratio"
    count: int = 500
    top: int = 20
    repeats: int = 5
    seed: int = 1


def runs(plan: Plan, *, evaluator: Evaluator | None = None) -> dict[str, Any]:
    """Measures what is missing and writes the table; says what is in it. `evaluator` stands in for the plan's.

    Raises:
        AutomlError: the folder holds another plan's runs, or the space is too small.
        ObjectiveError: the metric is unknown.
        EvaluatorError: the control of a measured run cannot run.
    """
    Objective(plan.metric)
    dataset = open_dataset(plan.data)
    context: dict[str, Any] = {"schema": dataset.schema, "dataset": dataset.folder, "study_seed": plan.seed}
    space: SearchSpace = plugins.construct("space", plan.space, context)
    facts = _facts(plan, dataset)
    remember(plan.folder, facts)
    trainings = Trainings.of(plan.folder, drawn(space, plan.count, seed=plan.seed))
    made = {**context, "space": space, "controls": ()}
    owned: Evaluator = evaluator or plugins.construct("evaluator", plan.evaluator, made)
    try:
        _measure(trainings, plan, owned)
    finally:
        owned.close()
    return written(trainings, plan.folder, facts)


def _measure(trainings: Trainings, plan: Plan, evaluator: Evaluator) -> None:
    again = plan.top * plan.repeats
    for left, seconds in trained(trainings, cohorts_of(range(plan.count), [0], SEARCH, 1), evaluator):
        tell("settings", left + again, seconds)
    best = trainings.best(plan.metric, plan.top, role=SEARCH)
    replicates = range(1, plan.repeats + 1)
    # replicate after replicate, so that what the machine does for a while is not one setting's alone
    cohorts = [cohort for one in replicates for cohort in cohorts_of(best, [one], TRUTH, 1)]
    for left, seconds in trained(trainings, cohorts, evaluator):
        tell("the best again", left, seconds)


def _facts(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """What has to be equal for runs to belong to one table, as JSON types."""
    return {
        "format": FORMAT,
        "of": plan.evaluator["name"],
        "space": dict(plan.space),
        "evaluator": dict(plan.evaluator),
        "data": {"name": dataset.name, "digest": dataset.digest, "rows": dict(dataset.rows)},
        "schema": dataset.schema.to_dict(),
        "metric": plan.metric,
        "seed": plan.seed,
        "count": plan.count,
        "top": plan.top,
        "repeats": plan.repeats,
        "versions": versions(),
    }
