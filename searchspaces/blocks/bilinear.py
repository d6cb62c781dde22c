"""Bilinear interaction: pairs of field vectors, multiplied after a matrix has turned one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, choice, flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import TOKEN_OPTIONS, stack, stack_cost, stacked
from searchspaces.block import Block

__all__ = ["Bilinear"]

KINDS = ("shared", "field", "pair")


class Bilinear(Block):
    """(x_i W) * x_j for each pair i < j, with one W for all, one W_i for each left field, or one W_ij for each pair.

    Huang et al. (2019), FiBiNET: combining feature importance and bilinear feature interaction for click-through rate
    prediction. The last field is never a left one, so it has no matrix, though the paper counts one for it.

    Options: `weights`, 'shared' where not given, 'field' or 'pair'; `each_input`, off where not given: inputs are not
    stacked, but the same matrices pair the fields of one after those of the other, as in FiBiNET for raw and for
    re-weighted fields; then all must be field vectors of one shape. `dim` of the stacked tokens, the largest among
    the field inputs where not given; `dense_tokens`, off where not given: each dense input is a token as it stands
    instead of all going through one linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        given = _given(inputs, options)
        self.tokens = None if _each_input(options) else stack("bilinear", inputs, options)
        self.kind = _kind(options)
        matrices = torch.empty(_matrices(given.tokens, options), given.dim, given.dim)
        self.matrices = nn.Parameter(nn.init.uniform_(matrices, -(given.dim**-0.5), given.dim**-0.5))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """One vector per pair: (0,1), (0,2), ..., (1,2), ..."""
        check_names("bilinear", options, ("weights", "each_input", *TOKEN_OPTIONS))
        _kind(options)
        given = _given(inputs, options)
        sets = len(inputs) if _each_input(options) else 1
        return Fields(sets * given.tokens * (given.tokens - 1) // 2, given.dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The projections and one matrix product per left field, or per pair where each has its own."""
        given = _given(inputs, options)
        pairs = given.tokens * (given.tokens - 1) // 2
        products = pairs if _kind(options) == "pair" else given.tokens - 1
        square = given.dim**2
        if _each_input(options):
            return Cost(_matrices(given.tokens, options) * square, len(inputs) * products * square)
        own = Cost(_matrices(given.tokens, options) * square, products * square)
        return stack_cost("bilinear", inputs, options) + own

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch pairs dim"]:
        """The pairs of the stack, or those of each input in turn."""
        sets = inputs if self.tokens is None else (self.tokens(*inputs),)
        # one left field after the other: gathers of all pairs take twice the time, most of it on the way back
        return torch.cat([pairs for one in sets for pairs in self._pairs(one)], dim=1)

    def _pairs(self, tokens: Float[Tensor, "batch tokens dim"]) -> Iterator[Float[Tensor, "batch right dim"]]:
        """The pairs of the first left field, of the second, and so on."""
        for at, turned in enumerate(self._turned(tokens)):
            yield turned * tokens[:, at + 1 :]

    def _turned(self, tokens: Float[Tensor, "batch tokens dim"]) -> Iterable[Float[Tensor, "batch ones_or_right dim"]]:
        left, count = tokens[:, :-1], tokens.shape[1] - 1
        if self.kind == "shared":
            return torch.split(torch.matmul(left, self.matrices[0]), 1, dim=1)
        if self.kind == "field":
            return torch.split(torch.bmm(left.transpose(0, 1), self.matrices).transpose(0, 1), 1, dim=1)
        own = torch.split(self.matrices, list(range(count, 0, -1)))
        beside = [each.transpose(0, 1).flatten(1) for each in own]
        return [(left[:, at] @ wide).view(len(left), count - at, -1) for at, wide in enumerate(beside)]


def _given(inputs: Sequence[Shape], options: Options) -> Fields:
    if not _each_input(options):
        return stacked("bilinear", inputs, options, least=2)
    shapes = sorted({str(shape) for shape in inputs})
    if len(shapes) > 1 or not isinstance(inputs[0], Fields) or any(name in options for name in TOKEN_OPTIONS):
        raise ArchitectureError(
            "with 'each_input' block 'bilinear' takes field vectors of one shape and neither 'dim' nor "
            f"'dense_tokens', but got the shapes {', '.join(shapes)} and the options {sorted(options)}"
        )
    return stacked("bilinear", inputs[:1], options, least=2)


def _kind(options: Options) -> str:
    return choice("bilinear", options, "weights", KINDS, default="shared")


def _each_input(options: Options) -> bool:
    return flag("bilinear", options, "each_input", default=False)


def _matrices(tokens: int, options: Options) -> int:
    number = {"shared": 1, "field": tokens - 1, "pair": tokens * (tokens - 1) // 2}
    return number[_kind(options)]
