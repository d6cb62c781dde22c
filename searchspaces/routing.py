"""Routing of examples to experts: shares of all experts or of the best few, and a pull towards equal load.

Letters: `batch` examples, `experts`, `slots` experts that one example is sent to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import fraction, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options


def routing_options(block: str, options: Options) -> tuple[int, int | None, float]:
    """The options `experts`, `top_k` (none where all are asked) and `balance` of a block.

    Raises:
        ArchitectureError: there are fewer than two experts to choose from, or more chosen than there are.
    """
    experts = whole_number(block, options, "experts")
    top_k = whole_number(block, options, "top_k") if "top_k" in options else None
    if experts < 2:
        raise ArchitectureError(f"'experts' of block {block!r} must be at least 2 to choose from, but is {experts}")
    if top_k is not None and top_k > experts:
        raise ArchitectureError(f"'top_k' of block {block!r} must be at most its {experts} experts, but is {top_k}")
    return experts, top_k, fraction(block, options, "balance")


def routed(
    logits: Float[Tensor, "batch experts"], top_k: int
) -> tuple[Float[Tensor, "batch slots"], Int[Tensor, "batch slots"]]:
    """Shares of the `top_k` experts with the largest logits, and which these are.

    The shares are a softmax over the chosen ones (Shazeer et al. 2017, Outrageously large neural networks). A single
    one has its share of the softmax over all (Fedus et al. 2022, Switch transformers): a share that is always 1 would
    teach the router nothing.
    """
    largest, chosen = logits.topk(top_k, dim=1)
    if top_k == 1:
        return torch.softmax(logits, dim=1).gather(1, chosen), chosen
    return torch.softmax(largest, dim=1), chosen


def shares_of_all(logits: Float[Tensor, "batch experts"], top_k: int | None) -> Float[Tensor, "batch experts"]:
    """The shares of `routed` in the places of their experts, 0 for the others; a plain softmax without `top_k`."""
    if top_k is None:
        return torch.softmax(logits, dim=1)
    shares, chosen = routed(logits, top_k)
    return torch.zeros_like(logits).scatter(1, chosen, shares)


def balanced(
    output: Float[Tensor, "batch width"], logits: Sequence[Float[Tensor, "batch experts"]], top_k: int, weight: float
) -> Float[Tensor, "batch width"]:
    """The same output, whose backward pass adds the gradient of `weight` times the load-balance loss of each router.

    That loss is experts * sum over e of f_e p_e (Fedus et al. 2022, Switch transformers), where f_e is the part of all
    slots of the batch that went to expert e, and p_e the batch's mean share of it in the softmax over all: 1 where the
    load is equal. It stands beside a loss that is a mean over the batch, as training's is. The loss itself stays the
    log loss, so that what is reported, compared and raced on is the same for all models.
    """
    losses = []
    for one in logits:
        experts = one.shape[1]
        chosen = one.detach().topk(top_k, dim=1).indices
        load = torch.nn.functional.one_hot(chosen, experts).float().mean(dim=(0, 1))
        losses.append(experts * (load * torch.softmax(one.float(), dim=1).mean(0)).sum())
    found: Tensor = _Beside.apply(output, weight * torch.stack(losses).sum())  # type: ignore[no-untyped-call]
    return found


class _Beside(torch.autograd.Function):
    """Passes a tensor on, and lets the backward pass go through a loss beside it too."""

    @staticmethod
    def forward(_ctx: torch.autograd.function.FunctionCtx, output: Tensor, _loss: Tensor) -> Tensor:
        return output.view_as(output)

    @staticmethod
    def backward(_ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor]:  # as torch declares it
        (gradient,) = gradients
        return gradient, torch.ones((), device=gradient.device)
