"""Trains models together with the other ranks: tables sharded, the rest by distributed data parallel.

Each rank takes its part of every batch: vectors are fetched, loss and gradients are computed, gradients of vectors go
back to the tables, and all other gradients are averaged (torch's DistributedDataParallel).

Letters: B rows of a rank's batch, K models that learn in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from evaluators._distributed.sharding import Layout
from evaluators._distributed.tables import FieldTables, Moving, ShardedTable, Wire, sharded, sharded_fields
from evaluators._distributed.world import World
from evaluators._training.examples import Batch
from searchspaces.block import Source
from searchspaces.build import RankingModel

AnyTable = ShardedTable | FieldTables

WAYS: Mapping[str, tuple[bool, bool]] = MappingProxyType(
    {"loop": (False, False), "foreach": (True, False), "fused": (False, True)}
)
"""How AdamW goes through parameters: one after the other, an operation on all at a time, or all of it in one."""


@dataclass(frozen=True)
class Learning:
    """How ranks learn: the rate of AdamW outside tables, how rows move inside, and how a rank's batch is worked off.

    `accumulation` cuts a rank's batch into so many pieces, whose gradients add up to one step: activations take so
    much less memory. `dtype` is that of the matrix products, by autocast. `is_by_field` gives each field a table of its
    own. `dense` is one of `WAYS`.
    """

    rate: float = 1e-3
    moving: Moving = field(default_factory=Moving)
    accumulation: int = 1
    dtype: torch.dtype = torch.float32
    wire: Wire = field(default_factory=Wire)
    is_compiled: bool = False
    is_by_field: bool = False
    dense: str = "loop"


class Trainer:
    """One rank of a training. All ranks build it with the same models, and call `step` as often.

    The models have one architecture; their tables lie side by side, so that a row is looked up once for all of them,
    and nothing that one learns depends on another.
    """

    def __init__(self, models: Sequence[RankingModel], layout: Layout, world: World, learning: Learning) -> None:
        self._learning, self._layout, self._world = learning, layout, world
        self._models = [model.train() for model in models]
        self.tables = dict(self._shards())
        self._interaction: nn.Module = _Interaction(models)
        if learning.is_compiled:
            self._interaction.compile()
        if world.everyone.size > 1:
            self._interaction = DistributedDataParallel(self._interaction, process_group=world.everyone.handle)
        foreach, fused = WAYS[learning.dense]
        self._optimizer = torch.optim.AdamW(
            self._interaction.parameters(), lr=learning.rate, weight_decay=0.0, foreach=foreach, fused=fused
        )
        self._steps = 0

    def step(self, batch: Batch) -> float:
        """Learns from this rank's part of a batch and gives its mean loss there, over models too."""
        lookups = {name: source.lookups(batch.numeric, batch.categorical, table) for name, source, table in self._all()}
        vectors = {name: self.tables[name].fetch(rows).requires_grad_() for name, rows in lookups.items()}
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._backward(batch, vectors)
        self._optimizer.step()
        for name, one in vectors.items():
            gradient = torch.zeros_like(one) if one.grad is None else one.grad
            self.tables[name].learn(gradient)
        self._steps += 1
        if self._world.across.size > 1 and self._steps % self._layout.sync_interval == 0:
            for table in self.tables.values():
                table.average(self._world.across)
        return loss

    def assembled(self) -> RankingModel:
        """The first model with its whole tables, as this rank's group has them."""
        for name, source, table in self._all():
            source.tables()[table].module.weight.data = self.tables[name].whole().chunk(len(self._models), 1)[0]
        return self._models[0]

    def _backward(self, batch: Batch, vectors: Mapping[str, Tensor]) -> float:
        pieces, total = self._learning.accumulation, len(batch.label)
        loss_sum = 0.0
        for number, rows in enumerate(torch.arange(total).chunk(pieces)):
            piece = slice(int(rows[0]), int(rows[-1]) + 1)
            with self._quiet(is_last=number == pieces - 1):
                logits = self._logits(batch, {name: one[piece] for name, one in vectors.items()}, piece)
                label = batch.label[piece].expand_as(logits)
                # a sum over models: what one learns has no part of another
                loss = nn.functional.binary_cross_entropy_with_logits(logits, label, reduction="sum")
                (loss / total).backward()  # type: ignore[no-untyped-call]
            loss_sum += float(loss.detach())
        return loss_sum / total / len(self._models)

    def _logits(self, batch: Batch, vectors: Mapping[str, Tensor], piece: slice) -> Float[Tensor, "K piece"]:
        device, dtype = batch.label.device.type, self._learning.dtype
        with torch.autocast(device, dtype=dtype, enabled=dtype is not torch.float32):
            found: Tensor = self._interaction(batch.numeric[piece], batch.categorical[piece], vectors)
        return found.float()

    def _quiet(self, *, is_last: bool) -> Any:
        """Gradients are exchanged with the last piece alone."""
        if is_last or not isinstance(self._interaction, DistributedDataParallel):
            return nullcontext()
        return self._interaction.no_sync()

    def _shards(self) -> Iterator[tuple[str, AnyTable]]:
        """This rank's part of each table; the models keep none of it."""
        group, wire, moving = self._world.mine, self._learning.wire, self._learning.moving
        for at, source in self._models[0].sources().items():
            for key, table in source.tables().items():
                name, sizes = f"{at}.{key}", [rows for _, rows in table.parts]
                own = [model.sources()[at].tables()[key].module for model in self._models]
                whole = torch.cat([one.weight.detach() for one in own], 1) if len(own) > 1 else own[0].weight.detach()
                cut = (
                    sharded_fields
                    if self._learning.is_by_field and has_a_part_each(self._models[0], source, key)
                    else sharded
                )
                yield name, cut(whole, sizes, self._layout.of(name), group, wire, moving)
                for one in own:
                    one.weight = nn.Parameter(one.weight.detach()[:0].clone(), requires_grad=False)

    def _all(self) -> Iterator[tuple[str, Any, str]]:
        """Name, source and attribute of each table."""
        for at, source in self._models[0].sources().items():
            for table in source.tables():
                yield f"{at}.{table}", source, table


class _Interaction(nn.Module):
    """Everything of the models but their tables."""

    def __init__(self, models: Sequence[RankingModel]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    def forward(self, numeric: Tensor, categorical: Tensor, vectors: Mapping[str, Tensor]) -> Float[Tensor, "K B"]:
        """Logits from raw columns and the vectors by the name of their table, those of the models side by side."""
        own = {name: one.chunk(len(self.models), -1) for name, one in vectors.items()}
        found = [
            _logits_of(model, numeric, categorical, {name: parts[at] for name, parts in own.items()})
            for at, model in enumerate(self.models)
        ]
        return torch.stack(found)


def _logits_of(model: Any, numeric: Tensor, categorical: Tensor, vectors: Mapping[str, Tensor]) -> Tensor:
    raw = {}
    for at, source in model.sources().items():
        own = {table: vectors[f"{at}.{table}"] for table in source.tables()}
        raw[at] = source(numeric, categorical, own)
    found: Tensor = model.interact(raw)
    return found


def has_a_part_each(model: RankingModel, source: Source, table: str) -> bool:
    """Whether a batch looks as much up in a table as it has parts: then the j-th look-up is a row of part j."""
    found, schema = source.tables()[table], model.schema
    device = found.module.weight.device
    numbers = torch.zeros(1, len(schema.numeric), device=device)
    ids = torch.zeros(1, len(schema.categorical), dtype=torch.int64, device=device)
    return source.lookups(numbers, ids, table).shape[1] == len(found.parts)
