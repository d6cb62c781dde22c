"""Cross network: feature crosses of bounded degree on the concatenation of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["Cross"]


class Cross(Block):
    """x0 * (W x + b) + x, once per layer, with full-rank matrices.

    Wang et al. (2021), DCN V2: improved deep and cross network. Option: `layers`.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        width = self.output(inputs, options).width
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(_layers(options)))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the concatenation."""
        _layers(options)
        return Dense(flat_width(inputs))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """One square affine layer per cross."""
        width = flat_width(inputs)
        layer = linear_cost(width, width)
        return Cost(layer.parameters * _layers(options), layer.macs * _layers(options))

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Crosses of degree up to the number of layers plus one."""
        start = concatenate(inputs)
        crossed = start
        for layer in self.layers:
            crossed = start * layer(crossed) + crossed
        return crossed


def _layers(options: Options) -> int:
    check_names("cross", options, ("layers",))
    return whole_number("cross", options, "layers")
