"""`torch.compile` for trainings that are long enough: what is between sources and output as machine code.

A model takes from seconds to a minute to compile, which a short training does not win back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from searchspaces.build import RankingModel

MOST_VERSIONS = 256
"""Models of one process that stay compiled: torch counts them as versions of one piece of code, and allows eight."""

Interact = Callable[[Mapping[int, Tensor]], Tensor]


def compiled(model: RankingModel) -> Interact:
    """The model's `interact`, compiled at its first call for the shapes that it meets there."""
    torch._dynamo.config.recompile_limit = MOST_VERSIONS
    torch._dynamo.config.accumulated_recompile_limit = MOST_VERSIONS
    found: Interact = torch.compile(model.interact, dynamic=False)
    return found


def forget_compiled() -> None:
    """Lets go of everything that was compiled: models that are gone would be held for ever."""
    torch.compiler.reset()
