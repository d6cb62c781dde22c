"""Layer normalisation of a dense vector or of each field vector."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces import layers
from searchspaces._block_options import check_names
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block

__all__ = ["LayerNorm"]


class LayerNorm(Block):
    """(x - mean) / std * weight + bias over the width of a dense vector, or over the dimension of each field vector.

    Ba et al. (2016), Layer normalization. Weights begin at one. It has no options.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        self.norm = layers.LayerNorm(_width(inputs[0]))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Shape:
        """The shape of the one input."""
        check_names("layer_norm", options, ())
        if len(inputs) != 1:
            raise ArchitectureError(
                f"block 'layer_norm' takes one input, but got {len(inputs)}; put a 'concat' before it"
            )
        layers.check_norm_width("layer_norm", _width(inputs[0]))
        return inputs[0]

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Two numbers for each unit; all field vectors share theirs."""
        return layers.norm_cost("layer", _width(inputs[0]))

    def forward(self, *inputs: Float[Tensor, "batch ... width"]) -> Float[Tensor, "batch ... width"]:
        """Vectors of mean 0 and variance 1, scaled and shifted."""
        normal: Tensor = self.norm(inputs[0])
        return normal


def _width(shape: Shape) -> int:
    return shape.width if isinstance(shape, Dense) else shape.dim
