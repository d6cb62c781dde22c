"""Multilayer perceptron on the concatenation of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width
from searchspaces.layers import HiddenLayers

__all__ = ["MLP"]


class MLP(Block):
    """Linear, norm, activation and dropout, once per width.

    The order within a layer is that of Zhu et al. (2022), BARS: towards open benchmarking for recommender systems.

    Options: `width` for one layer or `widths` for several; `norm`: none (where not given), batch or layer, with two
    parameters for each unit; `activation`: relu (where not given), silu, gelu, leaky_relu, tanh, sigmoid or none;
    `dropout` after each, 0 where not given. What becomes of the running statistics of a batch norm is told at
    `searchspaces.layers.BatchNorm`.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.layers = _hidden(options).build(flat_width(inputs))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the last layer."""
        return Dense(_hidden(options).widths[-1])

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The affine layers, and two numbers for each normalised unit."""
        return _hidden(options).cost(flat_width(inputs))

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Hidden units of the last layer."""
        hidden: Tensor = self.layers(concatenate(inputs))
        return hidden


def _hidden(options: Options) -> HiddenLayers:
    check_names("mlp", options, HiddenLayers.NAMES)
    return HiddenLayers.of("mlp", options)
