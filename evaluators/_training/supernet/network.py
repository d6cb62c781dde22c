"""The supernet: a candidate's model with shared weights, and a training step on several candidates at once.

A sub-network is the candidate's own stand-alone module, so that nothing has to be masked: norms see what they would see
alone, and what it computes is what a twin with the same weights computes. Only where the weights lie is shared: they
are taken from the place of each (see `places`), and the gradients go back there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._errors import DivergedError
from evaluators._training.examples import Batch
from evaluators._training.lookup import Lookup
from evaluators._training.supernet.gradients import Gradients
from evaluators._training.supernet.places import Place, find_places, shared_names, slots
from evaluators._training.supernet.settings import Rates
from evaluators._training.supernet.shared import Shared
from evaluators._training.supernet.tables import SharedTable, table_key
from searchspaces import Architecture, FeatureSchema
from searchspaces.block import Dropout, Table
from searchspaces.build import RankingModel, blank, initialise

MOST_PLACES = 256
"""Candidates whose places are remembered."""

EPSILON = 1e-2
"""Of AdaGrad outside tables, as in the published supernet of NASRec (Zhang et al. 2023)."""

CLIP = 5.0
"""Largest norm of a step's gradient outside tables (the same)."""


@dataclass(eq=False)
class Supernet:
    """Weights for every architecture on one schema, drawn when they are first trained.

    `dtype` is the precision of all of it. Letting it compute something never changes it: `step` alone does.
    """

    schema: FeatureSchema
    seed: int
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    steps: int = 0
    shared: dict[str, Shared] = field(default_factory=dict)
    tables: dict[str, SharedTable] = field(default_factory=dict)
    _places: dict[str, dict[str, Place]] = field(default_factory=dict, repr=False)

    def subnetwork(self, architecture: Architecture, *, again: RankingModel | None = None) -> RankingModel:
        """The stand-alone model of an architecture with a copy of its weights, its tables views of those shared.

        What has not been trained yet is drawn as `build` would. A model that it gave for the architecture before can be
        filled `again` with the weights as they are now, in half the time.
        """
        model, places = self._blank(architecture) if again is None else (again, self._placed(again))
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

        Raises:
            DivergedError: a loss is no finite number; then the weights stay as they are.
        """
        gradients = Gradients()
        lookups: dict[str, Lookup] = {}
        losses, statistics = [], []
        for architecture in architectures:
            model, places = self._blank(architecture)
            self._keep(places, self._fill(model, places))
            share = 1.0 / (batch_size * len(architectures))
            losses.append(self._backward(model, batch, lookups, gradients, share=share, offset=offset))
            gradients.add(model, places)
            statistics.append((places, _statistics(model, places)))
        found = torch.stack(losses)
        if not bool(torch.isfinite(found).all()):
            raise DivergedError(
                f"training a supernet must keep finite losses, but they were {found.tolist()}; lower the learning rate"
            )
        self._learn(gradients, lookups, rates)
        for places, values in statistics:
            self._keep(places, values)
        self.steps += 1
        return found

    def _backward(
        self,
        model: RankingModel,
        batch: Batch,
        lookups: dict[str, Lookup],
        gradients: Gradients,
        *,
        share: float,
        offset: float,
    ) -> Tensor:
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
                gradients.leaves.setdefault(key, []).append(leaf)
                vectors[name] = lookups[key].take(leaf)
            raw[at] = source(batch.numeric.to(self.dtype), batch.categorical, vectors)
        logits = model.interact(raw) + offset
        loss = binary_cross_entropy_with_logits(logits, batch.label.to(logits), reduction="sum")
        (loss * share).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _learn(self, gradients: Gradients, lookups: Mapping[str, Lookup], rates: Rates) -> None:
        for key, (labels, gradient) in gradients.summed(most=CLIP).items():
            self.shared[key].learn(labels, gradient, rate=rates.weights, epsilon=EPSILON)
        for key in gradients.leaves:
            found = gradients.of_table(key)
            if found:
                self.tables[key].learn(lookups[key], found, rate=rates.tables)

    def _blank(self, architecture: Architecture) -> tuple[RankingModel, dict[str, Place]]:
        model = blank(architecture, self.schema)
        places = self._placed(model)
        model = model.to(self.device, self.dtype)
        model.dtype = self.dtype
        for name, one in model.named_modules():
            if isinstance(one, Dropout):
                one.seed, one.role, one.step = self.seed, name, self.steps
        return model, places

    def _placed(self, model: RankingModel) -> dict[str, Place]:
        key = model.architecture.to_json()
        if key not in self._places:
            if len(self._places) >= MOST_PLACES:
                self._places.clear()
            self._places[key] = find_places(model)
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


def _statistics(model: RankingModel, places: Mapping[str, Place]) -> dict[str, Tensor]:
    """What norms over the batch have seen, by its name in the model."""
    buffers = dict(model.named_buffers())
    return {name: buffers[name] for name in places if name in buffers}


def _start(layer: nn.Module, key: str) -> None:
    """Draws a node's parameters, on the CPU wherever they are, since draws differ among devices."""
    device = next(layer.parameters()).device
    initialise(layer.to("cpu"), key)
    layer.to(device)
