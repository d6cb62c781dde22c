"""Members of a cohort side by side: blocks of one kind and shape are one operation on stacked tensors.

For devices on which starting an operation costs more than its arithmetic: four matrix products of one shape become one
batched product. Where nothing is alike it is what members would do one by one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from searchspaces.block import Dropout, precise
from searchspaces.build import RankingModel
from searchspaces.layers import BatchNorm


@dataclass(frozen=True, eq=False)
class _Place:
    """A node of one member, with what it waits for."""

    member: int
    at: int
    inputs: tuple[int, ...]
    layer: nn.Module


class Grouped:
    """The `interact` of many models as one.

    Nodes of one depth do not wait for each other; those among them that have one block, its options, and parameters of
    one shape are computed at once. A block with masks of its own or a backward pass written by hand stays alone, and so
    does a whole model with a batch norm: biases before it have gradients of rounding errors alone, of which Adam makes
    whole steps, so that the rounding of a batched product would change its NE in the third digit.
    """

    def __init__(self, models: Mapping[int, RankingModel]) -> None:
        self._models = dict(models)
        self._waves = _waves(self._models)

    def __call__(
        self, raw: Mapping[int, Mapping[int, Float[Tensor, "batch ..."]]]
    ) -> dict[int, Float[Tensor, " batch"]]:
        """Logits, not below single precision, of each model, from what the sources of each give."""
        known = {
            number: {at: one.to(self._models[number].dtype) for at, one in found.items()}
            for number, found in raw.items()
        }
        for wave in self._waves:
            for group in wave:
                inputs = [[known[one.member][at] for at in one.inputs] for one in group]
                for one, output in zip(group, _outputs(group, inputs), strict=True):
                    known[one.member][one.at] = output
        return {number: precise(found[max(found)]).squeeze(1) for number, found in known.items()}

    def without(self, number: int) -> Grouped:
        """The same without one model."""
        return Grouped({one: model for one, model in self._models.items() if one != number})

    @property
    def sizes(self) -> list[int]:
        """Members of each group, the first to be computed first."""
        return [len(group) for wave in self._waves for group in wave]


def _waves(models: Mapping[int, RankingModel]) -> list[list[list[_Place]]]:
    """Places by depth, those of a depth by what is alike."""
    by_depth: dict[int, dict[Hashable, list[_Place]]] = {}
    for number, model in models.items():
        depths: list[int] = []
        is_alone = any(isinstance(one, BatchNorm) for one in model.modules())
        for at, (node, layer) in enumerate(zip(model.architecture.nodes, model.nodes.values(), strict=True)):
            depths.append(1 + max((depths[one] for one in node.inputs), default=-1))
            if node.inputs:
                own = (number, at)
                alike = own if is_alone or _is_alone(layer) else (node.block, node.options, _shape(layer))
                place = _Place(number, at, node.inputs, layer)
                by_depth.setdefault(depths[at], {}).setdefault(alike, []).append(place)
    return [list(by_depth[depth].values()) for depth in sorted(by_depth)]


def _is_alone(layer: nn.Module) -> bool:
    return any(
        (isinstance(one, Dropout) and one.share > 0) or getattr(one, "is_by_hand", False) for one in layer.modules()
    )


def _shape(layer: nn.Module) -> Hashable:
    """Equal for layers of one block with equal options that can be one operation."""
    tensors = [*layer.named_parameters(), *layer.named_buffers()]
    return tuple((name, tuple(one.shape), one.dtype) for name, one in tensors)


def _outputs(group: Sequence[_Place], inputs: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
    """What each place gives; places whose inputs differ in shape, as those of one block may, go one by one."""
    shapes = {tuple(tuple(one.shape) for one in given) for given in inputs}
    if len(group) == 1 or len(shapes) > 1:
        return [one.layer(*given) for one, given in zip(group, inputs, strict=True)]
    names = [name for name, _ in (*group[0].layer.named_parameters(), *group[0].layer.named_buffers())]
    stacked = {name: torch.stack([_tensor(one.layer, name) for one in group]) for name in names}
    given = tuple(torch.stack(found) for found in zip(*inputs, strict=True))
    layer = group[0].layer
    together = vmap(lambda weights, arguments: functional_call(layer, weights, arguments))
    found: Tensor = together(stacked, given)
    return found.unbind()


def _tensor(layer: nn.Module, name: str) -> Tensor:
    owner, _, own = name.rpartition(".")
    found: Tensor = getattr(layer.get_submodule(owner), own)
    return found
