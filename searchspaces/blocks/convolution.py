"""Convolution over the picture that field vectors make, one under the other."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number, whole_number_or
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, TokenLinear, stack, stack_cost, stacked, token_linear_cost
from searchspaces.block import Block, linear_cost

__all__ = ["Convolution"]


class Convolution(Block):
    """W ReLU(K * X): square kernels over [tokens, dim] at stride one, then a linear layer along tokens and channels.

    The convolution module of Zhang et al. (2022), DHEN: a deep and hierarchical ensemble network for large-scale
    click-through rate prediction, and of the space of Yin et al. (2023), AutoML for large capacity modeling of Meta's
    ranking systems. They do not print its inside; the rectifier, the zeros around the picture, which keep its size,
    and the one layer after it are our reading.

    Options: `tokens` of the output; `channels`, the number of kernels, 1 where not given; `kernel`, their odd side,
    3 where not given; `dim` of the tokens, the largest among the field inputs where not given; `dense_tokens`, off
    where not given: each dense input is a token as it stands instead of all going through one linear layer to a
    single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out, (channels, kernel) = self.output(inputs, options).tokens, _kernels(options)
        self.tokens = stack("convolution", inputs, options)
        self.kernels = nn.Conv2d(1, channels, kernel, padding=kernel // 2)
        self.mix = TokenLinear(channels * stacked("convolution", inputs, options).tokens, out, bias=False)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The chosen number of tokens."""
        check_names("convolution", options, ("tokens", "channels", "kernel", *TOKEN_OPTIONS))
        _kernels(options)
        return Fields(whole_number("convolution", options, "tokens"), stacked("convolution", inputs, options).dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections, the kernels at every place, the layer along tokens and channels."""
        given, out, (channels, kernel) = (
            stacked("convolution", inputs, options),
            cls.output(inputs, options),
            _kernels(options),
        )
        kernels = linear_cost(kernel**2, channels)
        convolved = Cost(kernels.parameters, kernels.macs * given.tokens * given.dim)
        mix = token_linear_cost(channels * given.tokens, out.tokens, dim=given.dim, bias=False)
        return stack_cost("convolution", inputs, options) + convolved + mix

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out dim"]:
        """Weighted sums over the tokens of all channels."""
        channels: Tensor = self.kernels(self.tokens(*inputs).unsqueeze(1))
        mixed: Tensor = self.mix(channels.relu().flatten(1, 2))
        return mixed


def _kernels(options: Options) -> tuple[int, int]:
    channels = whole_number_or("convolution", options, "channels", 1)
    kernel = whole_number_or("convolution", options, "kernel", 3)
    if kernel % 2 == 0:
        raise ArchitectureError(
            f"'kernel' of block 'convolution' must be odd, so that it has a middle, but is {kernel}"
        )
    return channels, kernel
