"""Scores of a table's candidates in supernets, each set of them in a file that is found again."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl._errors import AutomlError
from automl._files import write_text
from automl.bench.supernet.variants import VARIANTS, Variant
from evaluators import training_seed
from evaluators._datasets import Dataset, Part, read_rows
from evaluators._training.device import choose_device
from evaluators._training.examples import Examples
from evaluators._training.memory import peak_bytes
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.scoring import Scorer, last_rows
from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
from evaluators._training.supernet.training import Training
from searchspaces import Architecture, SearchSpace

LOG = logging.getLogger("automl")
METRIC = "supernet_ne"
FEWEST_WINDOWS = 2


@dataclass(frozen=True)
class Plan:
    """A table of trainings from scratch, its data, and supernets; what is in `folder` is not done again.

    rows              of a supernet's training, passed over again beyond those of the part
    window            rows of validation that a candidate is scored on
    seeds             supernets of each kind
    """

    table: Path
    data: str
    folder: Path
    rows: int
    batch_size: int = 256
    calibration_rows: int = 8192
    window: int = 8192
    seeds: int = 2
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Ground:
    """What is scored, as the plan says."""

    plan: Plan
    dataset: Dataset
    space: SearchSpace
    architectures: Sequence[Architecture]


def scored(ground: Ground) -> dict[str, list[list[float]]]:
    """By variant the scores of each candidate, one for each seed; trains and scores what is missing.

    Raises:
        AutomlError: the validation part is too short for windows of their own.
    """
    valid, window = len(ground.dataset.part("valid")), ground.plan.window
    if valid < FEWEST_WINDOWS * window:
        raise AutomlError(
            f"candidates on rows of their own need at least {FEWEST_WINDOWS} windows of {window} rows, but the "
            f"validation part has {valid}; make them smaller with --window"
        )
    found: dict[str, list[list[float]]] = {}
    for done, variant in enumerate(VARIANTS, start=1):
        columns = [_kept(ground, variant, seed) for seed in range(ground.plan.seeds)]
        found[variant.name] = [list(row) for row in zip(*columns, strict=True)]
        LOG.info("%s: done, %d variants left", variant.name, len(VARIANTS) - done)
    return found


def costs(folder: Path) -> list[dict[str, Any]]:
    """Of each supernet that was trained here: seconds a step, and the process' peak memory after it."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*/cost.json"))]


def _kept(ground: Ground, variant: Variant, seed: int) -> list[float]:
    file = ground.plan.folder / f"{variant.training}-{seed}" / f"{variant.name.replace(' ', '-').replace(',', '')}.json"
    if not file.exists():
        write_text(file, json.dumps(_scores(ground, variant, _trained(ground, variant, seed))))
    found: list[float] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _trained(ground: Ground, variant: Variant, seed: int) -> Supernet:
    plan = ground.plan
    net = Supernet(ground.dataset.schema, training_seed(plan.seed, seed), device=choose_device("cpu"))
    settings = SupernetSettings(plan.rows, plan.batch_size, warm_up=variant.warm_up)
    examples = Examples(ground.dataset.part("train"), net.device)
    folder = plan.folder / f"{variant.training}-{seed}"
    started = time.monotonic()
    Training(net, ground.space, examples, settings, folder).run()
    if not (folder / "cost.json").exists():
        write_text(folder / "cost.json", json.dumps(_cost(folder.name, net.steps, _since(started))))
    return net


def _cost(name: str, steps: int, seconds: float) -> dict[str, Any]:
    peak = peak_bytes(choose_device("cpu"))
    return {"supernet": name, "steps": steps, "ms_a_step": 1000 * seconds / steps, "peak_gib": peak / 2**30}


def _scores(ground: Ground, variant: Variant, net: Supernet) -> list[float]:
    train, valid, count = ground.dataset.part("train"), ground.dataset.part("valid"), ground.plan.calibration_rows
    calibration = Examples(last_rows(train, count), net.device)
    settings = ScoringSettings(variant.recalibrate, variant.refit, calibration_rows=count)
    windows = [Examples(one, net.device) for one in _windows(ground, variant, valid)]
    scorers = [Scorer(net, calibration, one, settings) for one in windows]
    return [
        float(scorers[at % len(scorers)].score(architecture)[METRIC].value)
        for at, architecture in enumerate(ground.architectures)
    ]


def _windows(ground: Ground, variant: Variant, valid: Part) -> list[Part]:
    """Validation rows of the first candidate, of the second, and so on, in turn."""
    if variant.whole:
        return [valid]
    window = ground.plan.window
    count = 1 if variant.paired else len(valid) // window
    return [read_rows(valid, at * window, (at + 1) * window) for at in range(count)]


def _since(started: float) -> float:
    return time.monotonic() - started
