"""Many candidates trained in one pass: they share rows, ids and stacked tables, and nothing that they learn.

Whoever else is in the cohort changes nothing: every operation on a member's numbers is the one that it would be alone,
so that a member's result is the same bit for bit in any company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._training.examples import Batch
from evaluators._training.flat import Flat
from evaluators._training.labels.averaging import newest_share
from evaluators._training.lookup import Lookup
from evaluators._training.settings import TrainingSettings
from evaluators._training.stacked_tables import Column, StackedTables
from searchspaces.block import Source
from searchspaces.build import RankingModel


@dataclass(eq=False)
class Member:
    """One model of a cohort with its flat parameters and its optimizer."""

    number: int
    model: RankingModel
    settings: TrainingSettings
    flats: tuple[Flat, ...]
    optimizer: torch.optim.Optimizer | None
    sources: Mapping[int, Source] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, model: RankingModel, settings: TrainingSettings) -> Member:
        """Packs the parameters outside tables by the precision that they have."""
        tables = {id(one) for source in model.sources().values() for one in _weights(source)}
        rest = [one for one in model.parameters() if id(one) not in tables]
        kinds = {one.dtype: None for one in rest}
        flats = tuple(Flat([one for one in rest if one.dtype == kind]) for kind in kinds)
        masters = [one.master for one in flats]
        optimizer = None
        if masters:
            optimizer = torch.optim.AdamW(
                masters,
                lr=settings.learning_rate,
                weight_decay=settings.weight_decay,
                fused=masters[0].device.type != "meta",
            )
        return cls(number, model, settings, flats, optimizer, model.sources())

    def columns(self) -> list[tuple[str, Column]]:
        """Its tables, each with the signature of its ids."""
        return [
            (
                table.signature,
                Column(
                    self.number,
                    at,
                    name,
                    table.module,
                    self.settings.table_learning_rate,
                    self.settings.embedding_weight_decay,
                ),
            )
            for at, source in self.sources.items()
            for name, table in source.tables().items()
        ]

    def step(self) -> None:
        """Moves everything outside tables."""
        if self.optimizer is None:
            return
        for flat in self.flats:
            flat.hand_over()
        self.optimizer.step()
        for flat in self.flats:
            flat.follow()
            flat.forget()


class Cohort:
    """Models of one schema's fields, trained on the same batches.

    All compute in the precision that they were lowered to. Members are known by their number, which stays when others
    leave.
    """

    def __init__(self, models: Sequence[RankingModel], settings: Sequence[TrainingSettings]) -> None:
        self.members = {
            number: Member.of(number, model, own)
            for number, (model, own) in enumerate(zip(models, settings, strict=True))
        }
        self._askers: dict[str, tuple[Source, str]] = {}
        self._tables = self._stacked()
        self._averages = 0

    @property
    def signatures(self) -> frozenset[str]:
        """What look-ups a step needs."""
        return frozenset(self._tables)

    def release(self) -> None:
        """Lets go of flat vectors: the models get parameters of their own, in single precision and not rounded."""
        for member in self.members.values():
            member.model.lower(torch.float32)
            for flat in member.flats:
                flat.release()

    def lookups(self, batch: Batch) -> dict[str, Lookup]:
        """What the batch touches in each stack, found once for all members."""
        device = batch.label.device
        return {
            signature: Lookup.of(source.lookups(batch.categorical, name), self._tables[signature].rows, device)
            for signature, (source, name) in self._askers.items()
        }

    def step(self, batch: Batch, lookups: Mapping[str, Lookup], *, offset: float = 0.0) -> Float[Tensor, " members"]:
        """Log loss of each member summed over the batch, before its update; then updates all.

        `offset` is added to the logits while training: what down-sampling has done to the log-odds.
        """
        vectors = self._vectors(lookups)
        losses = []
        for number, member in self.members.items():
            member.model.train()
            raw = {at: source(batch.numeric, vectors.get((number, at), {})) for at, source in member.sources.items()}
            logits = member.model.interact(raw) + offset
            losses.append(binary_cross_entropy_with_logits(logits, batch.label, reduction="sum"))
        scales = [1.0 / member.settings.batch_size for member in self.members.values()]
        torch.stack([loss * scale for loss, scale in zip(losses, scales, strict=True)]).sum().backward()  # type: ignore[no-untyped-call]
        for signature, stack in self._tables.items():
            stack.update(lookups[signature])
        for member in self.members.values():
            member.step()
        return torch.stack([loss.detach() for loss in losses])

    def average(self, decay: float) -> None:
        """Takes the weights as they are into their exponential moving average (see `labels.averaging`)."""
        self._averages += 1
        share = newest_share(decay, self._averages)
        for stack in self._tables.values():
            stack.add_to_average(share)
        for member in self.members.values():
            for flat in member.flats:
                flat.add_to_average(share)

    def use(self, *, averaged: bool) -> None:
        """Puts averaged weights, or the last ones, into the models. Averaged ones end the training."""
        for stack in self._tables.values():
            stack.write_back(averaged=averaged)
        for member in self.members.values():
            for flat in member.flats:
                flat.use(averaged=averaged)

    def drop(self, number: int) -> None:
        """Lets a member leave; its model has its last weights."""
        rest = {signature: stack.without(number) for signature, stack in self._tables.items()}
        self._tables = {signature: stack for signature, stack in rest.items() if stack is not None}
        del self.members[number]
        self._askers = {}
        for member in self.members.values():
            self._remember(member)

    def _vectors(self, lookups: Mapping[str, Lookup]) -> dict[tuple[int, int], dict[str, Tensor]]:
        """What each source of each member has looked up."""
        found: dict[tuple[int, int], dict[str, Tensor]] = {}
        for signature, stack in self._tables.items():
            leaves = stack.take(lookups[signature])
            for column, leaf in zip(stack.columns, leaves, strict=True):
                found.setdefault((column.member, column.node), {})[column.name] = lookups[signature].take(leaf)
        return found

    def _stacked(self) -> dict[str, StackedTables]:
        columns: dict[str, list[Column]] = {}
        for member in self.members.values():
            self._remember(member)
            for signature, column in member.columns():
                columns.setdefault(signature, []).append(column)
        dtype = next(iter(self.members.values())).model.dtype
        return {signature: StackedTables(found, dtype=dtype) for signature, found in columns.items()}

    def _remember(self, member: Member) -> None:
        """Who can tell the row numbers of each stack."""
        for source in member.sources.values():
            for name, table in source.tables().items():
                self._askers.setdefault(table.signature, (source, name))


def _weights(source: Source) -> list[Tensor]:
    return [table.module.weight for table in source.tables().values()]
