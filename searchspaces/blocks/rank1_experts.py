"""Hierarchy of rank-one experts: a linear layer that routed outer products correct for each example."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost
from searchspaces.layers import activation, activation_option
from searchspaces.routing import balanced, routing_options, shares_of_all

__all__ = ["Rank1Experts"]


class Rank1Experts(Block):
    """W x + b + sum over layers l of U_l ((V_l x) * s_l), with one row of V_l and one column of U_l for each expert.

    s_l is the softmax of V_l q_l / sqrt(wide), q_1 = Q x, and q_(l+1) = q_l + s_l V_l: a layer's routing follows from
    that of the layers before it, and none waits for what an expert gives. Zeng et al. (2025), Hierarchical LoRA MoE for
    efficient CTR model scaling. U begins at zero, so that the block begins as a linear layer.

    Options: `width` of the output; `experts` in a layer, at least 2; `layers`, 1 where not given; `top_k`, all where
    not given: the softmax is over the largest logits alone; `balance` as of 'experts', for each layer; `activation` of
    the output, none where not given.
    """

    is_by_hand = True

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out, wide = self.output(inputs, options).width, flat_width(inputs)
        count, self._top_k, self._balance = routing_options("rank1_experts", options)
        self.linear, self.query = nn.Linear(wide, out), nn.Linear(wide, wide, bias=False)
        layers = range(_layers(options))
        self.narrow = nn.ModuleList(nn.Linear(wide, count, bias=False) for _ in layers)
        self.widen = nn.ModuleList(nn.Linear(count, out, bias=False) for _ in layers)
        self.activation = activation(activation_option("rank1_experts", options, default="none"))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the option says."""
        check_names("rank1_experts", options, ("width", "experts", "layers", "top_k", "balance", "activation"))
        routing_options("rank1_experts", options)
        _layers(options)
        activation_option("rank1_experts", options, default="none")
        return Dense(whole_number("rank1_experts", options, "width"))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """W, Q and the experts. V is multiplied three times in each layer, but no query follows the last one."""
        out, wide = whole_number("rank1_experts", options, "width"), flat_width(inputs)
        count, layers = routing_options("rank1_experts", options)[0], _layers(options)
        experts = Cost(layers * count * (wide + out), layers * count * (3 * wide + out) - count * wide)
        return linear_cost(wide, out) + linear_cost(wide, wide, bias=False) + experts

    def start(self) -> Mapping[str, float]:
        """U at zero."""
        return {f"widen.{at}.weight": 0.0 for at in range(len(self.widen))}

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """The linear layer and its corrections."""
        wide = concatenate(inputs)
        query, total, logits = self.query(wide), self.linear(wide), []
        for at, (narrow, widen) in enumerate(zip(self.narrow, self.widen, strict=True)):
            logits.append(narrow(query).float() / math.sqrt(wide.shape[1]))
            shares = shares_of_all(logits[-1], self._top_k).to(wide)
            total = total + widen(narrow(wide) * shares)
            if at + 1 < len(self.narrow):
                assert isinstance(narrow, nn.Linear)
                query = query + shares @ narrow.weight
        if self._balance and self.training:
            total = balanced(total, logits, self._top_k or logits[0].shape[1], self._balance)
        activated: Tensor = self.activation(total)
        return activated


def _layers(options: Options) -> int:
    return whole_number("rank1_experts", options, "layers") if "layers" in options else 1
