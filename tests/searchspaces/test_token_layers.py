"""Maps to tokens, and their costs."""

import pytest
import torch

from searchspaces import Dense, Fields, Shape
from searchspaces._token_layers import ToTokens, to_tokens_cost

OUT = Fields(3, 4)


@pytest.mark.parametrize("shape", [Dense(7), Fields(3, 4), Fields(5, 4), Fields(3, 6), Fields(5, 6)])
def test_every_shape_becomes_the_tokens_at_the_cost_that_is_told(shape: Shape) -> None:
    layer = ToTokens(shape, OUT)
    size = (2, shape.width) if isinstance(shape, Dense) else (2, shape.tokens, shape.dim)
    assert layer(torch.randn(size)).shape == (2, 3, 4)
    assert to_tokens_cost(shape, OUT).parameters == sum(one.numel() for one in layer.parameters())


def test_what_has_the_shape_already_passes_unchanged() -> None:
    tokens = torch.randn(2, 3, 4)
    assert ToTokens(OUT, OUT)(tokens) is tokens
