"""Many candidates trained in one pass: they share rows, ids and stacked tables, and nothing that they learn.

Whoever else is in the cohort changes nothing: every operation on a member's numbers is the one that it would be alone,
so that a member's result is the same bit for bit in any company. Grouped members are the exception: a batched product
may round otherwise than a single one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._errors import EvaluatorError
from evaluators._training.compiling import Interact, compiled
from evaluators._training.examples import Batch
from evaluators._training.flat import Flat
from evaluators._training.grouping import Grouped
from evaluators._training.labels.averaging import newest_share
from evaluators._training.lookup import Lookup
from evaluators._training.optimizer import Optimizer
from evaluators._training.running_statistics import RunningStatistics
from evaluators._training.settings import TrainingSettings
from evaluators._training.stacked_tables import Column, StackedTables
from evaluators._training.way import Way
from searchspaces.block import Source
from searchspaces.build import RankingModel


@dataclass(eq=False)
class Member:
    """One model of a cohort with its flat parameters."""

    number: int
    model: RankingModel
    settings: TrainingSettings
    flats: tuple[Flat, ...]
    statistics: RunningStatistics
    sources: Mapping[int, Source] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, model: RankingModel, settings: TrainingSettings) -> Member:
        """Packs the parameters outside tables by the precision that they have.

        Raises:
            EvaluatorError: a source lacks the statistics that it was built to use.
        """
        _check_statistics(model)
        tables = {id(one) for source in model.sources().values() for one in _weights(source)}
        rest = [one for one in model.parameters() if id(one) not in tables]
        kinds = {one.dtype: None for one in rest}
        flats = tuple(Flat([one for one in rest if one.dtype == kind]) for kind in kinds)
        return cls(number, model, settings, flats, RunningStatistics(model), model.sources())

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


@dataclass(frozen=True, eq=False)
class Leaf:
    """Touched rows of one table of a member: where they belong, and what the backward pass leaves gradients in."""

    node: int
    name: str
    signature: str
    rows: Float[Tensor, "touched dim"]


class Cohort:
    """Models of one schema's fields, trained on the same batches.

    All compute in the precision that they were lowered to. Members are known by their number, which stays when others
    leave. `way` is how what is between sources and output is computed; a batch of another size is not worth compiling.
    """

    def __init__(
        self, models: Sequence[RankingModel], settings: Sequence[TrainingSettings], *, way: Way = Way.MEMBERWISE
    ) -> None:
        self._compiled: dict[int, Interact] = (
            {number: compiled(model) for number, model in enumerate(models)} if way is Way.COMPILED else {}
        )
        self._grouped = Grouped(dict(enumerate(models))) if way is Way.GROUPED else None
        self.members = {
            number: Member.of(number, model, own)
            for number, (model, own) in enumerate(zip(models, settings, strict=True))
        }
        self._askers: dict[str, tuple[Source, str]] = {}
        self._tables = self._stacked()
        self._optimizer = Optimizer({number: (one.flats, one.settings) for number, one in self.members.items()})
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
            signature: Lookup.of(
                source.lookups(batch.numeric, batch.categorical, name), self._tables[signature].rows, device
            )
            for signature, (source, name) in self._askers.items()
        }

    def step(self, batch: Batch, lookups: Mapping[str, Lookup], *, offset: float = 0.0) -> Float[Tensor, " members"]:
        """Log loss of each member summed over the batch, before its update; then updates all.

        `offset` is added to the logits while training: what down-sampling has done to the log-odds.
        """
        leaves = self._leaves(lookups)
        if self._grouped is None:
            losses = [
                self._loss(member, batch, leaves.get(number, ()), lookups, offset)
                for number, member in self.members.items()
            ]
        else:
            losses = self._losses(self._grouped, batch, leaves, lookups, offset)
        for signature, stack in self._tables.items():
            stack.update(lookups[signature])
        self._optimizer.step()
        return torch.stack(losses)

    def average(self, decay: float) -> None:
        """Takes the weights as they are into their exponential moving average (see `labels.averaging`)."""
        self._averages += 1
        share = newest_share(decay, self._averages)
        for stack in self._tables.values():
            stack.add_to_average(share)
        for member in self.members.values():
            member.statistics.add_to_average(share)
            for flat in member.flats:
                flat.add_to_average(share)

    def use(self, *, averaged: bool) -> None:
        """Puts averaged weights, or the last ones, into the models. Averaged ones end the training."""
        for stack in self._tables.values():
            stack.write_back(averaged=averaged)
        for member in self.members.values():
            member.statistics.use(averaged=averaged)
            for flat in member.flats:
                flat.use(averaged=averaged)

    def drop(self, number: int) -> None:
        """Lets a member leave; its model has its last weights."""
        rest = {signature: stack.without(number) for signature, stack in self._tables.items()}
        self._tables = {signature: stack for signature, stack in rest.items() if stack is not None}
        del self.members[number]
        self._optimizer.drop(number)
        if self._grouped is not None:
            self._grouped = self._grouped.without(number)
        self._askers = {}
        for member in self.members.values():
            self._remember(member)

    def _loss(
        self, member: Member, batch: Batch, leaves: Sequence[Leaf], lookups: Mapping[str, Lookup], offset: float
    ) -> Tensor:
        """One member's forward and backward pass, the one right after the other: its activations are still at hand."""
        raw = _raw(member, batch, leaves, lookups)
        is_whole = len(batch.label) == member.settings.batch_size
        compiled_one = self._compiled.get(member.number) if is_whole else None
        logits = (compiled_one or member.model.interact)(raw) + offset
        loss = binary_cross_entropy_with_logits(logits, batch.label, reduction="sum")
        (loss * (1.0 / member.settings.batch_size)).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _losses(
        self,
        grouped: Grouped,
        batch: Batch,
        leaves: Mapping[int, Sequence[Leaf]],
        lookups: Mapping[str, Lookup],
        offset: float,
    ) -> list[Tensor]:
        """All members' forward passes at once, and one backward pass: no member's loss depends on another's numbers."""
        logits = grouped(
            {number: _raw(one, batch, leaves.get(number, ()), lookups) for number, one in self.members.items()}
        )
        losses = {
            number: binary_cross_entropy_with_logits(found + offset, batch.label, reduction="sum")
            for number, found in logits.items()
        }
        shares = [one * (1.0 / self.members[number].settings.batch_size) for number, one in losses.items()]
        torch.autograd.backward(shares)
        return [losses[number].detach() for number in self.members]

    def _leaves(self, lookups: Mapping[str, Lookup]) -> dict[int, list[Leaf]]:
        """The touched rows of each member's tables."""
        found: dict[int, list[Leaf]] = {}
        for signature, stack in self._tables.items():
            for column, rows in zip(stack.columns, stack.take(lookups[signature]), strict=True):
                found.setdefault(column.member, []).append(Leaf(column.node, column.name, signature, rows))
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


def _raw(
    member: Member, batch: Batch, leaves: Sequence[Leaf], lookups: Mapping[str, Lookup]
) -> dict[int, Float[Tensor, "batch ..."]]:
    """What the sources of a member give for a batch, while it trains."""
    if not member.model.training:
        member.model.train()
    vectors: dict[int, dict[str, Tensor]] = {}
    for one in leaves:
        vectors.setdefault(one.node, {})[one.name] = lookups[one.signature].take(one.rows)
    return {at: source(batch.numeric, batch.categorical, vectors.get(at, {})) for at, source in member.sources.items()}


def _check_statistics(model: RankingModel) -> None:
    for at, source in model.sources().items():
        buffers = [one for one in source.buffers() if one.is_floating_point() and one.device.type != "meta"]
        if any(bool(torch.isnan(one).any()) for one in buffers):
            raise EvaluatorError(
                f"the source {model.architecture.nodes[at].block!r} needs statistics of the training part, but the "
                "schema that the model was built for has none; build it for the schema of prepared data"
            )


def _weights(source: Source) -> list[Tensor]:
    return [table.module.weight for table in source.tables().values()]
