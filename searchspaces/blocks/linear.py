"""Affine projection of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["Linear"]


class Linear(Block):
    """One layer without activation on the concatenation.

    Options: `width`; `bias`, on where not given.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        width = self.output(inputs, options).width
        self.layer = nn.Linear(flat_width(inputs), width, bias=flag("linear", options, "bias", default=True))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the option says."""
        check_names("linear", options, ("width", "bias"))
        flag("linear", options, "bias", default=True)
        return Dense(whole_number("linear", options, "width"))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """One affine layer."""
        width = whole_number("linear", options, "width")
        return linear_cost(flat_width(inputs), width, bias=flag("linear", options, "bias", default=True))

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """The projection."""
        projected: Tensor = self.layer(concatenate(inputs))
        return projected
