"""Factorized interaction layers: hidden layers that multiply two halves of what they give."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, choice, flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Fields, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost
from searchspaces.layers import HiddenLayers, norm_cost

__all__ = ["FinalBlock"]

RESIDUALS = ("concat", "sum")


class FinalBlock(Block):
    """[a, b] = W x + bias; y = [a, a * b], or a + a * b; then norm, activation and dropout: once per width.

    Zhu et al. (2023), FINAL: factorized interaction layer for CTR prediction. With k layers features are crossed up to
    degree 2^k. The field gate before them gives [X, X * g] with g = G X + c over the axis of the tokens, so that the
    first layer takes twice the width.

    Options: `width` or `widths`, `norm`, `activation` and `dropout` as of an 'mlp'; `residual`: concat (where not
    given), for which widths are even, or sum; `field_gate`, off where not given, for field vectors of one dimension.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        layers, halves = _layers(options), _halves(options)
        tokens = _gated_tokens(inputs, options)
        self.gate = nn.Linear(tokens, tokens) if tokens else None
        widths = pairwise((_wide(inputs, options), *layers.widths))
        self.interactions = nn.ModuleList(nn.Linear(wide, halves * out) for wide, out in widths)
        self.rest = nn.ModuleList(nn.Sequential(*layers.after(width)) for width in layers.widths)
        self._is_concat = halves == 1

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the last layer."""
        check_names("final_block", options, (*HiddenLayers.NAMES, "residual", "field_gate"))
        widths = _layers(options).widths
        if _halves(options) == 1 and any(width % 2 for width in widths):
            raise ArchitectureError(
                f"a 'final_block' with residual 'concat' needs even widths, but they are {list(widths)}; "
                "take even ones or the residual 'sum'"
            )
        _gated_tokens(inputs, options)
        return Dense(widths[-1])

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The affine layers and norms, and the field gate for each dimension of the tokens."""
        layers, halves = _layers(options), _halves(options)
        total = Cost()
        for wide, out in pairwise((_wide(inputs, options), *layers.widths)):
            total += linear_cost(wide, halves * out) + norm_cost(layers.norm, out)
        tokens = _gated_tokens(inputs, options)
        return total + Cost(tokens * (tokens + 1), tokens * flat_width(inputs)) if tokens else total

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Hidden units of the last layer."""
        hidden = concatenate(inputs) if self.gate is None else self._gated(torch.cat(inputs, dim=1)).flatten(1)
        for interaction, rest in zip(self.interactions, self.rest, strict=True):
            left, right = interaction(hidden).chunk(2, dim=1)
            hidden = rest(torch.cat([left, left * right], dim=1) if self._is_concat else left + left * right)
        return hidden

    def _gated(self, tokens: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch twice dim"]:
        assert self.gate is not None
        gate = self.gate(tokens.transpose(1, 2)).transpose(1, 2)
        return torch.cat([tokens, tokens * gate], dim=1)


def _layers(options: Options) -> HiddenLayers:
    return HiddenLayers.of("final_block", options)


def _halves(options: Options) -> int:
    """How many times its width an affine layer gives."""
    return 1 + RESIDUALS.index(choice("final_block", options, "residual", RESIDUALS, default="concat"))


def _wide(inputs: Sequence[Shape], options: Options) -> int:
    """Width of what the first layer takes."""
    return flat_width(inputs) * (2 if _gated_tokens(inputs, options) else 1)


def _gated_tokens(inputs: Sequence[Shape], options: Options) -> int:
    """How many tokens the field gate takes; 0 without it."""
    if not flag("final_block", options, "field_gate", default=False):
        return 0
    dims = {shape.dim for shape in inputs if isinstance(shape, Fields)}
    if len(dims) != 1 or any(isinstance(shape, Dense) for shape in inputs):
        raise ArchitectureError(
            "the field gate of block 'final_block' takes field vectors of one dimension alone, but got "
            f"{', '.join(str(shape) for shape in inputs)}; leave 'field_gate' out"
        )
    return sum(shape.tokens for shape in inputs if isinstance(shape, Fields))
