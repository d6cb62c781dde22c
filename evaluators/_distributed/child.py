"""One rank of a training: gets ready as the greeting says, then takes as many steps as it is told, again and again.

    python -m evaluators._distributed.child ANSWERS_FD DRIVER_PID

Each line in is JSON: the greeting (see `launch.Training`), then `{"steps": n}`, answered by this rank's losses and the
seconds that each step took, or `{"valid": true}`, answered by the NE on the validation part, after which no more steps
are taken. At the end of input, or once the driver is gone, so is this process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evaluators._datasets import Dataset, Part, open_dataset
from evaluators._distributed.launch import BY_FIELD, INT8, layout_of
from evaluators._distributed.loading import Loading, Share, batches
from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Rule
from evaluators._distributed.tables import Moving, Wire
from evaluators._distributed.trainer import Learning, Trainer
from evaluators._distributed.world import joined, own_device
from evaluators._errors import EvaluatorError
from evaluators._training.child import conversation, limit_memory, say, warm_up
from evaluators._training.examples import Batch, Examples
from evaluators._training.final import measure
from evaluators._training.memory import peak_bytes
from searchspaces import Architecture, FeatureSchema
from searchspaces.build import build
from searchspaces.resizing import embedding_dim, with_dim

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, eq=False)
class Loaded:
    """Data that is open already, and the path by which a greeting asks for it."""

    source: str
    dataset: Dataset
    examples: Examples

    @classmethod
    def of(cls, source: str, device: torch.device) -> Loaded:
        """Opens prepared data.

        Raises:
            EvaluatorError: it cannot be read.
        """
        dataset = open_dataset(source)
        return cls(source, dataset, Examples(dataset.part("train"), device))


@dataclass(frozen=True, eq=False)
class Working:
    """A rank that is ready."""

    trainer: Trainer
    batches: Iterator[Batch]
    valid: Part
    device: torch.device

    def steps(self, count: int) -> dict[str, Any]:
        """Takes some steps and tells of them."""
        losses, seconds = [], []
        for at in range(count):
            started = time.perf_counter()
            losses.append(self.trainer.step(next(self.batches)))
            if at == count - 1 and self.device.type == "cuda":
                torch.cuda.synchronize(self.device)  # what earlier steps have left over, later ones wait for
            seconds.append(time.perf_counter() - started)
        # not getrusage, whose mark a process takes over from the larger one that started it
        return {"losses": losses, "seconds": seconds, "peak_bytes": peak_bytes(self.device)}

    def valid_ne(self) -> float:
        """NE on the validation part; the end of training."""
        return measure(self.trainer.assembled(), self.valid)["ne"].value


def main(arguments: list[str], loaded: Loaded | None = None) -> None:
    """Serves the driver until it goes away; `loaded` spares the opening of the same data."""
    with conversation(arguments) as (lines, answers):
        try:
            working = _ready(json.loads(lines.get()), loaded)
        except EvaluatorError as error:
            say(answers, {"error": str(error)})
            return
        say(answers, {"ready": True})
        while True:
            request = json.loads(lines.get())
            say(answers, working.steps(request["steps"]) if "steps" in request else {"ne": working.valid_ne()})


def _ready(greeting: dict[str, Any], loaded: Loaded | None) -> Working:
    torch.set_num_threads(greeting["threads"])
    rank, size = greeting["rank"], greeting["size"]
    device = own_device(greeting["device"], rank=rank, size=size)
    if loaded is None or loaded.source != greeting["dataset"] or loaded.examples.device != device:
        loaded = Loaded.of(greeting["dataset"], device)
    share = Share(greeting["batch_size"], greeting["seed"], rank, size)
    # before other ranks are joined and a model is built: a process that is split has no threads but its own
    found = batches(loaded.examples, share, Loading(**greeting["loading"]))
    layout = layout_of(greeting["layout"])
    world = joined(layout, rank=rank, size=size, meeting=Path(greeting["meeting"]), device=device)
    warm_up()
    np.random.default_rng(0).permutation(2)  # imports what it needs while there is memory
    limit_memory(greeting["memory_limit_mb"])
    schema = loaded.dataset.schema.capped(greeting["hash_cap"])
    architecture = _resized(Architecture.from_dict(greeting["architecture"]), schema, greeting["embedding_dim"])
    seeds = range(greeting["seed"], greeting["seed"] + greeting["cohort"])
    models = [build(architecture, schema, seed=seed).to(device) for seed in seeds]
    trainer = Trainer(models, layout, world, _learning(greeting, layout.moment_scale))
    return Working(trainer, found, loaded.dataset.part("valid"), device)


def _resized(architecture: Architecture, schema: FeatureSchema, dim: int | None) -> Architecture:
    """With another embedding dimension, if one is asked for.

    Raises:
        EvaluatorError: the architecture has none that could be another.
    """
    if dim is None:
        return architecture
    found = with_dim(architecture, schema, dim)
    if embedding_dim(found) != dim:
        raise EvaluatorError(
            f"'embedding_dim' must fit the architecture, but its embeddings cannot have {dim} numbers each in the "
            f"place of {embedding_dim(architecture) or 'one'}; leave the knob out, or choose another architecture"
        )
    return found


def _learning(greeting: dict[str, Any], moment_scale: float) -> Learning:
    given = greeting["learning"]
    rule = RowRule(Rule(given["rule"]), given["table_rate"], moment_scale, greeting["cohort"])
    return Learning(
        given["rate"],
        Moving(rule, given["table_dtype"] == INT8, greeting["seed"]),
        given["accumulation"],
        DTYPES[given["dtype"]],
        Wire(DTYPES[given["forward"]], DTYPES[given["backward"]], given["deduplicated"]),
        given["compiled"],
        given["table_layout"] == BY_FIELD,
        given["dense_optimizer"],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
