"""Scores of a table's candidates in supernets, each set of them in a file that is found again."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

from automl._errors import AutomlError
from automl._files import write_text
from automl.bench.supernet.plan import Ground
from automl.bench.supernet.scoring import Scoring
from automl.bench.supernet.variants import VARIANTS, WARM
from evaluators import training_seed
from evaluators._training.device import choose_device
from evaluators._training.examples import Examples
from evaluators._training.memory import peak_bytes
from evaluators._training.supernet.checkpoint import forget
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.settings import SupernetSettings
from evaluators._training.supernet.training import Training

LOG = logging.getLogger("automl")
FEWEST_WINDOWS = 2
TOLD_EVERY = 10
"""Candidates after which the time left is told."""


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
    rows: dict[tuple[str, int], list[dict[str, float]]] = {}
    asked = [(name, seed) for name in sorted({one.training for one in VARIANTS}) for seed in range(ground.plan.seeds)]
    for done, (training, seed) in enumerate(asked, start=1):
        rows[training, seed] = _rows(ground, training, seed)
        LOG.info("supernet %s-%d: scored, %d supernets left", training, seed, len(asked) - done)
    return {
        one.name: [
            [rows[one.training, seed][at][one.name] for seed in range(ground.plan.seeds)]
            for at in range(len(ground.architectures))
        ]
        for one in VARIANTS
    }


def costs(folder: Path) -> list[dict[str, Any]]:
    """Of each supernet that was trained here: seconds a step, and the process' peak memory after it."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*/cost.json"))]


def _rows(ground: Ground, training: str, seed: int) -> list[dict[str, float]]:
    """What each candidate scores in one supernet, by variant; a line of a file each, so that a kill loses one."""
    file = ground.plan.folder / f"{training}-{seed}" / "scores.jsonl"
    rows = _kept(file)
    if len(rows) < len(ground.architectures):
        bench = Scoring.of(ground, training, _trained(ground, training, seed))
        started, first = time.monotonic(), len(rows)
        with file.open("a", encoding="utf-8") as stream:
            for at, architecture in enumerate(ground.architectures[first:], start=first):
                rows.append(bench.row(at, architecture))
                stream.write(json.dumps(rows[-1]) + "\n")
                stream.flush()
                if (at + 1) % TOLD_EVERY == 0:
                    left = (len(ground.architectures) - at - 1) * _since(started) / (at + 1 - first)
                    LOG.info("supernet %s-%d: %d scored, about %.0f s left", training, seed, at + 1, left)
    forget(file.parent)
    return rows


def _kept(file: Path) -> list[dict[str, float]]:
    """Whole lines; what a kill has left of one is cut off."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        write_text(file, whole)
    return [json.loads(line) for line in whole.splitlines()]


def _trained(ground: Ground, training: str, seed: int) -> Supernet:
    plan = ground.plan
    net = Supernet(ground.dataset.schema, training_seed(plan.seed, seed), device=choose_device("cpu"))
    settings = SupernetSettings(ground.training_rows, plan.batch_size, warm_up=training == WARM)
    examples = Examples(ground.rows()[0], net.device)
    folder = plan.folder / f"{training}-{seed}"
    started = time.monotonic()
    Training(net, ground.space, examples, settings, folder).run()
    if not (folder / "cost.json").exists():
        write_text(folder / "cost.json", json.dumps(_cost(folder.name, net.steps, _since(started))))
    return net


def _cost(name: str, steps: int, seconds: float) -> dict[str, Any]:
    peak = peak_bytes(choose_device("cpu"))
    return {"supernet": name, "steps": steps, "ms_a_step": 1000 * seconds / steps, "peak_gib": peak / 2**30}


def _since(started: float) -> float:
    return time.monotonic() - started
