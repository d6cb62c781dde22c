"""Factorization machine that keeps its dimensions apart."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, stack, stack_cost, stacked
from searchspaces.block import Block, precise

__all__ = ["BiInteraction"]


class BiInteraction(Block):
    """Sum of the elementwise products of all pairs of tokens: half of (square of the sum - sum of the squares).

    He and Chua (2017), Neural factorization machines for sparse predictive analytics. The sum of its numbers is the
    second order of `fm`. Zhang et al. (2023), NASRec, leave the half to the layer that follows.

    Options: `dim` of the tokens, the largest among the field inputs where not given; `dense_tokens`, off where not
    given: each dense input is a token as it stands instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        self.tokens = stack("bi_interaction", inputs, options)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number per dimension."""
        check_names("bi_interaction", options, TOKEN_OPTIONS)
        return Dense(stacked("bi_interaction", inputs, options, least=2).dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections; the rest is elementwise."""
        return stack_cost("bi_interaction", inputs, options)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch dim"]:
        """Pairwise products, added up; in single precision, as a difference of large numbers wants it."""
        tokens: Tensor = self.tokens(*inputs)
        single = precise(tokens)
        return (0.5 * (single.sum(1).square() - single.square().sum(1))).to(tokens)
