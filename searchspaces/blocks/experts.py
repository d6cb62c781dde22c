"""Mixture of experts: several perceptrons, weighed by a router for each example."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost
from searchspaces.layers import HiddenLayers
from searchspaces.routing import balanced, routed, routing_options, shares_of_all

__all__ = ["Experts"]

NORMS = ("none", "layer")
"""Not over the batch: an expert sees the examples that are sent to it, which may be one or none."""


class Experts(Block):
    """Sum over experts e of g_e(x) E_e(x) on the concatenation, with g = softmax(W x).

    Ma et al. (2018), Modeling task relationships in multi-task learning with multi-gate mixture-of-experts, with one
    gate; with `top_k`, Shazeer et al. (2017), Outrageously large neural networks: the sparsely-gated mixture-of-experts
    layer, without noise. Then each example is computed by its `top_k` experts alone, and the cost is theirs.

    Options: `experts`, at least 2; `width` or `widths`, `norm` (none or layer), `activation` and `dropout` of each, as
    of an 'mlp'; `top_k`, all where not given; `balance`, weight of the load-balance loss beside the training loss (see
    `searchspaces.routing.balanced`), 0 where not given, of use with `top_k`, usually 0.001 to 0.1.
    """

    is_by_hand = True

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        count, self._top_k, self._balance = routing_options("experts", options)
        wide = flat_width(inputs)
        self.router = nn.Linear(wide, count, bias=False)
        self.experts = nn.ModuleList(_hidden(options).build(wide) for _ in range(count))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the last layer of each expert."""
        check_names("experts", options, (*HiddenLayers.NAMES, "experts", "top_k", "balance"))
        routing_options("experts", options)
        return Dense(_hidden(options).widths[-1])

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Parameters of all experts, products of those that an example is sent to, and the router's."""
        count, top_k, _ = routing_options("experts", options)
        wide = flat_width(inputs)
        one = _hidden(options).cost(wide)
        experts = Cost(count * one.parameters, (count if top_k is None else top_k) * one.macs)
        return experts + linear_cost(wide, count, bias=False)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """What the experts give, each weighed by its share."""
        wide = concatenate(inputs)
        logits = self.router(wide).float()
        # a graph of fixed shapes cannot say how many examples an expert will get
        is_fixed = torch.compiler.is_compiling() or wide.device.type == "meta"
        if self._top_k is None or is_fixed:
            output = self._dense(wide, shares_of_all(logits, self._top_k))
        else:
            output = self._sparse(wide, logits, self._top_k)
        if not (self._balance and self.training):
            return output
        return balanced(output, [logits], self._top_k or len(self.experts), self._balance)

    def _dense(
        self, wide: Float[Tensor, "batch wide"], shares: Float[Tensor, "batch experts"]
    ) -> Float[Tensor, "batch width"]:
        given = torch.stack([expert(wide) for expert in self.experts], dim=1)
        return (given * shares.to(wide).unsqueeze(2)).sum(1)

    def _sparse(
        self, wide: Float[Tensor, "batch wide"], logits: Float[Tensor, "batch experts"], top_k: int
    ) -> Float[Tensor, "batch width"]:
        """Slots sorted by their expert. Within one expert no example comes twice, so that sums have one order."""
        shares, chosen = routed(logits, top_k)
        weights, assigned = shares.to(wide).flatten(), chosen.flatten()
        order = assigned.argsort(stable=True)
        counts: list[int] = torch.bincount(assigned, minlength=len(self.experts)).tolist()
        total: Tensor | None = None
        for expert, slots in zip(self.experts, torch.split(order, counts), strict=True):
            rows = slots // top_k
            given = expert(wide.index_select(0, rows)) * weights.index_select(0, slots).unsqueeze(1)
            total = given.new_zeros(len(wide), given.shape[1]) if total is None else total
            total = total.index_add(0, rows, given)
        assert total is not None
        return total


def _hidden(options: Options) -> HiddenLayers:
    return HiddenLayers.of("experts", options, norms=NORMS)
