"""Gradients of one step, each at the place of what is shared, before they become a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from evaluators._errors import DivergedError
from evaluators._training.supernet.axes import Labels
from evaluators._training.supernet.places import Place
from searchspaces.build import RankingModel

Part = tuple[tuple[Labels, ...], Tensor]
"""The labels along each axis, and the gradient there."""


@dataclass(eq=False)
class Gradients:
    """What the backward passes of several candidates on one batch left: outside tables by key, and leaves of tables."""

    parts: dict[str, list[Part]] = field(default_factory=dict)
    leaves: dict[str, list[Tensor]] = field(default_factory=dict)

    def add(self, model: RankingModel, places: Mapping[str, Place]) -> None:
        """Takes those of a model's parameters; what the loss did not reach has none."""
        parameters = dict(model.named_parameters())
        for name, place in places.items():
            one = parameters.get(name)
            if one is not None and one.grad is not None:
                self.parts.setdefault(place.key, []).append((place.labels, one.grad))

    def summed(self, *, most: float) -> dict[str, Part]:
        """One gradient for each key, all scaled down where their norm together is above `most`.

        Raises:
            DivergedError: the norm is no finite number: a weight that is none would count as one that was never drawn.
        """
        found = {key: summed(parts) for key, parts in self.parts.items()}
        norm = math.sqrt(sum(float(gradient.square().sum()) for _, gradient in found.values()))
        if not math.isfinite(norm):
            raise DivergedError(
                f"training a supernet must keep finite gradients, but their norm was {norm}; lower the learning rate"
            )
        scale = min(1.0, most / norm) if norm > 0.0 else 1.0
        return {key: (labels, gradient * scale) for key, (labels, gradient) in found.items()}

    def of_table(self, key: str) -> list[Tensor]:
        """Gradients of the touched rows of a table, one for each candidate that took them."""
        return [one.grad for one in self.leaves[key] if one.grad is not None]


def summed(parts: Sequence[Part]) -> Part:
    """The sum of parts, at all labels that one of them has along each axis."""
    if len(parts) == 1:
        return parts[0]
    axes = range(len(parts[0][0]))
    labels = tuple(np.unique(np.concatenate([own[axis] for own, _ in parts])) for axis in axes)
    total = parts[0][1].new_zeros(tuple(len(one) for one in labels))
    for own, gradient in parts:
        places = [torch.from_numpy(np.searchsorted(all_, one)) for all_, one in zip(labels, own, strict=True)]
        shaped = [one.view([-1 if axis == at else 1 for axis in axes]) for at, one in enumerate(places)]
        total.index_put_(tuple(one.to(total.device) for one in shaped), gradient, accumulate=True)
    return labels, total
