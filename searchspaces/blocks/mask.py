"""Mask block: a hidden layer on values that a mask of the example's features has weighed."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, fraction, positive, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._ports import ports
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, Dropout, concatenate, flat_width, linear_cost
from searchspaces.layers import LayerNorm, activation, activation_option, check_norm_width, norm_cost

__all__ = ["Mask"]

PORTS = ("value", "mask")


class Mask(Block):
    """activation(LN(W (mask * value))) with mask = W2 relu(W1 e + b1) + b2, where e comes in at port mask.

    Wang et al. (2021), MaskNet: introducing feature-wise multiplication to CTR ranking models by instance-guided mask.
    Inputs of one port are concatenated. In a serial MaskNet a block's value is the block before it, in a parallel one
    that of all blocks is the (normalised) embedding; the mask always comes from the embedding.

    Options: `ports`, value or mask for each input; `width` of the output; `ratio` of the mask's hidden units to the
    numbers of the value, 1 where not given; `layer_norm`, on where not given; `activation`, relu where not given;
    `dropout`, 0 where not given.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out = self.output(inputs, options).width
        self._places = ports("mask", inputs, options, PORTS)
        wide, hidden, value = _widths(inputs, options)
        self.mask = nn.Sequential(nn.Linear(wide, hidden), nn.ReLU(), nn.Linear(hidden, value))
        layers: list[nn.Module] = [nn.Linear(value, out, bias=False)]
        if flag("mask", options, "layer_norm", default=True):
            layers.append(LayerNorm(out))
        layers.append(activation(activation_option("mask", options)))
        dropout = fraction("mask", options, "dropout")
        self.layers = nn.Sequential(*layers, *([Dropout(dropout)] if dropout else []))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the option says."""
        check_names("mask", options, ("ports", "width", "ratio", "layer_norm", "activation", "dropout"))
        width = whole_number("mask", options, "width")
        if flag("mask", options, "layer_norm", default=True):
            check_norm_width("mask", width)
        activation_option("mask", options)
        fraction("mask", options, "dropout")
        _widths(inputs, options)
        return Dense(width)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The mask's two affine layers, the layer without bias and its norm."""
        wide, hidden, value = _widths(inputs, options)
        width = whole_number("mask", options, "width")
        norm = norm_cost("layer" if flag("mask", options, "layer_norm", default=True) else "none", width)
        masks = linear_cost(wide, hidden) + linear_cost(hidden, value)
        return masks + linear_cost(value, width, bias=False) + norm

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Hidden units of the masked value."""
        value, wide = (concatenate([inputs[at] for at in self._places[port]]) for port in PORTS)
        hidden: Tensor = self.layers(self.mask(wide) * value)
        return hidden


def _widths(inputs: Sequence[Shape], options: Options) -> tuple[int, int, int]:
    """Of what the mask is made from, of its hidden layer, and of the value."""
    places = ports("mask", inputs, options, PORTS)
    value, wide = (flat_width([inputs[at] for at in places[port]]) for port in PORTS)
    ratio = positive("mask", options, "ratio", default=1.0)
    hidden = int(value * ratio)
    if hidden < 1:
        raise ArchitectureError(
            f"'ratio' of block 'mask' must leave a hidden unit, but {ratio} of {value} numbers is none; raise it"
        )
    return wide, hidden, value
