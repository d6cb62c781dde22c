"""Transformer encoder layer among field vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, positive, whole_number, whole_number_or
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import (
    TOKEN_OPTIONS,
    TokenLinear,
    attend,
    attend_cost,
    check_heads,
    stack,
    stack_cost,
    stacked,
    token_linear_cost,
)
from searchspaces.block import Block, linear_cost
from searchspaces.layers import LayerNorm, check_norm_width, norm_cost

__all__ = ["Transformer"]


class Transformer(Block):
    """A = norm(X + MHA(X)); norm(A + W_2 ReLU(W_1 A + b_1) + b_2), with scaled dot products in each head.

    Vaswani et al. (2017), Attention is all you need; among fields in Chen et al. (2019), Behavior sequence transformer
    for e-commerce recommendation in Alibaba, and with `tokens` in Zhang et al. (2023), NASRec: weight sharing neural
    architecture search for recommender systems, where an affine layer along the token axis goes before. Keys have no
    bias: softmax takes no notice of it. One token alone would attend to itself whatever its weights, so there must
    be two.

    Options: `heads`, 1 where not given; `hidden` width of the feed-forward layer, `dim` where not given; `tokens` to
    mix the inputs to first, none where not given, and `token_norm`, off where not given, a norm over these; `gain`
    where the weights of the other two norms begin, 1 where not given (0.17 in NASRec); `dim` of the tokens, the largest
    among the field inputs where not given; `dense_tokens`, off where not given: each dense input is a token as it
    stands instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out = self.output(inputs, options)
        dim, hidden = out.dim, whole_number_or("transformer", options, "hidden", out.dim)
        self.heads = whole_number_or("transformer", options, "heads", 1)
        self.tokens = stack("transformer", inputs, options)
        normed, given = _token_norm(options), stacked("transformer", inputs, options).tokens
        self.mix = TokenLinear(given, out.tokens, bias=not normed) if "tokens" in options else None
        self.token_norm = LayerNorm(out.tokens) if normed else None
        self.query, self.key = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.value, self.gather = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.attention_norm, self.norm = LayerNorm(dim), LayerNorm(dim)
        self.feed_forward = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        self._gain = _gain(options)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """As many tokens as it takes, or as were chosen."""
        known = ("heads", "hidden", "tokens", "token_norm", "gain", *TOKEN_OPTIONS)
        check_names("transformer", options, known)
        _gain(options)
        given = stacked("transformer", inputs, options)
        tokens = whole_number("transformer", options, "tokens") if "tokens" in options else given.tokens
        if tokens < 2:
            raise ArchitectureError("block 'transformer' needs two tokens to attend to each other, but has one")
        whole_number_or("transformer", options, "hidden", given.dim)
        check_heads("transformer", whole_number_or("transformer", options, "heads", 1), given.dim)
        check_norm_width("transformer", given.dim)
        if _token_norm(options) and "tokens" not in options:
            raise ArchitectureError("'token_norm' of block 'transformer' is a norm over 'tokens', which is not given")
        return Fields(tokens, given.dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Four matrices and two feed-forward layers at every token, scores and weighted sums, norms."""
        given, out = stacked("transformer", inputs, options), cls.output(inputs, options)
        dim, hidden = out.dim, whole_number_or("transformer", options, "hidden", out.dim)
        square, widen, narrow = linear_cost(dim, dim), linear_cost(dim, hidden), linear_cost(hidden, dim)
        total = Cost(macs=out.tokens * (4 * square.macs + widen.macs + narrow.macs))
        total += Cost(4 * square.parameters - dim + widen.parameters + narrow.parameters)
        total += attend_cost(out.tokens, dim) + norm_cost("layer", dim) + norm_cost("layer", dim)
        if "tokens" in options:
            total += token_linear_cost(given.tokens, out.tokens, dim=dim, bias=not _token_norm(options))
        if _token_norm(options):
            total += norm_cost("layer", out.tokens)
        return stack_cost("transformer", inputs, options) + total

    def start(self) -> Mapping[str, float]:
        """Where the weights of the norms begin."""
        return {"attention_norm.weight": self._gain, "norm.weight": self._gain}

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch tokens dim"]:
        """What each token gathers from all and makes of it."""
        tokens: Tensor = self.tokens(*inputs)
        if self.mix is not None:
            tokens = self.mix(tokens)
        if self.token_norm is not None:
            tokens = self.token_norm(tokens.transpose(1, 2)).transpose(1, 2)
        query, key, value = self.query(tokens), self.key(tokens), self.value(tokens)
        gathered = self.gather(attend(query, key, value, heads=self.heads, scale=True))
        attended: Tensor = self.attention_norm(tokens + gathered)
        made: Tensor = self.norm(attended + self.feed_forward(attended))
        return made


def _token_norm(options: Options) -> bool:
    return flag("transformer", options, "token_norm", default=False)


def _gain(options: Options) -> float:
    return positive("transformer", options, "gain", default=1.0)
