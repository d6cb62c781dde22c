"""Embedding fully connected layer: tokens mixed to a chosen number of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names, flag, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, TokenLinear, stack, stack_cost, stacked, token_linear_cost
from searchspaces.block import Block
from searchspaces.layers import LayerNorm, activation, activation_option, check_norm_width, norm_cost

__all__ = ["EFC"]


class EFC(Block):
    """ReLU(norm(W X)): an affine layer along the token axis, the same in every dimension.

    Zhang et al. (2023), NASRec: weight sharing neural architecture search for recommender systems. The norm, if any,
    is over the tokens, and its shift stands for the bias.

    Options: `tokens` of the output; `layer_norm`, off where not given; `activation`: relu (where not given), silu,
    gelu, leaky_relu, tanh, sigmoid or none; `dim` of the tokens, the largest among the
    field inputs where not given; `dense_tokens`, off where not given: each dense input is a token as it stands
    instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out = self.output(inputs, options).tokens
        normed = _normed(options)
        self.tokens = stack("efc", inputs, options)
        self.mix = TokenLinear(stacked("efc", inputs, options).tokens, out, bias=not normed)
        self.norm = LayerNorm(out) if normed else None
        self.activation = activation(activation_option("efc", options))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The chosen number of tokens."""
        check_names("efc", options, ("tokens", "layer_norm", "activation", *TOKEN_OPTIONS))
        activation_option("efc", options)
        out = whole_number("efc", options, "tokens")
        if _normed(options):
            check_norm_width("efc", out)
        return Fields(out, stacked("efc", inputs, options).dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections, the layer along the tokens, the norm."""
        given, out, normed = stacked("efc", inputs, options), cls.output(inputs, options).tokens, _normed(options)
        mix = token_linear_cost(given.tokens, out, dim=given.dim, bias=not normed)
        return stack_cost("efc", inputs, options) + mix + (norm_cost("layer", out) if normed else Cost())

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out dim"]:
        """Mixed tokens, none below zero where the activation is that of the paper."""
        mixed: Tensor = self.mix(self.tokens(*inputs))
        if self.norm is not None:
            mixed = self.norm(mixed.transpose(1, 2)).transpose(1, 2)
        activated: Tensor = self.activation(mixed)
        return activated


def _normed(options: Options) -> bool:
    return flag("efc", options, "layer_norm", default=False)
