"""A matrix of its own for each field."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def by_field(
    vectors: Float[Tensor, "batch field wide"], matrices: Float[Tensor, "field wide out"]
) -> Float[Tensor, "batch field out"]:
    """Each field's vector times that field's matrix: a product of matrices even where one is a single row."""
    return torch.bmm(vectors.transpose(0, 1), matrices).transpose(0, 1)
