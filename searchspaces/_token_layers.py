"""Layers along the token axis and among tokens, which interaction blocks share.

Letters: `batch` examples, `tokens` field vectors, `dim` their width, `out` tokens of the output.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Fields, Shape
from searchspaces.block import Tokens, linear_cost, token_cost, token_shape

TOKEN_OPTIONS = ("dim", "dense_tokens")
"""Options of every block that stacks its inputs."""


def stacked(block: str, inputs: Sequence[Shape], options: Options, *, least: int = 1) -> Fields:
    """Shape of the stack of all inputs, of which the block needs `least` tokens.

    Raises:
        ArchitectureError: no dimension follows, a dense input does not fit, or there are too few tokens.
    """
    shape = token_shape(block, inputs, options)
    if shape.tokens < least:
        raise ArchitectureError(f"block {block!r} needs {least} tokens or more, but got {shape.tokens}")
    return shape


def stack(block: str, inputs: Sequence[Shape], options: Options) -> Tokens:
    """The layer that stacks all inputs to what `stacked` tells."""
    dim = token_shape(block, inputs, options).dim
    return Tokens(inputs, dim=dim, dense_tokens=flag(block, options, "dense_tokens", default=False))


def stack_cost(block: str, inputs: Sequence[Shape], options: Options) -> Cost:
    """Cost of `stack`."""
    dim = token_shape(block, inputs, options).dim
    return token_cost(inputs, dim=dim, dense_tokens=flag(block, options, "dense_tokens", default=False))


class TokenLinear(nn.Module):
    """W X: each output token is a weighted sum of the tokens, plus one number of its own where there is a bias."""

    def __init__(self, tokens: int, out: int, *, bias: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(tokens, out, bias=bias)

    def forward(self, tokens: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch out dim"]:
        """The same sum in every dimension."""
        mixed: Tensor = self.layer(tokens.transpose(1, 2))
        return mixed.transpose(1, 2)


def token_linear_cost(tokens: int, out: int, *, dim: int, bias: bool) -> Cost:
    """Cost of `TokenLinear`: one affine layer, executed in each dimension."""
    layer = linear_cost(tokens, out, bias=bias)
    return Cost(layer.parameters, layer.macs * dim)


class ToTokens(nn.Module):
    """Maps a vector or field vectors to `out` tokens of its dimension, by matrices without bias.

    A vector goes through one matrix; field vectors through one along each axis whose size differs, tokens first.
    """

    def __init__(self, shape: Shape, out: Fields) -> None:
        super().__init__()
        self.out = out
        self.vector = self.count = self.width = None
        if isinstance(shape, Dense):
            self.vector = nn.Linear(shape.width, out.tokens * out.dim, bias=False)
            return
        if shape.tokens != out.tokens:
            self.count = TokenLinear(shape.tokens, out.tokens, bias=False)
        if shape.dim != out.dim:
            self.width = nn.Linear(shape.dim, out.dim, bias=False)

    def forward(self, given: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out dim"]:
        """The tokens; what already has their shape passes unchanged."""
        if self.vector is not None:
            return self.vector(given).view(-1, self.out.tokens, self.out.dim)  # type: ignore[no-any-return]
        counted = given if self.count is None else self.count(given)
        return counted if self.width is None else self.width(counted)


def to_tokens_cost(shape: Shape, out: Fields) -> Cost:
    """Cost of `ToTokens`."""
    if isinstance(shape, Dense):
        return linear_cost(shape.width, out.tokens * out.dim, bias=False)
    total = Cost()
    if shape.tokens != out.tokens:
        total += token_linear_cost(shape.tokens, out.tokens, dim=shape.dim, bias=False)
    if shape.dim != out.dim:
        width = linear_cost(shape.dim, out.dim, bias=False)
        total += Cost(width.parameters, width.macs * out.tokens)
    return total


def attend(
    queries: Float[Tensor, "batch tokens width"],
    keys: Float[Tensor, "batch tokens width"],
    values: Float[Tensor, "batch tokens width"],
    *,
    heads: int,
    scale: bool,
) -> Float[Tensor, "batch tokens width"]:
    """Softmax(Q K^T) V in each head, the heads side by side again.

    Vaswani et al. (2017), Attention is all you need; `scale` divides the scores by the root of a head's width.
    """
    query, key, value = (_heads(one, heads) for one in (queries, keys, values))
    if scale:
        query = query / math.sqrt(query.shape[-1])
    scores = torch.matmul(query, key.transpose(2, 3))
    return torch.matmul(scores.softmax(dim=3), value).transpose(1, 2).flatten(2)


def attend_cost(tokens: int, width: int) -> Cost:
    """Cost of `attend`: scores and weighted sums."""
    return Cost(macs=2 * tokens**2 * width)


def check_heads(block: str, heads: int, width: int) -> None:
    """Refuses heads that do not share the width evenly.

    Raises:
        ArchitectureError: `heads` does not divide `width`.
    """
    if width % heads:
        raise ArchitectureError(
            f"'heads' of block {block!r} must divide its width, but {heads} does not divide {width}"
        )


def _heads(units: Float[Tensor, "batch tokens width"], heads: int) -> Float[Tensor, "batch heads tokens part"]:
    return units.view(*units.shape[:2], heads, -1).transpose(1, 2)
