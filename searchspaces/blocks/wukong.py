"""Wukong layer: factorization machines, stacked so that layer i reaches interactions of order 2^i."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number, whole_numbers
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, TokenLinear, stack, stack_cost, stacked, token_linear_cost
from searchspaces.block import Block, linear_cost
from searchspaces.layers import LayerNorm, check_norm_width, norm_cost

__all__ = ["Wukong"]


class Wukong(Block):
    """norm([FMB(X); LCB(X)] + W_R X): a factorization machine block and a linear compression, one above the other.

    FMB(X) = reshape(MLP(norm(flatten(X X^T Y)))), computed as X (X^T Y) with Y of [tokens, rank]; LCB(X) = W_L X.
    W_R is the identity where as many tokens leave as enter. Zhang et al. (2024), Wukong: towards a scaling law for
    large-scale recommendation.

    Options: `fm_tokens` and `linear_tokens` of the two parts; `rank`; `widths` of the hidden layers of the MLP, whose
    last layer has no activation; `attention`, none where not given: hidden units of a network that makes Y from the
    tokens, linearly compressed to `rank`, instead of one Y for all (the paper does not print its size); `dim` of the
    tokens, the largest among the field inputs where not given; `dense_tokens`, off where not given: each dense input
    is a token as it stands instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out, given = self.output(inputs, options), stacked("wukong", inputs, options)
        rank, attention = _number(options, "rank"), _attention(options)
        self.tokens = stack("wukong", inputs, options)
        self.projection = _Attention(given, rank, attention) if attention else _Projection(given, rank)
        self.interaction_norm = LayerNorm(given.tokens * rank)
        layers: list[nn.Module] = []
        for wide, width in _layers(given, options):
            layers += [nn.Linear(wide, width), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])
        self.compress = TokenLinear(given.tokens, _number(options, "linear_tokens"), bias=False)
        same = out.tokens == given.tokens
        self.shortcut = None if same else TokenLinear(given.tokens, out.tokens, bias=False)
        self.norm = LayerNorm(given.dim)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The tokens of both parts."""
        known = ("fm_tokens", "linear_tokens", "rank", "widths", "attention", *TOKEN_OPTIONS)
        check_names("wukong", options, known)
        given = stacked("wukong", inputs, options)
        check_norm_width("wukong", given.dim)
        check_norm_width("wukong", given.tokens * _number(options, "rank"))
        _attention(options)
        whole_numbers("wukong", options, "widths")
        return Fields(_number(options, "fm_tokens") + _number(options, "linear_tokens"), given.dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """X^T Y and its product with X, the MLP, two maps along the token axis, two norms."""
        given, out = stacked("wukong", inputs, options), cls.output(inputs, options)
        rank, attention = _number(options, "rank"), _attention(options)
        total = stack_cost("wukong", inputs, options) + Cost(macs=2 * given.tokens * given.dim * rank)
        total += _attention_cost(given, rank, attention) if attention else Cost(given.tokens * rank)
        total += sum((linear_cost(wide, width) for wide, width in _layers(given, options)), Cost())
        linear = _number(options, "linear_tokens")
        total += token_linear_cost(given.tokens, linear, dim=given.dim, bias=False)
        if out.tokens != given.tokens:
            total += token_linear_cost(given.tokens, out.tokens, dim=given.dim, bias=False)
        return total + norm_cost("layer", given.tokens * rank) + norm_cost("layer", given.dim)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out dim"]:
        """Factorization machine tokens first, then the compressed ones."""
        tokens: Tensor = self.tokens(*inputs)
        made = self.mlp(self.interaction_norm(self.interact(tokens).flatten(1))).view(len(tokens), -1, tokens.shape[2])
        both = torch.cat([made, self.compress(tokens)], dim=1)
        normed: Tensor = self.norm(both + (tokens if self.shortcut is None else self.shortcut(tokens)))
        return normed

    def interact(self, tokens: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch tokens rank"]:
        """X X^T Y, without the square matrix X X^T."""
        return torch.bmm(tokens, torch.matmul(tokens.transpose(1, 2), self.projection(tokens)))


class _Projection(nn.Module):
    """One Y for all examples."""

    def __init__(self, given: Fields, rank: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(given.tokens, rank)))

    def forward(self, tokens: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "tokens rank"]:
        """The projection, whatever the tokens."""
        return self.weight


class _Attention(nn.Module):
    """Y = reshape(W_2 ReLU(W_1 flatten(W_c X) + b_1) + b_2), with W_c of [rank, tokens]."""

    def __init__(self, given: Fields, rank: int, hidden: int) -> None:
        super().__init__()
        self.compress = TokenLinear(given.tokens, rank, bias=False)
        self.widen, self.narrow = nn.Linear(rank * given.dim, hidden), nn.Linear(hidden, given.tokens * rank)

    def forward(self, tokens: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch tokens rank"]:
        """A projection for each example."""
        projection: Tensor = self.narrow(self.widen(self.compress(tokens).flatten(1)).relu())
        return projection.view(*tokens.shape[:2], -1)


def _attention_cost(given: Fields, rank: int, hidden: int) -> Cost:
    compress = token_linear_cost(given.tokens, rank, dim=given.dim, bias=False)
    return compress + linear_cost(rank * given.dim, hidden) + linear_cost(hidden, given.tokens * rank)


def _layers(given: Fields, options: Options) -> list[tuple[int, int]]:
    """Widths of the MLP, layer by layer."""
    hidden = whole_numbers("wukong", options, "widths")
    last = _number(options, "fm_tokens") * given.dim
    return list(pairwise((given.tokens * _number(options, "rank"), *hidden, last)))


def _number(options: Options, name: str) -> int:
    return whole_number("wukong", options, name)


def _attention(options: Options) -> int:
    return whole_number("wukong", options, "attention") if "attention" in options else 0
