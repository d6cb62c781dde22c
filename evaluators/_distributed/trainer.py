"""Trains one model together with the other ranks: tables sharded, the rest by distributed data parallel.

Each rank takes its part of every batch: vectors are fetched, loss and gradients are computed, gradients of vectors go
back to the tables, and all other gradients are averaged (torch's DistributedDataParallel).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Layout
from evaluators._distributed.tables import ShardedTable, Wire, sharded
from evaluators._distributed.world import World
from evaluators._training.examples import Batch
from searchspaces.build import RankingModel


@dataclass(frozen=True)
class Learning:
    """How ranks learn: the rate of AdamW outside tables, a rule inside, and how a rank's batch is worked off.

    `accumulation` cuts a rank's batch into so many pieces, whose gradients add up to one step: activations take so
    much less memory. `dtype` is that of the matrix products, by autocast.
    """

    rate: float = 1e-3
    rule: RowRule = field(default_factory=RowRule)
    accumulation: int = 1
    dtype: torch.dtype = torch.float32
    wire: Wire = field(default_factory=Wire)
    is_compiled: bool = False


class Trainer:
    """One rank of a training. All ranks build it with the same model, and call `step` as often."""

    def __init__(self, model: RankingModel, layout: Layout, world: World, learning: Learning) -> None:
        self._learning, self._layout, self._world = learning, layout, world
        self._model = model.train()
        self.tables = dict(self._shards())
        self._interaction: nn.Module = _Interaction(model)
        if learning.is_compiled:
            self._interaction.compile()
        if world.everyone.size > 1:
            self._interaction = DistributedDataParallel(self._interaction, process_group=world.everyone.handle)
        self._optimizer = torch.optim.AdamW(self._interaction.parameters(), lr=learning.rate, weight_decay=0.0)
        self._steps = 0

    def step(self, batch: Batch) -> float:
        """Learns from this rank's part of a batch and gives its mean loss there."""
        lookups = {name: source.lookups(batch.numeric, batch.categorical, table) for name, source, table in self._all()}
        vectors = {name: self.tables[name].fetch(rows).requires_grad_() for name, rows in lookups.items()}
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._backward(batch, vectors)
        self._optimizer.step()
        for name, one in vectors.items():
            gradient = torch.zeros_like(one) if one.grad is None else one.grad
            self.tables[name].learn(gradient)
        self._steps += 1
        if self._steps % self._layout.sync_interval == 0:
            for table in self.tables.values():
                self._world.across.average([table.weight, *table.state])
        return loss

    def assembled(self) -> RankingModel:
        """The model with its whole tables, as this rank's group has them."""
        for name, source, table in self._all():
            source.tables()[table].module.weight.data = self.tables[name].whole()
        return self._model

    def _backward(self, batch: Batch, vectors: Mapping[str, Tensor]) -> float:
        pieces, total = self._learning.accumulation, len(batch.label)
        loss_sum = 0.0
        for number, rows in enumerate(torch.arange(total).chunk(pieces)):
            piece = slice(int(rows[0]), int(rows[-1]) + 1)
            with self._quiet(is_last=number == pieces - 1):
                logits = self._logits(batch, {name: one[piece] for name, one in vectors.items()}, piece)
                loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.label[piece], reduction="sum")
                (loss / total).backward()  # type: ignore[no-untyped-call]
            loss_sum += float(loss.detach())
        return loss_sum / total

    def _logits(self, batch: Batch, vectors: Mapping[str, Tensor], piece: slice) -> Float[Tensor, " piece"]:
        device, dtype = batch.label.device.type, self._learning.dtype
        with torch.autocast(device, dtype=dtype, enabled=dtype is not torch.float32):
            found: Tensor = self._interaction(batch.numeric[piece], batch.categorical[piece], vectors)
        return found.float()

    def _quiet(self, *, is_last: bool) -> Any:
        """Gradients are exchanged with the last piece alone."""
        if is_last or not isinstance(self._interaction, DistributedDataParallel):
            return nullcontext()
        return self._interaction.no_sync()

    def _shards(self) -> Iterator[tuple[str, ShardedTable]]:
        """This rank's part of each table; the model keeps none of it."""
        group, wire, rule = self._world.mine, self._learning.wire, self._learning.rule
        for name, source, key in self._all():
            table = source.tables()[key]
            sizes = [rows for _, rows in table.parts]
            yield name, sharded(table.module.weight, sizes, self._layout.of(name), group, wire, rule)
            table.module.weight = nn.Parameter(table.module.weight.detach()[:0].clone(), requires_grad=False)

    def _all(self) -> Iterator[tuple[str, Any, str]]:
        """Name, source and attribute of each table."""
        for at, source in self._model.sources().items():
            for table in source.tables():
                yield f"{at}.{table}", source, table


class _Interaction(nn.Module):
    """Everything of a model but its tables."""

    def __init__(self, model: RankingModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, numeric: Tensor, categorical: Tensor, vectors: Mapping[str, Tensor]) -> Tensor:
        """Logits from raw columns and the vectors by the name of their table."""
        raw = {}
        for at, source in self.model.sources().items():
            own = {table: vectors[f"{at}.{table}"] for table in source.tables()}
            raw[at] = source(numeric, categorical, own)
        return self.model.interact(raw)
