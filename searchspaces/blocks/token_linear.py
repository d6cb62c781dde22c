"""Linear compression or expansion along the token axis."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names, flag, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, TokenLinear, stack, stack_cost, stacked, token_linear_cost
from searchspaces.block import Block

__all__ = ["TokenMix"]


class TokenMix(Block):
    """W X with W of [out, tokens]: each output token is a weighted sum of the tokens.

    The linear module of Zhang et al. (2022), DHEN: a deep and hierarchical ensemble network for large-scale
    click-through rate prediction, and of the space of Yin et al. (2023), AutoML for large capacity modeling of Meta's
    ranking systems.

    Options: `tokens` of the output; `bias`, off where not given; `dim` of the tokens, the largest among the field
    inputs where not given; `dense_tokens`, off where not given: each dense input is a token as it stands instead of
    all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out = self.output(inputs, options).tokens
        self.tokens = stack("token_linear", inputs, options)
        self.mix = TokenLinear(stacked("token_linear", inputs, options).tokens, out, bias=_bias(options))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The chosen number of tokens."""
        check_names("token_linear", options, ("tokens", "bias", *TOKEN_OPTIONS))
        _bias(options)
        return Fields(whole_number("token_linear", options, "tokens"), stacked("token_linear", inputs, options).dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections and the layer along the tokens."""
        given, out = stacked("token_linear", inputs, options), cls.output(inputs, options).tokens
        mix = token_linear_cost(given.tokens, out, dim=given.dim, bias=_bias(options))
        return stack_cost("token_linear", inputs, options) + mix

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out dim"]:
        """Weighted sums of the tokens."""
        mixed: Tensor = self.mix(self.tokens(*inputs))
        return mixed


def _bias(options: Options) -> bool:
    return flag("token_linear", options, "bias", default=False)
