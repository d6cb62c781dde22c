"""Gated cross network: crosses that learn which of them matter, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["GatedCross"]


class GatedCross(Block):
    """x0 * (W x + b) * sigmoid(G x) + x, once per layer, where x0 is the concatenation.

    Wang et al. (2023), Towards deeper, lighter and interpretable cross network for CTR prediction (GDCN). Option:
    `layers`.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        width = self.output(inputs, options).width
        count = whole_number("gated_cross", options, "layers")
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(count))
        self.gates = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(count))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the concatenation."""
        check_names("gated_cross", options, ("layers",))
        whole_number("gated_cross", options, "layers")
        return Dense(flat_width(inputs))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """A square affine layer and a square gate without bias per cross."""
        width, count = flat_width(inputs), whole_number("gated_cross", options, "layers")
        layer = linear_cost(width, width) + linear_cost(width, width, bias=False)
        return Cost(layer.parameters * count, layer.macs * count)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Crosses of degree up to the number of layers plus one."""
        start = concatenate(inputs)
        crossed = start
        for layer, gate in zip(self.layers, self.gates, strict=True):
            crossed = start * layer(crossed) * torch.sigmoid(gate(crossed)) + crossed
        return crossed
