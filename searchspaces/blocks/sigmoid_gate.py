"""Sigmoid gating of one dense vector by another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from searchspaces._block_options import check_names, flag, whole_number
from searchspaces._options import Options
from searchspaces._ports import ports
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["SigmoidGate"]

PORTS = ("value", "gate")


class SigmoidGate(Block):
    """sigmoid(W gate + b) * value, and a projection to another width.

    Zhang et al. (2023), NASRec: weight sharing neural architecture search for recommender systems. Inputs of one port
    are concatenated.

    Options: `ports`, value or gate for each input; `width` of the output, that of the product where not given; `pad`,
    off where not given: as published, the narrower of the two is filled up with zeros and W is square. Without it W
    leads from the gate's width to that of the value, which is the same function without numbers that only meet zeros.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out = self.output(inputs, options).width
        self._places = ports("sigmoid_gate", inputs, options, PORTS)
        self._gate_width, self._width = _widths(inputs, options)
        self.gate = nn.Linear(self._gate_width, self._width)
        self.projection = nn.Linear(self._width, out) if out != self._width else None

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as the option says, or as the product is."""
        check_names("sigmoid_gate", options, ("ports", "width", "pad"))
        width = _widths(inputs, options)[1]
        return Dense(whole_number("sigmoid_gate", options, "width") if "width" in options else width)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The gate's affine layer, and the projection where the widths differ."""
        gate, width = _widths(inputs, options)
        out = cls.output(inputs, options).width
        return linear_cost(gate, width) + (linear_cost(width, out) if out != width else Cost())

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """The value, each number weakened by a share of its own, or a projection of it."""
        value, gate = (concatenate([inputs[at] for at in self._places[port]]) for port in PORTS)
        gate = pad(gate, (0, self._gate_width - gate.shape[1]))
        gated = torch.sigmoid(self.gate(gate)) * pad(value, (0, self._width - value.shape[1]))
        return gated if self.projection is None else self.projection(gated)


def _widths(inputs: Sequence[Shape], options: Options) -> tuple[int, int]:
    """Of what the gate's layer takes, and of the product."""
    places = ports("sigmoid_gate", inputs, options, PORTS)
    value, gate = (flat_width([inputs[at] for at in places[port]]) for port in PORTS)
    if flag("sigmoid_gate", options, "pad", default=False):
        return max(value, gate), max(value, gate)
    return gate, value
