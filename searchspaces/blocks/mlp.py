"""Multilayer perceptron on the concatenation of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, fraction, whole_number, whole_numbers
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, Dropout, concatenate, flat_width, linear_cost

__all__ = ["MLP"]


class MLP(Block):
    """Linear and ReLU, once per width.

    Options: `width` for one layer or `widths` for several; `dropout` after each, 0 where not given.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        dropout = fraction("mlp", options, "dropout")
        layers: list[nn.Module] = []
        for wide, out in pairwise((flat_width(inputs), *_widths(options))):
            layers += [nn.Linear(wide, out), nn.ReLU()]
            if dropout:
                layers.append(Dropout(dropout))
        self.layers = nn.Sequential(*layers)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the last layer."""
        fraction("mlp", options, "dropout")
        return Dense(_widths(options)[-1])

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The sum over the affine layers."""
        layers = pairwise((flat_width(inputs), *_widths(options)))
        return sum((linear_cost(wide, out) for wide, out in layers), Cost())

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Hidden units of the last layer, none below zero."""
        hidden: Tensor = self.layers(concatenate(inputs))
        return hidden


def _widths(options: Options) -> tuple[int, ...]:
    check_names("mlp", options, ("width", "widths", "dropout"))
    if ("width" in options) == ("widths" in options):
        raise ArchitectureError(f"block 'mlp' needs either 'width' or 'widths', but has {sorted(options)}")
    if "width" in options:
        return (whole_number("mlp", options, "width"),)
    return whole_numbers("mlp", options, "widths")
