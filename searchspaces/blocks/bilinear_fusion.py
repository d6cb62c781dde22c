"""Fusion of two streams into one number by a bilinear form with several heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._ports import ports
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["BilinearFusion"]

PORTS = ("first", "second")


class BilinearFusion(Block):
    """w1 a + b1 + w2 b + b2 + sum over heads h of a_h W_h b_h, where a head is an equal share of each stream.

    Mao et al. (2023), FinalMLP: an enhanced two-stream MLP model for CTR prediction. Inputs of one port are
    concatenated. It may be the output of a model.

    Options: `ports`, first or second for each input; `heads`, 1 where not given, a divisor of both widths.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        self._places = ports("bilinear_fusion", inputs, options, PORTS)
        first, second, self._heads = _sizes(inputs, options)
        self.first, self.second = nn.Linear(first, 1), nn.Linear(second, 1)
        # one row, so that it is drawn as what it is: weights of the sum over all pairs of units
        self.pairs = nn.Parameter(torch.empty(1, first * second // self._heads))
        nn.init.xavier_uniform_(self.pairs)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number."""
        check_names("bilinear_fusion", options, ("ports", "heads"))
        first, second, heads = _sizes(inputs, options)
        if first % heads or second % heads:
            raise ArchitectureError(
                f"'heads' of block 'bilinear_fusion' must divide both widths, but {heads} does not divide "
                f"{first} and {second}; take a common divisor"
            )
        return Dense(1)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """An affine unit for each stream and the heads; the second half of the form is elementwise."""
        first, second, heads = _sizes(inputs, options)
        pairs = first * second // heads
        return linear_cost(first, 1) + linear_cost(second, 1) + Cost(pairs, pairs)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch 1"]:
        """Log-odds of a click."""
        first, second = (concatenate([inputs[at] for at in self._places[port]]).to(self.pairs) for port in PORTS)
        heads = first.view(len(first), self._heads, -1).transpose(0, 1)
        weights = self.pairs.view(self._heads, heads.shape[2], -1)
        mapped = torch.bmm(heads, weights).transpose(0, 1).flatten(1)
        linear: Tensor = self.first(first) + self.second(second)
        return linear + (mapped * second).sum(1, keepdim=True)


def _sizes(inputs: Sequence[Shape], options: Options) -> tuple[int, int, int]:
    """Widths of the two streams, and the number of heads."""
    places = ports("bilinear_fusion", inputs, options, PORTS)
    first, second = (flat_width([inputs[at] for at in places[port]]) for port in PORTS)
    return first, second, whole_number("bilinear_fusion", options, "heads") if "heads" in options else 1
