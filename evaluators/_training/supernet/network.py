"""The supernet: a candidate's model with shared weights, and a training step on several candidates at once.

A sub-network is the candidate's own stand-alone module, so that nothing has to be masked: norms see what they would see
alone, and what it computes is what a twin with the same weights computes. Only where the weights lie is shared: they
are taken from the place of each (see `places`), and the gradients go back there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._errors import DivergedError
from evaluators._training.examples import Batch
from evaluators._training.grouping import Grouped
from evaluators._training.lookup import Lookup
from evaluators._training.supernet.gradients import Gradients
from evaluators._training.supernet.places import Place, find_places, shared_names, slots
from evaluators._training.supernet.settings import Rates
from evaluators._training.supernet.shared import Shared
from evaluators._training.supernet.tables import SharedTable, table_key
from searchspaces import Architecture, FeatureSchema
from searchspaces.block import Dropout, Table
from searchspaces.build import RankingModel, blank, initialise
from searchspaces.layers import BatchNorm

MOST_PLACES = 256
"""Candidates whose places are remembered."""

EPSILON = 1e-2
"""Of AdaGrad outside tables, as in the published supernet of NASRec (Zhang et al. 2023)."""

CLIP = 5.0
"""Largest norm of a candidate's gradient outside tables (the same, where a step has one candidate)."""

BARREN = 50
"""Steps in a row without a candidate that can be trained, after which training has lost its footing."""


class _Member(NamedTuple):
    """A candidate of a step: its model, the places of its tensors, those drawn for it, touched rows, raw fields."""

    model: RankingModel
    places: dict[str, Place]
    drawn: dict[str, Tensor]
    leaves: dict[str, list[Tensor]]
    raw: dict[int, Tensor]


@dataclass(eq=False)
class Supernet:
    """Weights for every architecture on one schema, drawn when they are first trained.

    `dtype` is the precision of all of it; the last `barren` of its `steps` had no candidate that could be trained.
    `rows` were trained on in all, each counted for every candidate of its step. Where it is `grouped`, by default on a
    GPU, candidates of a step pass at once, alike blocks as one operation: the same but for rounding.
    Letting it compute something never changes it: `step` alone does.
    """

    schema: FeatureSchema
    seed: int
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    steps: int = 0
    barren: int = 0
    rows: int = 0
    grouped: bool | None = None
    shared: dict[str, Shared] = field(default_factory=dict)
    tables: dict[str, SharedTable] = field(default_factory=dict)
    _places: dict[str, dict[str, Place]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.grouped is None:
            self.grouped = self.device.type == "cuda"

    def subnetwork(self, architecture: Architecture, *, again: RankingModel | None = None) -> RankingModel:
        """The stand-alone model of an architecture with a copy of its weights, its tables views of those shared.

        What has not been trained yet is drawn as `build` would. A model that it gave for the architecture before can be
        filled `again` with the weights as they are now, in half the time.
        """
        model, places = self._blank(architecture) if again is None else (again, self._placed(architecture))
        self._fill(model, places)
        for layer in model.sources().values():
            for table in layer.tables().values():
                known = self.tables.get(table_key(type(layer).__name__, table)) or self._fresh_table(table)
                table.module.weight.data = known.view(table.module.embedding_dim)
        return model

    def step(
        self, architectures: Sequence[Architecture], batch: Batch, rates: Rates, *, batch_size: int, offset: float = 0.0
    ) -> Float[Tensor, " architectures"]:
        """Log loss of each summed over the batch, before the weights take a step against their mean gradient.

        Each counts with a gradient of norm `CLIP` at most. One whose loss or gradient is no finite number does not
        count, and has the loss NaN: products of products without a norm between them overflow in some candidates of a
        space, which are no reason to lose the others.

        Raises:
            DivergedError: none of the candidates of the last `BARREN` steps could be trained.
        """
        gradients = Gradients()
        lookups: dict[str, Lookup] = {}
        losses, statistics = [], []
        share = 1.0 / (batch_size * len(architectures))
        trained = self._together if self.grouped and len(architectures) > 1 else self._one_by_one
        for member, loss in trained(architectures, batch, lookups, share=share, offset=offset):
            own = Gradients.of(member.model, member.places, member.leaves)
            scale = own.scale(most=CLIP / len(architectures)) if bool(torch.isfinite(loss)) else None
            losses.append(loss if scale is not None else torch.full_like(loss, torch.nan))
            if scale is not None:
                self._keep(member.places, member.drawn)
                gradients.add(own, scale=scale)
                statistics.append((member.places, _statistics(member.model, member.places)))
        self._count(barren=not statistics)
        self._learn(gradients, lookups, rates)
        for places, values in statistics:
            self._keep(places, values)
        self.steps += 1
        self.rows += len(batch.label) * len(architectures)
        return torch.stack(losses)

    def _count(self, *, barren: bool) -> None:
        self.barren = self.barren + 1 if barren else 0
        if self.barren >= BARREN:
            raise DivergedError(
                f"training a supernet must keep the loss of some candidate finite, but for {BARREN} steps up to step "
                f"{self.steps} there was none; lower the learning rate"
            )

    def _one_by_one(
        self, architectures: Sequence[Architecture], batch: Batch, lookups: dict[str, Lookup], **how: float
    ) -> Iterator[tuple[_Member, Tensor]]:
        """Each with its loss, after its backward pass; one has what those before it have drawn."""
        for architecture in architectures:
            member = self._member(architecture, batch, lookups)
            (loss,) = _backward([member.model.interact(member.raw)], batch, **how)
            yield member, loss

    def _together(
        self, architectures: Sequence[Architecture], batch: Batch, lookups: dict[str, Lookup], **how: float
    ) -> Iterator[tuple[_Member, Tensor]]:
        """The same with one pass for all: blocks of one kind and shape are one operation.

        What somebody has drawn is there for those behind it at once, so that it stays even where he overflows.
        """
        members = []
        for architecture in architectures:
            members.append(self._member(architecture, batch, lookups))
            self._keep(members[-1].places, members[-1].drawn)
        found = Grouped({at: one.model for at, one in enumerate(members)})(
            {at: one.raw for at, one in enumerate(members)}
        )
        losses = _backward([found[at] for at in range(len(members))], batch, **how)
        yield from zip(members, losses, strict=True)

    def _member(self, architecture: Architecture, batch: Batch, lookups: dict[str, Lookup]) -> _Member:
        """A candidate of a step, with what its sources give."""
        model, places = self._blank(architecture)
        drawn, leaves = self._fill(model, places), dict[str, list[Tensor]]()
        model.train()
        raw = {}
        for at, source in model.sources().items():
            vectors = {}
            for name, table in source.tables().items():
                key, dim = table_key(type(source).__name__, table), table.module.embedding_dim
                if key not in self.tables:
                    self.tables[key] = self._fresh_table(table)
                own = self.tables[key]
                own.widen(dim)
                if key not in lookups:
                    rows = source.lookups(batch.numeric, batch.categorical, name)
                    lookups[key] = Lookup.of(rows, len(own.weight), self.device)
                leaf = own.take(lookups[key], dim)
                leaves.setdefault(key, []).append(leaf)
                vectors[name] = lookups[key].take(leaf)
            raw[at] = source(batch.numeric.to(self.dtype), batch.categorical, vectors)
        return _Member(model, places, drawn, leaves, raw)

    def _learn(self, gradients: Gradients, lookups: Mapping[str, Lookup], rates: Rates) -> None:
        for key, (labels, gradient) in gradients.summed().items():
            self.shared[key].learn(labels, gradient, rate=rates.weights, epsilon=EPSILON)
        for key, found in gradients.tables.items():
            if found:
                self.tables[key].learn(lookups[key], found, rate=rates.tables)

    def _blank(self, architecture: Architecture) -> tuple[RankingModel, dict[str, Place]]:
        model = blank(architecture, self.schema)
        places = self._placed(architecture, model)
        model = model.to(self.device, self.dtype)
        model.dtype = self.dtype
        for name, one in model.named_modules():
            if isinstance(one, Dropout):
                one.seed, one.role, one.step = self.seed, name, self.steps
            elif isinstance(one, BatchNorm):
                one.step = self.steps  # what it has seen is a moving average over all candidates
        return model, places

    def _placed(self, architecture: Architecture, model: RankingModel | None = None) -> dict[str, Place]:
        """Places of an architecture's tensors, found on a model of it that lies on the CPU."""
        key = architecture.to_json()
        if key not in self._places:
            if len(self._places) >= MOST_PLACES:
                self._places.clear()
            self._places[key] = find_places(model or blank(architecture, self.schema))
        return self._places[key]

    def _fill(self, model: RankingModel, places: Mapping[str, Place]) -> dict[str, Tensor]:
        """Puts the shared weights into the model; what was drawn for it, as whole tensors by their name."""
        names, drawn = slots(model.architecture.nodes), {}
        for slot, (name, layer) in zip(names, model.nodes.items(), strict=True):
            own = {f"nodes.{name}.{path}": one for path, one in shared_names(layer).items()}
            taken = {path: self._taken(places[path], one) for path, one in own.items()}
            lacking = [path for path, one in taken.items() if bool(torch.isnan(one).any())]
            if lacking:
                _start(layer, f"{self.seed}|{slot}")
                own = {f"nodes.{name}.{path}": one for path, one in shared_names(layer).items()}  # buffers are new ones
            for path, one in own.items():
                if path in lacking:
                    taken[path] = torch.where(torch.isnan(taken[path]), one.detach(), taken[path])
                    drawn[path] = taken[path]
                one.data = taken[path].clone() if path in lacking else taken[path]
        return drawn

    def _taken(self, place: Place, like: Tensor) -> Tensor:
        if place.key in self.shared:
            return self.shared[place.key].take(place.labels)
        return torch.full_like(like.detach(), torch.nan)

    def _keep(self, places: Mapping[str, Place], values: Mapping[str, Tensor]) -> None:
        for name, one in values.items():
            place = places[name]
            if place.key not in self.shared:
                self.shared[place.key] = Shared.empty(len(place.labels), one.detach())
            self.shared[place.key].put(place.labels, one)

    def _fresh_table(self, table: Table) -> SharedTable:
        return SharedTable.of(table, self.seed, like=torch.zeros(0, dtype=self.dtype, device=self.device))


def _backward(logits: Sequence[Tensor], batch: Batch, *, share: float, offset: float) -> list[Tensor]:
    """Log loss of each summed over the batch; gradients are those of `share` times that."""
    found = [binary_cross_entropy_with_logits(one + offset, batch.label.to(one), reduction="sum") for one in logits]
    torch.autograd.backward([one * share for one in found])
    return [one.detach() for one in found]


def _statistics(model: RankingModel, places: Mapping[str, Place]) -> dict[str, Tensor]:
    """What norms over the batch have seen, by its name in the model."""
    buffers = dict(model.named_buffers())
    return {name: buffers[name] for name in places if name in buffers}


def _start(layer: nn.Module, key: str) -> None:
    """Draws a node's parameters, on the CPU wherever they are, since draws differ among devices."""
    device = next(layer.parameters()).device
    initialise(layer.to("cpu"), key)
    layer.to(device)
