"""Gate of features by a context, from which the streams of a two-stream model learn to differ."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number, whole_numbers
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._ports import ports
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width
from searchspaces.layers import HiddenLayers

__all__ = ["FeatureGate"]

PORTS = ("value", "context")


class FeatureGate(Block):
    """2 * sigmoid(MLP(context)) * value: a gate of each number, 1 where the MLP gives 0.

    Mao et al. (2023), FinalMLP: an enhanced two-stream MLP model for CTR prediction. Inputs of one port are
    concatenated, but a single value keeps its shape, so that field vectors stay field vectors.

    Options: `ports`, value or context for each input; `hidden`, widths of ReLU layers before the gate's affine one,
    none where not given; `context`, where no input is a context: width of one that is learned and the same for all
    examples.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        self._places = ports("feature_gate", inputs, options, PORTS, optional=("context",))
        context, width = _widths(inputs, options)
        hidden = _hidden(options)
        self.hidden = None if hidden is None else hidden.build(context)
        self.gate = nn.Linear(context if hidden is None else hidden.widths[-1], width)
        self.context = None if self._places["context"] else nn.Parameter(torch.empty(1, context))
        if self.context is not None:
            nn.init.xavier_uniform_(self.context)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Shape:
        """The shape of a single value, or as wide as all values together."""
        check_names("feature_gate", options, ("ports", "hidden", "context"))
        _hidden(options)
        width = _widths(inputs, options)[1]
        values = ports("feature_gate", inputs, options, PORTS, optional=("context",))["value"]
        return inputs[values[0]] if len(values) == 1 else Dense(width)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The MLP, and a learned context."""
        context, width = _widths(inputs, options)
        hidden = _hidden(options)
        wide = context if hidden is None else hidden.widths[-1]
        layers = (Cost() if hidden is None else hidden.cost(context)) + Cost((wide + 1) * width, wide * width)
        return layers + (Cost(parameters=context) if "context" in options else Cost())

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The value, each number between nothing and twice what it was."""
        values = [inputs[at] for at in self._places["value"]]
        value = values[0] if len(values) == 1 else concatenate(values)
        context = (
            concatenate([inputs[at] for at in self._places["context"]])
            if self.context is None
            else self.context.expand(len(value), -1)
        )
        gate = self.gate(context if self.hidden is None else self.hidden(context))
        return value * (2.0 * torch.sigmoid(gate)).view_as(value)


def _hidden(options: Options) -> HiddenLayers | None:
    return HiddenLayers(whole_numbers("feature_gate", options, "hidden")) if "hidden" in options else None


def _widths(inputs: Sequence[Shape], options: Options) -> tuple[int, int]:
    """Of the context and of the value."""
    places = ports("feature_gate", inputs, options, PORTS, optional=("context",))
    if bool(places["context"]) == ("context" in options):
        raise ArchitectureError(
            "block 'feature_gate' needs either inputs at port 'context' or the option 'context', the width of a "
            f"learned one, but has the options {options!r}"
        )
    width = flat_width([inputs[at] for at in places["value"]])
    if "context" in options:
        return whole_number("feature_gate", options, "context"), width
    return flat_width([inputs[at] for at in places["context"]]), width
