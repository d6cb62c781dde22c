"""Interacting layer: multi-head self-attention among field vectors."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, whole_number, whole_number_or
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, attend, attend_cost, check_heads, stack, stack_cost, stacked
from searchspaces.block import Block, linear_cost
from searchspaces.layers import LayerNorm, check_norm_width, norm_cost

__all__ = ["SelfAttention"]


class SelfAttention(Block):
    """ReLU(norm(softmax(Q K^T) V + W_res X)) with Q, K, V = X W_q, X W_k, X W_v, in each head.

    Song et al. (2019), AutoInt: automatic feature interaction learning via self-attentive neural networks. No matrix
    has a bias, and where the width is the tokens' dimension W_res is the identity. One token alone would attend to
    itself whatever its weights, so there must be two.

    Options: `width` of the output's tokens; `heads`, 1 where not given; `residual`, on where not given; `scale`, off
    where not given: scores divided by the root of a head's width; `layer_norm`, off where not given; `dim` of the
    tokens, the largest among the field inputs where not given; `dense_tokens`, off where not given: each dense input
    is a token as it stands instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        dim, width = stacked("self_attention", inputs, options).dim, self.output(inputs, options).dim
        self.heads = whole_number_or("self_attention", options, "heads", 1)
        self.scale, self.residual = _flag(options, "scale"), _flag(options, "residual")
        self.tokens = stack("self_attention", inputs, options)
        self.query = nn.Linear(dim, width, bias=False)
        self.key = nn.Linear(dim, width, bias=False)
        self.value = nn.Linear(dim, width, bias=False)
        self.shortcut = nn.Linear(dim, width, bias=False) if self.residual and dim != width else None
        self.norm = LayerNorm(width) if _flag(options, "layer_norm") else None

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """As many tokens as it takes, of the chosen width."""
        known = ("width", "heads", "residual", "scale", "layer_norm", *TOKEN_OPTIONS)
        check_names("self_attention", options, known)
        width = whole_number("self_attention", options, "width")
        check_heads("self_attention", whole_number_or("self_attention", options, "heads", 1), width)
        for name in ("residual", "scale"):
            _flag(options, name)
        if _flag(options, "layer_norm"):
            check_norm_width("self_attention", width)
        return Fields(stacked("self_attention", inputs, options, least=2).tokens, width)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Three or four matrices at every token, scores and weighted sums, the norm."""
        given, width = stacked("self_attention", inputs, options), cls.output(inputs, options).dim
        matrix = linear_cost(given.dim, width, bias=False)
        matrices = 4 if _flag(options, "residual") and given.dim != width else 3
        total = Cost(matrices * matrix.parameters, matrices * matrix.macs * given.tokens)
        total += attend_cost(given.tokens, width) + (
            norm_cost("layer", width) if _flag(options, "layer_norm") else Cost()
        )
        return stack_cost("self_attention", inputs, options) + total

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch tokens width"]:
        """What each token gathers from all, none below zero."""
        tokens: Tensor = self.tokens(*inputs)
        query, key, value = self.query(tokens), self.key(tokens), self.value(tokens)
        gathered: Tensor = attend(query, key, value, heads=self.heads, scale=self.scale)
        if self.residual:
            gathered = gathered + (tokens if self.shortcut is None else self.shortcut(tokens))
        if self.norm is not None:
            gathered = self.norm(gathered)
        return gathered.relu()


def _flag(options: Options, name: str) -> bool:
    return flag("self_attention", options, name, default=name == "residual")
