"""Runs the differentiable method on planted clicks: does it find what alone can say them, and hold its target?

What is planted are products of three fields over the pairs and single ones that lead to them. Of the operators of the
space, none but a layer of crossing multiplies, and one layer says no more than pairs: the planted operators are two of
them, one on the other. A layer of as many multiply-adds that says nothing is among the others, and so is the identity.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from automl._checkpoint import Account, Checkpoint
from automl.bench._timing import machine
from automl.bench.dnas.chain_space import chain_space, crosses
from automl.bench.learning.planting import prepared
from automl.bench.learning.worlds import Signs
from automl.methods.dnas import DNAS
from evaluators import Objective
from evaluators._training.supernet.settings import held_out_rows
from searchspaces import Candidate, FeatureSchema
from searchspaces.cost import cost

FIELDS = 6
WORLD = partial(
    Signs,
    {(0,): 0.5, (0, 1): 0.6, (0, 1, 2): 0.9, (3,): 0.5, (3, 4): 0.6, (3, 4, 5): 0.9},
    width=FIELDS,
    vocabulary=8,
)
PLANTED_CROSSES = 2
TARGET_MACS = 3120.0
"""Of two layers of crossing of rank 16 and the logit. The largest rank first, and nothing behind it, has as many."""

TOLERANCE = 0.1

OPTIONS: Mapping[str, Any] = {
    "batch_size": 128,
    "asked_rows": 256,
    "learning_rate": 0.3,
    "embedding_learning_rate": 1.0,
    "target_macs": TARGET_MACS,
    "penalty": 0.2,
    "forks": 3,
    "tolerance": TOLERANCE,
    "candidates": 8,
    "keep": 3,
    "calibration_rows": 2048,
    "evaluation_rows": 4096,
    "device": "cpu",
}
"""Of every run, where it has no other: rates that get there in 1,500 steps, and a price beside effects so strong."""

HASTY: Mapping[str, Any] = {"weights_first": 0.0, "temperature": 1.0, "logit_learning_rate": 0.1}
"""Logits that are trained from the first step on, and sure at once."""


@dataclass(frozen=True)
class Arm:
    """Options that differ from `OPTIONS`, and the share of the plan's rows that weights learn from."""

    options: Mapping[str, Any]
    share: float = 1.0


ARMS: Mapping[str, Arm] = {
    "usual": Arm({}),
    "usual, no guard": Arm({"guard": False}),
    "hasty": Arm(HASTY, 0.5),
    "hasty, no guard": Arm({**HASTY, "guard": False}, 0.5),
}


@dataclass(frozen=True)
class Plan:
    """Which arms, and how many seeds from `seed` on; `rows` are those that the weights learn from."""

    arms: tuple[str, ...] = tuple(ARMS)
    seeds: int = 5
    seed: int = 1
    rows: int = 192_000
    planted_rows: int = 50_000
    measured_rows: int = 5_000


def dnas(plan: Plan, *, kept: Path | None = None) -> Iterator[dict[str, Any]]:
    """All runs so far after each of them; those that `kept` has with the same settings are not done again."""
    runs: list[dict[str, Any]] = []
    if kept is not None and kept.exists():
        runs = json.loads(kept.read_text(encoding="utf-8"))["runs"]
    for arm in plan.arms:
        for seed in range(plan.seed, plan.seed + plan.seeds):
            if not any(_is_of(one, plan, arm, seed) for one in runs):
                runs.append(run(plan, arm, seed))
            yield {"runs": runs, "arms": summary(runs), "machine": machine()}


def run(plan: Plan, arm: str, seed: int) -> dict[str, Any]:
    """One search, and what came of it."""
    with tempfile.TemporaryDirectory(prefix="dnas-") as name:
        folder = Path(name)
        data = prepared(WORLD(seed=seed), folder / "data", seed=seed, **_data(plan))
        space = chain_space(FIELDS)
        method = DNAS(space, data.schema, (Objective("ne"),), data.folder, seed, **_options(plan, arm))
        checkpoint = Checkpoint(folder / "run")
        best, *_ = method.run(checkpoint)
        kept = checkpoint.kept()
        assert kept is not None  # a run that has ended has kept its state
        macs = _macs(best, data.schema)
        return {
            "arm": arm,
            "seed": seed,
            "settings": _settings(plan, arm),
            "data": _data(plan),
            "best": list(_blocks(best)),
            "finds": crosses(best) == PLANTED_CROSSES,
            "macs": macs,
            "missed": round(abs(macs / TARGET_MACS - 1.0), 4),
            "holds": abs(macs / TARGET_MACS - 1.0) <= TOLERANCE,
            "supernet_ne": round(float(kept.facts["scores"][best.fingerprint]), 5),
            "verdict": kept.facts["verdict"],
            "work": {phase: _work(one) for phase, one in checkpoint.accounts.items()},
        }


def summary(runs: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Of each arm, in how many runs it did what."""
    found = {}
    for arm in dict.fromkeys(one["arm"] for one in runs):
        own = [one for one in runs if one["arm"] == arm]
        found[arm] = {
            "runs": len(own),
            "find_the_planted_operators": sum(one["finds"] for one in own),
            "hold_the_target": sum(one["holds"] for one in own),
            "likeliest_holds_the_target": sum(_likeliest_holds(one) for one in own),
            "report_collapse": sum(one["verdict"]["collapsed"] for one in own),
            "guard_acted": sum(one["verdict"]["guard"]["acts"] > 0 for one in own),
        }
    return found


def _likeliest_holds(one: Mapping[str, Any]) -> bool:
    return bool(abs(one["verdict"]["likeliest_macs"] / TARGET_MACS - 1.0) <= TOLERANCE)


def _is_of(found: Mapping[str, Any], plan: Plan, arm: str, seed: int) -> bool:
    asked = {"arm": arm, "seed": seed, "settings": _settings(plan, arm), "data": _data(plan)}
    return all(found.get(name) == value for name, value in asked.items())


def _settings(plan: Plan, arm: str) -> dict[str, Any]:
    """Every option of the method as it is for an arm, and the rows that scores adapt on: defaults change, too."""
    defaults: dict[str, Any] = {one.name: one.default for one in fields(DNAS) if one.kw_only}
    options = {**defaults, **_options(plan, arm)}
    return {**options, "held_out_rows": held_out_rows(options["calibration_rows"], plan.planted_rows)}


def _options(plan: Plan, arm: str) -> dict[str, Any]:
    chosen = ARMS[arm]
    return {**OPTIONS, "rows": round(chosen.share * plan.rows), **chosen.options}


def _data(plan: Plan) -> dict[str, int]:
    return {"train": plan.planted_rows, "measured": plan.measured_rows}


def _macs(candidate: Candidate, schema: FeatureSchema) -> int:
    assert candidate.architecture is not None
    return cost(candidate.architecture, schema).macs


def _blocks(candidate: Candidate) -> Iterator[str]:
    assert candidate.architecture is not None
    for node in candidate.architecture.nodes[1:-1]:
        yield f"{node.block} {node.options['rank']}" if "rank" in node.options else node.block


def _work(account: Account) -> dict[str, float]:
    return {
        "steps": account.steps,
        "rows": account.rows,
        "ms_per_step": round(1000 * account.seconds / account.steps, 2),
        "peak_mib": account.peak_bytes >> 20,
    }
