"""Cross network: feature crosses of bounded degree on the concatenation of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, choice, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["Cross"]

_NEEDED = {"full": (), "low_rank": ("rank",), "mixture": ("rank", "experts"), "vector": ()}


class Cross(Block):
    """x0 * f(x) + x, once per layer, where x0 is the concatenation.

    Options: `layers`; `kind` of f:

    - full (where not given): W x + b. Wang et al. (2021), DCN V2: improved deep and cross network.
    - low_rank: U V x + b with the option `rank`, the inner width (the same).
    - mixture: sum over e of g_e(x) U_e tanh(C_e tanh(V_e x)) + b with the options `rank` and `experts`; the gate g is a
      softmax over one linear unit per expert, the same in all layers, and 1 where there is one expert (the same).
    - vector: w x, one number, and + b outside the product with x0. Wang et al. (2017), Deep & cross network for ad
      click predictions.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        width = self.output(inputs, options).width
        kind, count = _kind(options), _layers(options)
        self.layers = nn.ModuleList(_layer(kind, width, options) for _ in range(count))
        self.gate = None
        if kind == "mixture" and whole_number("cross", options, "experts") > 1:
            self.gate = nn.Linear(width, whole_number("cross", options, "experts"), bias=False)
        self.biases = None
        if kind == "vector":
            self.biases = nn.ParameterList(nn.Parameter(torch.zeros(width)) for _ in range(count))

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the concatenation."""
        needed = _NEEDED[_kind(options)]
        check_names("cross", options, ("layers", "kind", *needed))
        _layers(options)
        for name in needed:
            whole_number("cross", options, name)
        return Dense(flat_width(inputs))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The layers; the mixture's gate has one set of parameters and is computed in each layer."""
        width, count = flat_width(inputs), _layers(options)
        layer, shared = _layer_cost(_kind(options), width, options)
        return Cost(layer.parameters * count + shared.parameters, (layer.macs + shared.macs) * count)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """Crosses of degree up to the number of layers plus one."""
        start = concatenate(inputs)
        crossed = start
        for at, layer in enumerate(self.layers):
            mapped = layer(crossed) if self.gate is None else layer(crossed, torch.softmax(self.gate(crossed), dim=1))
            crossed = start * mapped + crossed
            if self.biases is not None:
                crossed = crossed + self.biases[at]
        return crossed


class _Mixture(nn.Module):
    """Experts that each cross within a subspace of their own."""

    def __init__(self, width: int, rank: int, experts: int) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(nn.Linear(width, rank, bias=False) for _ in range(experts))
        self.inner = nn.ModuleList(nn.Linear(rank, rank, bias=False) for _ in range(experts))
        self.widen = nn.ModuleList(nn.Linear(rank, width, bias=False) for _ in range(experts))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(
        self, crossed: Float[Tensor, "batch width"], shares: Float[Tensor, "batch experts"] | None = None
    ) -> Float[Tensor, "batch width"]:
        """Their sum, each weighted by its share."""
        total = self.bias
        for at, (narrow, inner, widen) in enumerate(zip(self.narrow, self.inner, self.widen, strict=True)):
            mapped = widen(torch.tanh(inner(torch.tanh(narrow(crossed)))))
            total = total + (mapped if shares is None else shares[:, at : at + 1] * mapped)
        return total


def _layer(kind: str, width: int, options: Options) -> nn.Module:
    if kind == "full":
        return nn.Linear(width, width)
    if kind == "vector":
        return nn.Linear(width, 1, bias=False)
    rank = whole_number("cross", options, "rank")
    if kind == "low_rank":
        return nn.Sequential(nn.Linear(width, rank, bias=False), nn.Linear(rank, width))
    return _Mixture(width, rank, whole_number("cross", options, "experts"))


def _layer_cost(kind: str, width: int, options: Options) -> tuple[Cost, Cost]:
    """Of one layer, and of what all share."""
    bias = Cost(parameters=width)
    if kind == "full":
        return linear_cost(width, width), Cost()
    if kind == "vector":
        return linear_cost(width, 1, bias=False) + bias, Cost()
    rank = whole_number("cross", options, "rank")
    if kind == "low_rank":
        return linear_cost(width, rank, bias=False) + linear_cost(rank, width), Cost()
    experts = whole_number("cross", options, "experts")
    weights = experts * (2 * width * rank + rank**2)
    gate = linear_cost(width, experts, bias=False) if experts > 1 else Cost()
    return Cost(weights, weights) + bias, gate


def _kind(options: Options) -> str:
    return choice("cross", options, "kind", tuple(_NEEDED), default="full")


def _layers(options: Options) -> int:
    return whole_number("cross", options, "layers")
