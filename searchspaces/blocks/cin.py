"""Compressed interaction network: vector-wise crosses of bounded degree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_numbers
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, stack, stack_cost, stacked
from searchspaces.block import Block, linear_cost

__all__ = ["CIN"]


class CIN(Block):
    """X^k_h = sum over i, j of W^kh_ij (X^(k-1)_i * X^0_j) + b^k_h, each map then summed over its dimensions.

    Lian et al. (2018), xDeepFM: combining explicit and implicit feature interactions for recommender systems; without
    activation, as they found best, and all maps of a layer both pooled and passed on.

    Options: `maps`, the number of feature maps of each layer; `dim` of the tokens, the largest among the field inputs
    where not given; `dense_tokens`, off where not given: each dense input is a token as it stands instead of all
    going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        tokens = stacked("cin", inputs, options).tokens
        self.tokens = stack("cin", inputs, options)
        self.layers = nn.ModuleList(nn.Linear(wide, maps) for wide, maps in _layers(tokens, options))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number per feature map of any layer."""
        check_names("cin", options, ("maps", *TOKEN_OPTIONS))
        stacked("cin", inputs, options)
        return Dense(sum(whole_numbers("cin", options, "maps")))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections and the layers; the products of vectors are elementwise and have no matrix product."""
        given = stacked("cin", inputs, options)
        total = stack_cost("cin", inputs, options)
        for wide, maps in _layers(given.tokens, options):
            layer = linear_cost(wide, maps)
            total += Cost(layer.parameters, layer.macs * given.dim)
        return total

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch maps"]:
        """Pooled maps of the first layer, of the second, and so on."""
        first = self.tokens(*inputs).transpose(1, 2).contiguous()
        maps, pooled = first, []
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            maps = _crossed(first, maps, layer)
            pooled.append(maps.sum(1))
        return torch.cat(pooled, dim=1)


def _crossed(
    first: Float[Tensor, "batch dim tokens"], maps: Float[Tensor, "batch dim maps"], layer: nn.Linear
) -> Float[Tensor, "batch dim out"]:
    """The next maps. What is summed over one of the two first is not written out: all products are many numbers.

    Of 63 tokens and 16 maps that takes a fifth of the time, with the way back.
    """
    out, tokens, given = layer.out_features, first.shape[2], maps.shape[2]
    if out >= tokens:
        return layer((maps.unsqueeze(3) * first.unsqueeze(2)).flatten(2))  # type: ignore[no-any-return]
    weights = layer.weight.view(out, given, tokens).permute(2, 0, 1).reshape(tokens, out * given)
    summed = torch.matmul(first, weights).view(*first.shape[:2], out, given)
    return (summed * maps.unsqueeze(2)).sum(3) + layer.bias


def _layers(tokens: int, options: Options) -> list[tuple[int, int]]:
    """Numbers of products and of feature maps, layer by layer."""
    maps = whole_numbers("cin", options, "maps")
    return [(before * tokens, own) for before, own in pairwise((tokens, *maps))]
