"""What training on several processes does to quality: groups that average their tables, and types between ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

from automl.bench._timing import machine
from automl.training import spread
from evaluators._datasets import Dataset, open_dataset
from evaluators._distributed.knobs import trained_with
from evaluators._distributed.launch import Ranks, Training
from searchspaces import zoo

STEP_SECONDS = 60.0
REFERENCE = "one group"


@dataclass(frozen=True)
class Plan:
    """The data, the zoo's model, ranks, seeds, rows of one batch of all ranks, and steps (None: one pass)."""

    data: str
    model: str = "dcnv2"
    ranks: int = 4
    seeds: int = 5
    batch_size: int = 1024
    steps: int | None = None


def sharding(plan: Plan, *, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """NE on the validation part of each way to train, over seeds, and its paired difference to one group.

    Each of M groups of one rank sees 1 / M of the batch and averages tables and sums of squares with the others after
    each step; `c` is the moment scale (see `evaluators._distributed.sharding.Layout`).
    """
    dataset = open_dataset(plan.data)
    known: dict[str, list[float]] = {}
    for seed in range(1, plan.seeds + 1):
        for name, training in _ways(plan, dataset, seed).items():
            known.setdefault(name, []).append(_trained(training, plan, dataset))
            tell(f"seed {seed}, {name}: NE {known[name][-1]:.4f}")
    return {
        "data": dataset.name,
        "plan": {**vars(plan), "data": dataset.name},
        "ways": [_row(name, nes, known[REFERENCE]) for name, nes in known.items()],
        "machine": machine(),
    }


def _ways(plan: Plan, dataset: Dataset, seed: int) -> Mapping[str, Training]:
    architecture = zoo(plan.model, dataset.schema).architecture
    assert architecture is not None  # all of the zoo have one
    base = Training(architecture, dataset.folder, seed, ranks=plan.ranks, batch_size=plan.batch_size)
    grouped = trained_with(base, {"groups": plan.ranks})
    naive = replace(grouped, layout=replace(grouped.layout, moment_scale=1.0))
    return {
        REFERENCE: base,
        "one rank": replace(base, ranks=1),
        f"{plan.ranks} groups, c = 1": naive,
        f"{plan.ranks} groups, c = {plan.ranks}": grouped,
        f"{plan.ranks} groups, c = {plan.ranks}, every 8 steps": replace(
            grouped, layout=replace(grouped.layout, sync_interval=8)
        ),
        "bf16 between ranks": trained_with(base, {"wire": "bf16"}),
        "bf16 everywhere": trained_with(base, {"wire": "bf16", "dtype": "bf16"}),
    }


def _trained(training: Training, plan: Plan, dataset: Dataset) -> float:
    steps = plan.steps or dataset.rows["train"] // plan.batch_size
    with Ranks(training) as ranks:
        ranks.steps(steps, seconds=STEP_SECONDS * steps)
        return ranks.valid_nes(seconds=STEP_SECONDS * 10)[0]


def _row(name: str, nes: list[float], reference: list[float]) -> dict[str, Any]:
    gaps = [100 * (one / other - 1) for one, other in zip(nes, reference, strict=True)]
    found = spread([{"ne": one} for one in nes])["ne"]
    error = stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else None
    return {
        "way": name,
        "ne": found["mean"],
        "ne_sd": found["sd"],
        "percent_beside_one_group": fmean(gaps),
        "percent_stderr": error,
    }
