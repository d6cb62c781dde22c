"""Trains supernets on a table's data, lets them order its candidates, and compares the order with the table's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automl import plugins
from automl._errors import AutomlError
from automl._versions import versions
from automl.bench._remembering import remember
from automl.bench._timing import machine
from automl.bench.supernet.plan import Ground, Plan
from automl.bench.supernet.scores import costs, scored
from automl.bench.supernet.variants import ALL_ON
from automl.fidelity import Labels, Resamples, agreement, resamples
from evaluators import Evaluation
from evaluators._datasets import open_dataset
from evaluators._tabular.entries import SEARCH, Entry, read_entries, read_facts
from searchspaces import Architecture, SearchSpace

METRIC = "ne"
RESAMPLES = 2000
CONFIDENCE = 0.95


def supernet(plan: Plan) -> dict[str, Any]:
    """Kendall's tau of each variant against training from scratch, with interval, ceiling and share of it.

    Raises:
        AutomlError: table and data do not belong together, too few candidates are complete, or the folder holds
            another plan's scores.
    """
    facts, dataset = read_facts(plan.table), open_dataset(plan.data)
    if facts["data"]["digest"] != dataset.digest:
        raise AutomlError(
            f"a table's candidates are scored on the data that they were trained on, but {plan.table} is of "
            f"{facts['data']['name']} ({facts['data']['digest']}), not of {dataset.name} ({dataset.digest})"
        )
    labels = _from_scratch(read_entries(plan.table))
    space: SearchSpace = plugins.construct("space", facts["space"], {"schema": dataset.schema})
    ground = Ground(plan, dataset, space, [one for one, _ in labels])
    of = {"space": facts["space"], "data": facts["data"]["digest"], "candidates": len(labels)}
    remember(plan.folder, {**_facts(ground), **of, "seeds": None})
    losses = scored(ground)
    return {
        "table": {"space": facts["space"], "data": facts["data"]["name"], "training": facts["training"]},
        "plan": _facts(ground),
        "candidates": len(labels),
        "variants": _compared(losses, [values for _, values in labels], seed=plan.seed),
        "costs": costs(plan.folder),
        "machine": {**machine(), "torch": versions()["torch"]},
    }


def _from_scratch(entries: Sequence[Entry]) -> list[tuple[Architecture, list[float]]]:
    """Candidates that no training of searchers' failed, with the NE of each."""
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        if entry.role == SEARCH:
            groups.setdefault(entry.number, []).append(entry)
    found = []
    for group in groups.values():
        outcomes = [one.outcome for one in sorted(group, key=lambda one: one.replicate)]
        whole = [one.value(METRIC) for one in outcomes if isinstance(one, Evaluation)]
        if len(whole) == len(outcomes) and group[0].candidate.architecture is not None:
            found.append((group[0].candidate.architecture, whole))
    return found


def _compared(
    losses: Mapping[str, Sequence[Sequence[float]]], truth: Sequence[Sequence[float]], *, seed: int
) -> list[dict[str, Any]]:
    """All variants under the same resamples of candidates, so that differences of their taus have intervals too."""
    full = Labels(truth)
    drawn = {
        name: resamples(Labels(values), full, count=RESAMPLES, rng=np.random.default_rng(seed))
        for name, values in losses.items()
    }
    return [_row(name, Labels(values), full, drawn) for name, values in losses.items()]


def _row(name: str, rung: Labels, full: Labels, drawn: Mapping[str, Resamples]) -> dict[str, Any]:
    own = drawn[name]
    found = agreement(rung, full, own, confidence=CONFIDENCE)
    shares = np.divide(own.tau, own.ceiling, out=np.zeros_like(own.tau), where=own.ceiling > 0)
    return {
        "variant": name,
        "tau": round(found.tau, 4),
        "interval": [round(found.low, 4), round(found.high, 4)],
        "ceiling": round(found.ceiling, 4),
        "share": None if found.share is None else round(found.share, 4),
        "share_interval": _interval(shares),
        "reliability_of_a_score": round(found.rung_reliability, 4),
        "reliability_from_scratch": round(found.full_reliability, 4),
        "tau_less_than_all_on": _interval(drawn[ALL_ON].tau - own.tau),
    }


def _interval(values: Any) -> list[float]:
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return [round(float(low), 4), round(float(high), 4)]


def _facts(ground: Ground) -> dict[str, Any]:
    plan = ground.plan
    return {
        "rows": ground.training_rows,
        "batch_size": plan.batch_size,
        "calibration_rows": plan.calibration_rows,
        "adapt": plan.adapt,
        "window": plan.window,
        "seeds": plan.seeds,
        "seed": plan.seed,
    }
