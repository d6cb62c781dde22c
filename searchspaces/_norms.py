"""Layer normalisation as blocks use it."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._errors import ArchitectureError
from searchspaces._shapes import Cost


class LayerNorm(nn.LayerNorm):
    """Zero mean and unit variance along the last axis, then a gain and a shift per unit.

    It computes in the precision of its parameters and gives back the precision that it took; Ba, Kiros and Hinton
    (2016), Layer normalization.
    """

    def forward(self, input: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The normalised units, in the shape that they came in."""
        return super().forward(input.to(self.weight.dtype)).to(input.dtype)


def norm_cost(width: int) -> Cost:
    """Cost of one `LayerNorm`: a gain and a shift per unit; nothing of it is a matrix product."""
    return Cost(parameters=2 * width)


def check_normed(block: str, width: int) -> None:
    """Refuses to normalise a single unit, of which nothing but the shift would be left.

    Raises:
        ArchitectureError: `width` is one.
    """
    if width < 2:
        raise ArchitectureError(
            f"block {block!r} normalises over two units or more, but has one; widen it or leave the norm out"
        )
