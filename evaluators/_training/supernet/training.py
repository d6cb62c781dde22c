"""Trains a supernet on the stream of the training part, and goes on where a checkpoint ends."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from evaluators._training.examples import Batch, Examples
from evaluators._training.stream import Plan, row_orders
from evaluators._training.supernet.checkpoint import restore, save
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.sampling import Sampler
from evaluators._training.supernet.settings import SupernetSettings
from searchspaces import SearchSpace


@dataclass(frozen=True, eq=False)
class Training:
    """One training of a supernet: equal ones end with equal weights, however often they were interrupted.

    Candidates of a step follow from (seed, step), rows from the plan. `folder` holds the checkpoint; None keeps none.
    """

    net: Supernet
    space: SearchSpace
    examples: Examples
    settings: SupernetSettings
    folder: Path | None = None

    def run(self, *, every: int = 2000, until: int | None = None) -> int:
        """Trains to the end, or to the step `until`, with a checkpoint after every so many steps and at the end.

        Gives the rows that it has trained on, each counted for every candidate of its step.

        Raises:
            DivergedError: the losses of many steps in a row were no finite numbers.
            EvaluatorError: the checkpoint in the folder is another supernet's, or cannot be read.
        """
        if self.folder is not None:
            restore(self.net, self.folder, self.identity())
        sampler, before = Sampler(self.space, self.settings.sampling), self.net.rows
        last = self.settings.steps if until is None else min(until, self.settings.steps)
        for batch in islice(self.batches(start=self.net.steps), max(0, last - self.net.steps)):
            self._step(sampler, batch)
            if self.folder is not None and (self.net.steps % every == 0 or self.net.steps == last):
                save(self.net, self.folder, self.identity())
        return self.net.rows - before

    def identity(self) -> dict[str, Any]:
        """What makes two trainings the same, as JSON types."""
        return identity_of(self.net, self.space, self.examples, self.settings)

    def batches(self, *, start: int = 0) -> Iterator[Batch]:
        """Batches without end from step `start` on: the most recent rows as often as it takes."""
        rows, size = min(self.settings.rows, len(self.examples)), self.settings.batch_size
        plan = Plan(self.net.seed, rows, len(self.examples) - rows, size, 1)
        number, done = divmod(start, math.ceil(rows / size))
        while True:
            yield from islice(self.examples.stream(row_orders(plan, number=number), size), done, None)
            number, done = number + 1, 0

    def _step(self, sampler: Sampler, batch: Batch) -> None:
        step, settings = self.net.steps, self.settings
        rng = np.random.default_rng([self.net.seed, step])
        chosen = sampler.draw(rng, full_path=settings.full_path(step))
        self.net.step(chosen, batch, settings.rates(step), batch_size=settings.batch_size)


def identity_of(net: Supernet, space: SearchSpace, examples: Examples, settings: SupernetSettings) -> dict[str, Any]:
    """What makes two supernets that train on these rows the same, as JSON types."""
    decisions = "|".join(repr(one) for one in space.decisions())
    return {
        "seed": net.seed,
        "schema": net.schema.digest,
        "rows_of_data": len(examples),
        "space": hashlib.sha256(decisions.encode()).hexdigest()[:16],
        "settings": json.loads(json.dumps(asdict(settings))),
    }
