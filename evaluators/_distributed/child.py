"""One rank of a training: gets ready as the greeting says, then takes as many steps as it is told, again and again.

    python -m evaluators._distributed.child ANSWERS_FD DRIVER_PID

Each line in is JSON: the greeting (see `launch.Training`), then `{"steps": n}`, answered by this rank's losses and the
seconds that each step took, or `{"valid": true}`, answered by the NE on the validation part, after which no more steps
are taken. At the end of input, or once the driver is gone, so is this process.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evaluators._datasets import Dataset, Part, open_dataset
from evaluators._distributed.launch import layout_of
from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Rule
from evaluators._distributed.tables import Wire
from evaluators._distributed.trainer import Learning, Trainer
from evaluators._distributed.world import joined
from evaluators._errors import EvaluatorError
from evaluators._training.child import conversation, limit_memory, say, warm_up
from evaluators._training.device import choose_device
from evaluators._training.examples import Batch, Examples
from evaluators._training.final import measure
from evaluators._training.memory import peak_bytes
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan, row_orders
from searchspaces import Architecture
from searchspaces.build import build

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


def main(arguments: list[str], loaded: Loaded | None = None) -> None:
    """Serves the driver until it goes away; `loaded` spares the opening of the same data."""
    with conversation(arguments) as (lines, answers):
        try:
            trainer, batches, valid = _ready(json.loads(lines.get()), loaded)
        except EvaluatorError as error:
            say(answers, {"error": str(error)})
            return
        say(answers, {"ready": True})
        while True:
            request = json.loads(lines.get())
            if "steps" in request:
                say(answers, _worked(trainer, batches, request["steps"]))
            else:
                say(answers, {"ne": measure(trainer.assembled(), valid)["ne"].value})


def _worked(trainer: Trainer, batches: Iterator[Batch], steps: int) -> dict[str, Any]:
    losses, seconds = [], []
    for _ in range(steps):
        started = time.perf_counter()
        losses.append(trainer.step(next(batches)))
        seconds.append(time.perf_counter() - started)
    # not getrusage, whose mark a process takes over from the larger one that started it
    return {"losses": losses, "seconds": seconds, "peak_bytes": peak_bytes(torch.device("cpu"))}


def _ready(greeting: dict[str, Any], loaded: Loaded | None) -> tuple[Trainer, Iterator[Batch], Part]:
    torch.set_num_threads(greeting["threads"])
    rank, size, device = greeting["rank"], greeting["size"], choose_device(greeting["device"])
    layout = layout_of(greeting["layout"])
    world = joined(layout, rank=rank, size=size, meeting=Path(greeting["meeting"]), device=device)
    if loaded is None or loaded.source != greeting["dataset"] or loaded.examples.device != device:
        loaded = Loaded.of(greeting["dataset"], device)
    dataset, examples = loaded.dataset, loaded.examples
    warm_up()
    np.random.default_rng(0).permutation(2)  # imports what it needs while there is memory
    limit_memory(greeting["memory_limit_mb"])
    schema = dataset.schema.capped(greeting["hash_cap"])
    model = build(Architecture.from_dict(greeting["architecture"]), schema, seed=greeting["seed"]).to(device)
    trainer = Trainer(model, layout, world, _learning(greeting["learning"], layout.moment_scale))
    batches = _own(examples, greeting["batch_size"], greeting["seed"], rank, size)
    if greeting["prefetch"]:
        batches = _ahead(batches, greeting["prefetch"])
    return trainer, batches, dataset.part("valid")


def _learning(given: dict[str, Any], moment_scale: float) -> Learning:
    wire = Wire(DTYPES[given["forward"]], DTYPES[given["backward"]], given["deduplicated"])
    rule = RowRule(Rule(given["rule"]), given["table_rate"], moment_scale)
    dtype, is_compiled = DTYPES[given["dtype"]], given["compiled"]
    return Learning(given["rate"], rule, given["accumulation"], dtype, wire, is_compiled)


def _own(examples: Examples, batch_size: int, seed: int, rank: int, size: int) -> Iterator[Batch]:
    """This rank's part of each whole batch, pass after pass; rows of a batch are dealt out in order.

    Raises:
        EvaluatorError: there are not enough rows for one batch.
    """
    if batch_size > len(examples):
        raise EvaluatorError(
            f"a batch has at most as many rows as the training part, {len(examples)}, but 'batch_size' is {batch_size}"
        )
    return _dealt(examples, batch_size, seed, slice(rank * (batch_size // size), (rank + 1) * (batch_size // size)))


def _dealt(examples: Examples, batch_size: int, seed: int, mine: slice) -> Iterator[Batch]:
    plan = Plan.of(TrainingSettings(batch_size=batch_size), len(examples), seed=seed)
    number = 0
    while True:
        for batch in examples.stream(row_orders(plan, number=number), batch_size):
            if len(batch.label) == batch_size:
                yield Batch(batch.numeric[mine], batch.categorical[mine], batch.label[mine])
        number += 1


def _ahead(batches: Iterator[Batch], count: int) -> Iterator[Batch]:
    """The same, up to `count` of them made ready by a thread beside."""
    ready: queue.Queue[Batch] = queue.Queue(count)

    def fill() -> None:
        for batch in batches:
            ready.put(batch)

    threading.Thread(target=fill, daemon=True).start()
    while True:
        yield ready.get()


if __name__ == "__main__":
    main(sys.argv[1:])
