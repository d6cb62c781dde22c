"""Trains the candidates of a table, then those that it is judged by, and writes it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from automl import plugins
from automl._files import replacing
from automl.bench._remembering import remember
from automl.bench.table.plan import Plan, controls_of, drawn, facts_of, space_of, write_facts
from automl.bench.table.trainings import Trainings, cohorts_of, trained
from evaluators import Evaluation, Evaluator
from evaluators._datasets import open_dataset
from evaluators._tabular.entries import CONTROL, SEARCH, TRIALS_FILE, TRUTH, write_entries

LOG = logging.getLogger("automl")

METRIC = "ne"
"""What the best are chosen by."""


def table(plan: Plan, *, evaluator: Evaluator | None = None) -> dict[str, Any]:
    """Trains what is missing and writes the table; says what is in it. `evaluator` stands in for `train`.

    Raises:
        AutomlError: the folder holds another plan's trainings, or the space is too small.
    """
    dataset = open_dataset(plan.data)
    candidates = drawn(space_of(plan, dataset), plan.count, seed=plan.seed)
    controls = controls_of(dataset)
    facts = facts_of(plan, dataset)
    remember(plan.folder, facts)
    known = [one.candidate for one in controls]
    trainings = Trainings.of(plan.folder, [*candidates, *known])
    context = {"dataset": dataset.folder, "study_seed": plan.seed, "controls": tuple(known)}
    spec = {"name": "train", "cohort_size": plan.cohort, **plan.training}
    owned: Evaluator = evaluator or plugins.construct("evaluator", spec, context)
    try:
        _train(trainings, plan, owned, controls=len(controls))
    finally:
        owned.close()
    beside = {one.origin: plan.count + at for at, one in enumerate(controls)}
    return written(trainings, plan.folder, facts, {"controls": beside})


def _train(trainings: Trainings, plan: Plan, evaluator: Evaluator, *, controls: int) -> None:
    every = range(plan.replicates + plan.truth_replicates)
    seen, unseen = every[: plan.replicates], every[plan.replicates :]
    later = plan.truth_top * plan.truth_replicates + controls * len(every)
    first = cohorts_of(range(plan.count), seen, SEARCH, plan.cohort)
    for left, seconds in trained(trainings, first, evaluator):
        tell("candidates", left + later, seconds)
    best = trainings.best(METRIC, plan.truth_top, role=SEARCH)
    truth = cohorts_of(best, unseen, TRUTH, plan.cohort)
    # human-made ones under every seed: a scale that all tables share
    beside = cohorts_of(range(plan.count, plan.count + controls), every, CONTROL, plan.cohort)
    for left, seconds in trained(trainings, [*truth, *beside], evaluator):
        tell("truth and human-made", left, seconds)


def tell(phase: str, left: int, seconds: float) -> None:
    """Says how long it still takes."""
    LOG.info("%s: %d trainings left, %.1f s each so far, about %.0f min", phase, left, seconds, left * seconds / 60)


def written(
    trainings: Trainings, folder: Path, facts: Mapping[str, Any], beside: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Writes the table with its facts and those `beside`, and says what is in it."""
    with replacing(folder / TRIALS_FILE) as draft:
        write_entries(draft, trainings.entries)
    outcomes = Counter(
        "complete" if isinstance(one.outcome, Evaluation) else one.outcome.kind.value for one in trainings.entries
    )
    found = {
        **beside,
        "trainings": dict(Counter(one.role for one in trainings.entries)),
        "outcomes": dict(outcomes),
        "trained_seconds": round(sum(one.outcome.seconds for one in trainings.entries), 1),
    }
    write_facts(folder, facts, found)
    return {"table": str(folder), "candidates": facts["count"], **found}
