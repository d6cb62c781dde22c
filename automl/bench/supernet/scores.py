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
from searchspaces import Architecture, FeatureSchema, SearchSpace

LOG = logging.getLogger("automl")
METRIC = "supernet_ne"
FEWEST_WINDOWS = 2


@dataclass(frozen=True, eq=False)
class Ground:
    """What is scored, and where scores and supernets are kept; `window` is rows of validation of one score."""

    dataset: Dataset
    schema: FeatureSchema
    space: SearchSpace
    architectures: Sequence[Architecture]
    folder: Path
    rows: int
    batch_size: int
    calibration_rows: int
    window: int
    study_seed: int


def scored(ground: Ground, seeds: int) -> dict[str, list[list[float]]]:
    """By variant the scores of each candidate, one for each seed; trains and scores what is missing.

    Raises:
        AutomlError: the validation part is too short for windows of their own.
    """
    valid = len(ground.dataset.part("valid"))
    if valid < FEWEST_WINDOWS * ground.window:
        raise AutomlError(
            f"candidates on rows of their own need at least {FEWEST_WINDOWS} windows of {ground.window} rows, but the "
            f"validation part has {valid}; make them smaller with --window"
        )
    found: dict[str, list[list[float]]] = {}
    for done, variant in enumerate(VARIANTS, start=1):
        columns = [_kept(ground, variant, seed) for seed in range(seeds)]
        found[variant.name] = [list(row) for row in zip(*columns, strict=True)]
        LOG.info("%s: done, %d variants left", variant.name, len(VARIANTS) - done)
    return found


def costs(ground: Ground) -> list[dict[str, Any]]:
    """Of each supernet that was trained here: seconds a step, and the process' peak memory after it."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(ground.folder.glob("*/cost.json"))]


def _kept(ground: Ground, variant: Variant, seed: int) -> list[float]:
    file = ground.folder / f"{variant.training}-{seed}" / f"{variant.name.replace(' ', '-').replace(',', '')}.json"
    if not file.exists():
        write_text(file, json.dumps(_scores(ground, variant, _trained(ground, variant, seed))))
    found: list[float] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _trained(ground: Ground, variant: Variant, seed: int) -> Supernet:
    net = Supernet(ground.schema, training_seed(ground.study_seed, seed), device=choose_device("cpu"))
    settings = SupernetSettings(ground.rows, ground.batch_size, warm_up=variant.warm_up)
    examples = Examples(ground.dataset.part("train"), net.device)
    folder = ground.folder / f"{variant.training}-{seed}"
    started = time.monotonic()
    Training(net, ground.space, examples, settings, folder).run()
    if not (folder / "cost.json").exists():
        write_text(folder / "cost.json", json.dumps(_cost(folder.name, net.steps, _since(started))))
    return net


def _cost(name: str, steps: int, seconds: float) -> dict[str, Any]:
    peak = peak_bytes(choose_device("cpu"))
    return {"supernet": name, "steps": steps, "ms_a_step": 1000 * seconds / steps, "peak_gib": peak / 2**30}


def _scores(ground: Ground, variant: Variant, net: Supernet) -> list[float]:
    train, valid = ground.dataset.part("train"), ground.dataset.part("valid")
    calibration = Examples(last_rows(train, ground.calibration_rows), net.device)
    settings = ScoringSettings(variant.recalibrate, variant.refit, calibration_rows=ground.calibration_rows)
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
    count = 1 if variant.paired else len(valid) // ground.window
    return [read_rows(valid, at * ground.window, (at + 1) * ground.window) for at in range(count)]


def _since(started: float) -> float:
    return time.monotonic() - started
