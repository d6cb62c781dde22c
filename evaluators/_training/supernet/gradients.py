"""Gradients of one step, each at the place of what is shared, before they become a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from evaluators._training.supernet.axes import Labels
from evaluators._training.supernet.places import Place
from searchspaces.build import RankingModel

Part = tuple[tuple[Labels, ...], Tensor]
"""The labels along each axis, and the gradient there."""


@dataclass(eq=False)
class Gradients:
    """What backward passes on one batch left: outside tables by key, and in the touched rows of tables."""

    parts: dict[str, list[Part]] = field(default_factory=dict)
    tables: dict[str, list[Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: RankingModel, places: Mapping[str, Place], leaves: Mapping[str, Sequence[Tensor]]) -> Gradients:
        """Those of one candidate's parameters and of its leaves of tables; what the loss did not reach has none."""
        found = cls()
        parameters = dict(model.named_parameters())
        for name, place in places.items():
            one = parameters.get(name)
            if one is not None and one.grad is not None:
                found.parts.setdefault(place.key, []).append((place.labels, one.grad))
        for key, own in leaves.items():
            found.tables[key] = [one.grad for one in own if one.grad is not None]
        return found

    def scale(self, *, most: float) -> float | None:
        """By what to multiply for a norm outside tables of at most `most`; None where something is no finite number.

        Tables follow: what explodes in the layers explodes in the rows that they take, too.
        """
        norm = math.sqrt(sum(float(summed(parts)[1].square().sum()) for parts in self.parts.values()))
        rows = sum(float(one.abs().sum()) for own in self.tables.values() for one in own)
        if not math.isfinite(norm + rows):
            return None
        return min(1.0, most / norm) if norm > 0.0 else 1.0

    def add(self, other: Gradients, *, scale: float) -> None:
        """Takes those of another candidate of the step, multiplied."""
        for key, parts in other.parts.items():
            self.parts.setdefault(key, []).extend((labels, _times(one, scale)) for labels, one in parts)
        for key, own in other.tables.items():
            self.tables.setdefault(key, []).extend(_times(one, scale) for one in own)

    def summed(self) -> dict[str, Part]:
        """One gradient for each key outside tables."""
        return {key: summed(parts) for key, parts in self.parts.items()}


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


def _times(gradient: Tensor, scale: float) -> Tensor:
    return gradient if scale == 1.0 else gradient * scale
