"""Factorization machine on field vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, Tokens, linear_cost, precise, token_cost, token_shape

__all__ = ["FM"]


class FM(Block):
    """First order plus all pairwise inner products of the tokens, as one number.

    The pairwise part is half of (square of the sum - sum of the squares), summed over the dimensions
    (Rendle 2010, Factorization machines); the first order is one projection per token to one number, as
    in Song et al. (2020), Towards automated neural interaction discovery for CTR prediction.

    Options: `dim` of the tokens, the largest among the field inputs where not given; `first_order`, on
    where not given; `dense_tokens`, off where not given: each dense input is a token as it stands
    instead of all going through one linear layer to a single token.
    """

    is_by_hand = True

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        tokens = token_shape("fm", inputs, options)
        self.tokens = Tokens(inputs, dim=tokens.dim, dense_tokens=flag("fm", options, "dense_tokens", default=False))
        first_order = flag("fm", options, "first_order", default=True)
        self.first_order = nn.Linear(tokens.tokens * tokens.dim, 1) if first_order else None

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number."""
        check_names("fm", options, ("dim", "first_order", "dense_tokens"))
        tokens = token_shape("fm", inputs, options).tokens
        if tokens < 2 and not flag("fm", options, "first_order", default=True):
            raise ArchitectureError("block 'fm' without first order needs two tokens to pair, but got one")
        return Dense(1)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections; the pairwise part is elementwise and has no matrix product."""
        tokens = token_shape("fm", inputs, options)
        dense_tokens = flag("fm", options, "dense_tokens", default=False)
        projections = token_cost(inputs, dim=tokens.dim, dense_tokens=dense_tokens)
        if not flag("fm", options, "first_order", default=True):
            return projections
        return projections + linear_cost(tokens.tokens * tokens.dim, 1)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch 1"]:
        """First order, if any, plus second order."""
        tokens: Tensor = self.tokens(*inputs)
        second_order: Tensor = _Pairwise.apply(tokens)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self.first_order is None:
            return second_order
        first_order: Tensor = self.first_order(tokens.flatten(1))
        return first_order + second_order


class _Pairwise(torch.autograd.Function):
    """Sum of all pairwise inner products, [batch, 1]; its gradient at a token is the sum of the others.

    In single precision, as a difference of large numbers wants it; sums over so short a last axis are also slow in a
    lower one. One pass back instead of one for each of square, sum and sum of squares.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, tokens: Tensor) -> Tensor:
        single = precise(tokens)
        total = single.sum(1)
        ctx.save_for_backward(tokens, total)
        squares = single.flatten(1).square().sum(1, keepdim=True)
        return (0.5 * (total.square().sum(1, keepdim=True) - squares)).to(tokens)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        tokens, total = ctx.saved_tensors  # type: ignore[attr-defined]
        others = total.unsqueeze(1) - precise(tokens)
        found: Tensor = others.mul_(precise(gradient).unsqueeze(2)).to(tokens)
        return found
