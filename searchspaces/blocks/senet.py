"""Squeeze and excitation: field vectors weighted by what all fields say of their importance."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, choice, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, stack, stack_cost, stacked
from searchspaces.block import Block

__all__ = ["SENet"]


class SENet(Block):
    """a_i x_i with a = act(W_2 ReLU(W_1 z)), where z_i is the mean of x_i and W_1 leads from m tokens to m / r units.

    Huang et al. (2019), FiBiNET: combining feature importance and bilinear feature interaction for click-through rate
    prediction. No matrix has a bias. A rectifier as `excitation` puts out for good a field whose row of W_2 starts
    below zero throughout, which few units make likely: half of the fields where there is one unit, an eighth of three.

    Options: `reduction` r, of which at least one unit is left; `excitation`, 'relu' where not given, or 'sigmoid';
    `dim` of the tokens, the largest among the field inputs where not given; `dense_tokens`, off where not given: each
    dense input is a token as it stands instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        tokens, units = self.output(inputs, options).tokens, _units(inputs, options)
        self.tokens = stack("senet", inputs, options)
        self.squeeze = nn.Linear(tokens, units, bias=False)
        self.excite = nn.Linear(units, tokens, bias=False)
        self.act = nn.ReLU() if _excitation(options) == "relu" else nn.Sigmoid()

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The shape of the tokens."""
        check_names("senet", options, ("reduction", "excitation", *TOKEN_OPTIONS))
        _excitation(options)
        _units(inputs, options)
        return stacked("senet", inputs, options, least=2)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections and the two matrices; means and weights are elementwise."""
        matrices = 2 * stacked("senet", inputs, options).tokens * _units(inputs, options)
        return stack_cost("senet", inputs, options) + Cost(matrices, matrices)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch tokens dim"]:
        """The tokens, each times its weight."""
        tokens: Tensor = self.tokens(*inputs)
        weights: Tensor = self.act(self.excite(self.squeeze(tokens.mean(2)).relu()))
        return tokens * weights.unsqueeze(2)


def _units(inputs: Sequence[Shape], options: Options) -> int:
    return max(1, stacked("senet", inputs, options).tokens // whole_number("senet", options, "reduction"))


def _excitation(options: Options) -> str:
    return choice("senet", options, "excitation", ("relu", "sigmoid"), default="relu")
