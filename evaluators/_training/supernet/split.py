"""A supernet that learns from the even rows of a stream, and is asked about the odd ones.

Weights look good on rows that they have learnt from, the more so the more of them there are: a choice that is judged
by such rows is judged by its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evaluators._datasets import open_dataset
from evaluators._evaluation import Metric
from evaluators._training.device import choose_device
from evaluators._training.examples import Batch, Examples
from evaluators._training.grouping import Grouped
from evaluators._training.memory import peak_bytes, reset_peak
from evaluators._training.stream import Plan, row_orders
from evaluators._training.supernet.checkpoint import restore, save
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.scoring import Scorer, first_rows, held_out
from evaluators._training.supernet.settings import SupernetSettings
from evaluators._training.supernet.split_plan import Answers, SplitPlan
from evaluators._training.supernet.training import identity_of
from searchspaces import Architecture, SearchSpace
from searchspaces.build import RankingModel
from searchspaces.layers import BatchNorm

MOST_MODELS = 64
"""Sub-networks that are kept to be filled again; their tables are views and take no memory."""


@dataclass
class Half:
    """Every other row of the training part, in batches without end; the next one is at hand."""

    examples: Examples
    plan: Plan
    is_odd: bool
    _number: int = field(default=0, init=False, repr=False)
    _batches: Iterator[Batch] | None = field(default=None, init=False, repr=False)

    def batch(self, number: int) -> Batch:
        """Batch `number`, counted from 0."""
        if self._batches is None or number != self._number:
            self._batches = self._from(number)
        self._number = number + 1
        return next(self._batches)

    def _from(self, number: int) -> Iterator[Batch]:
        rows, size = (self.plan.rows + 1 - self.is_odd) // 2, self.plan.batch_size
        passed, done = divmod(number, math.ceil(rows / size))
        while True:
            orders = (order[order % 2 == self.is_odd] for order in row_orders(self.plan, number=passed))
            yield from islice(self.examples.stream(orders, size), done, None)
            passed, done = passed + 1, 0


@dataclass(eq=False)
class Split:
    """As `SplitSupernet` says."""

    net: Supernet
    space: SearchSpace
    settings: SupernetSettings
    train_rows: Examples
    scorer: Scorer
    asked_rows: int
    _models: dict[Architecture, RankingModel] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def opened(cls, plan: SplitPlan) -> Split:
        """With the data of a plan.

        Raises:
            DataError: the data cannot be read.
            EvaluatorError: the device is not there.
        """
        found, device = open_dataset(plan.dataset), choose_device(plan.device)
        train, latest = held_out(found.part("train"), plan.scoring.calibration_rows)
        net = Supernet(found.schema.capped(plan.hash_cap), plan.seed, device=device)
        evaluation = Examples(first_rows(found.part("valid"), plan.scoring.evaluation_rows), device)
        scorer = Scorer(net, Examples(latest, device), evaluation, plan.scoring)
        return cls(net, plan.space, plan.settings, Examples(train, device), scorer, plan.asked_rows)

    def __post_init__(self) -> None:
        order = partial(Plan, self.net.seed, len(self.train_rows), 0, passes=1)
        self._learnt = Half(self.train_rows, order(batch_size=self.settings.batch_size), is_odd=False)
        self._asked = Half(self.train_rows, order(batch_size=self.asked_rows), is_odd=True)
        reset_peak(self.net.device)

    @property
    def steps(self) -> int:
        """How often the weights have been trained."""
        return self.net.steps

    @property
    def scoring_rows(self) -> int:
        """Of the evaluation, and of each fit to the calibration rows."""
        return self.scorer.rows

    def train(self, architecture: Architecture) -> int:
        """One step on the next batch of the even rows."""
        batch, settings = self._learnt.batch(self.steps), self.settings
        self.net.step([architecture], batch, settings.rates(self.steps), batch_size=settings.batch_size)
        return len(batch.label)

    def ask(self, architectures: Sequence[Architecture], *, number: int) -> Answers:
        """What sub-networks say of a batch of the odd rows."""
        batch = self._asked.batch(number)
        with torch.no_grad():
            logits = torch.stack(self._logits(architectures, batch))
        return Answers(logits.double().cpu().numpy(), batch.label.double().cpu().numpy())

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        """On the validation part."""
        return self.scorer.score(architecture)

    def peak_bytes(self) -> int:
        """Since it was opened."""
        return peak_bytes(self.net.device)

    def save(self, folder: Path) -> None:
        """As safetensors and JSON."""
        save(self.net, folder, self._identity())

    def restore(self, folder: Path) -> None:
        """The weights, and with them the place in the stream."""
        restore(self.net, folder, self._identity())

    def _logits(self, architectures: Sequence[Architecture], batch: Batch) -> list[Tensor]:
        """Of each sub-network; at once where the supernet is grouped."""
        models = [self._model(one) for one in architectures]
        numeric = batch.numeric.to(self.net.dtype)
        if not self.net.grouped:
            return [model(numeric, batch.categorical) for model in models]
        raw = {at: model.raw(numeric, batch.categorical) for at, model in enumerate(models)}
        found = Grouped(dict(enumerate(models)))(raw)
        return [found[at] for at in range(len(models))]

    def _model(self, architecture: Architecture) -> RankingModel:
        model = self.net.subnetwork(architecture, again=self._models.get(architecture)).eval()
        if len(self._models) >= MOST_MODELS:
            self._models.clear()
        self._models[architecture] = model
        for layer in model.modules():
            if isinstance(layer, BatchNorm):
                layer.train()
        return model

    def _identity(self) -> dict[str, Any]:
        own = {"asked_rows": self.asked_rows}
        return {**identity_of(self.net, self.space, self.train_rows, self.settings), **own}
