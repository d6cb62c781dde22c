"""All pairwise inner products of field vectors, each kept as a number of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from searchspaces._block_options import check_names, flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, Tokens, precise, token_cost, token_shape

__all__ = ["DotProduct"]


class DotProduct(Block):
    """The strict lower triangle of the tokens' Gram matrix, row by row: (1,0), (2,0), (2,1), ...

    Naumov et al. (2019), Deep learning recommendation model for personalization and recommendation systems.

    Options: `dim` of the tokens, the largest among the field inputs where not given; `dense_tokens`, off
    where not given: each dense input is a token as it stands instead of all going through one linear
    layer to a single token.
    """

    is_by_hand = True
    pairs: Tensor
    places: Tensor

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        tokens = token_shape("dot_product", inputs, options)
        dense_tokens = flag("dot_product", options, "dense_tokens", default=False)
        self.tokens = Tokens(inputs, dim=tokens.dim, dense_tokens=dense_tokens)
        rows, columns = np.tril_indices(tokens.tokens, -1)
        # The order of the pairs follows from the architecture: nothing to keep with the weights.
        self.register_buffer("pairs", torch.from_numpy(rows * tokens.tokens + columns), persistent=False)
        places = np.full((tokens.tokens, tokens.tokens), len(rows))
        places[rows, columns] = places[columns, rows] = np.arange(len(rows))
        self.register_buffer("places", torch.from_numpy(places.flatten()), persistent=False)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number per pair of tokens."""
        check_names("dot_product", options, ("dim", "dense_tokens"))
        tokens = token_shape("dot_product", inputs, options).tokens
        if tokens < 2:
            raise ArchitectureError("block 'dot_product' needs two tokens to pair, but got one")
        return Dense(tokens * (tokens - 1) // 2)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections and the whole Gram matrix, as it is executed."""
        tokens = token_shape("dot_product", inputs, options)
        dense_tokens = flag("dot_product", options, "dense_tokens", default=False)
        gram = Cost(macs=tokens.tokens**2 * tokens.dim)
        return token_cost(inputs, dim=tokens.dim, dense_tokens=dense_tokens) + gram

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch pairs"]:
        """Inner products of all pairs of different tokens."""
        tokens: Tensor = self.tokens(*inputs)
        products: Tensor = _Triangle.apply(tokens, self.pairs, self.places)  # type: ignore[no-untyped-call]
        return products


class _Triangle(torch.autograd.Function):
    """The pairs of a Gram matrix, in single precision: such narrow products and gathers gain nothing by a lower one.

    `pairs` are the places of the pairs in the flattened matrix, `places` the pair of each place, or their number on
    the diagonal, so that the pass back is a gather and one product instead of a scatter and two.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, tokens: Tensor, pairs: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(tokens, places)
        single = precise(tokens)
        gram = torch.bmm(single, single.transpose(1, 2))
        return gram.flatten(1).index_select(1, pairs).to(tokens)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        tokens, places = ctx.saved_tensors  # type: ignore[attr-defined]
        mirrored = pad(precise(gradient), (0, 1)).index_select(1, places)
        square = mirrored.view(len(tokens), tokens.shape[1], tokens.shape[1])
        return torch.bmm(square, precise(tokens)).to(tokens), None, None
