"""Layers that several blocks are made of: normalisations, activations and hidden layers, each with its cost.

Letters: `batch` examples, `width` of a dense vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import batch_norm, layer_norm

from searchspaces._block_options import choice, fraction, whole_number, whole_numbers
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost
from searchspaces.block import Dropout, linear_cost, precise

MOMENTUM = 0.1
"""Weight of the newest batch in the running statistics, from the tenth on."""

_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}
_NORMS = ("none", "batch", "layer")


class LayerNorm(nn.LayerNorm):
    """(x - mean) / std * weight + bias over the last axis, in single precision whatever it takes.

    Ba et al. (2016), Layer normalization. `RankingModel.lower` leaves its parameters in single precision.
    """

    def forward(self, units: Float[Tensor, "batch ... width"]) -> Float[Tensor, "batch ... width"]:
        """The same shape and precision."""
        normal = layer_norm(precise(units), self.normalized_shape, self.weight, self.bias, self.eps)
        return normal.to(units.dtype)


class BatchNorm(nn.Module):
    """(x - mean) / std * weight + bias over the batch, in single precision whatever it takes.

    Ioffe and Szegedy (2015), Batch normalization. While training, mean and variance are those of the batch, of this
    model alone; a batch of one row has no variance and takes the running statistics. Otherwise they are the running
    ones: the mean over the first ten batches, then a moving average with `MOMENTUM`. These are buffers, stored with the
    weights and kept in single precision by `RankingModel.lower`.

    Averaged weights would meet the statistics of other weights. So `take_recent` gives the mean over all batches since
    it was asked last, and a cohort averages that at the same steps and by the same shares as the weights: the mean of
    an affine unit is linear in its weights.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))
        self.eps, self.step = eps, 0
        self._recent: list[Tensor] = []
        self._recent_steps = 0

    def forward(self, units: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """The same shape and precision."""
        given, running = precise(units), (self.running_mean, self.running_var)
        if self.training and len(units) > 1:
            newest = torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)
            normal = batch_norm(given, *newest, self.weight, self.bias, training=True, momentum=1.0, eps=self.eps)
            self._remember(newest)
        else:
            normal = batch_norm(given, *running, self.weight, self.bias, eps=self.eps)
        return normal.to(units.dtype)

    def take_recent(self) -> list[Float[Tensor, " width"]]:
        """Mean and variance over the batches since the last time; the running ones where there was none."""
        found = self._recent or [self.running_mean.clone(), self.running_var.clone()]
        self._recent, self._recent_steps = [], 0
        return found

    def _remember(self, newest: tuple[Tensor, Tensor]) -> None:
        self.step += 1
        self._recent_steps += 1
        share = max(MOMENTUM, 1.0 / self.step)
        for running, one in zip((self.running_mean, self.running_var), newest, strict=True):
            running.lerp_(one, share)
        if self._recent:
            for recent, one in zip(self._recent, newest, strict=True):
                recent.lerp_(one, 1.0 / self._recent_steps)
        else:
            self._recent = list(newest)


def norm_cost(norm: str, width: int) -> Cost:
    """Two numbers for each unit, unless the norm is called 'none'."""
    return Cost(parameters=0 if norm == "none" else 2 * width)


def activation(name: str) -> nn.Module:
    """The activation that `HiddenLayers.activation` names."""
    return _ACTIVATIONS[name]()


def activation_option(block: str, options: Options, *, default: str = "relu") -> str:
    """The option `activation`: relu, silu, gelu, leaky_relu, tanh, sigmoid or none.

    Raises:
        ArchitectureError: it is another.
    """
    return choice(block, options, "activation", tuple(_ACTIVATIONS), default=default)


@dataclass(frozen=True)
class HiddenLayers:
    """What fully connected layers one after the other are: Linear, norm, activation, dropout for each width."""

    widths: tuple[int, ...]
    norm: str = "none"
    activation: str = "relu"
    dropout: float = 0.0

    NAMES = ("width", "widths", "norm", "activation", "dropout")
    """Options that `of` reads."""

    @classmethod
    def of(cls, block: str, options: Options, *, norms: Sequence[str] = _NORMS) -> HiddenLayers:
        """Reads `width` for one layer or `widths` for several, and `norm`, `activation` and `dropout` of each.

        Raises:
            ArchitectureError: an option is wrong, or a single unit is to be normalised over its layer.
        """
        if ("width" in options) == ("widths" in options):
            raise ArchitectureError(f"block {block!r} needs either 'width' or 'widths', but has {sorted(options)}")
        widths = (
            (whole_number(block, options, "width"),) if "width" in options else whole_numbers(block, options, "widths")
        )
        norm = choice(block, options, "norm", norms, default="none")
        if norm == "layer":
            check_norm_width(block, min(widths))
        return cls(widths, norm, activation_option(block, options), fraction(block, options, "dropout"))

    def build(self, wide: int) -> nn.Sequential:
        """The layers on an input of `wide` numbers."""
        layers: list[nn.Module] = []
        for before, width in pairwise((wide, *self.widths)):
            layers += [nn.Linear(before, width), *self.after(width)]
        return nn.Sequential(*layers)

    def after(self, width: int) -> list[nn.Module]:
        """What follows the affine part of one layer."""
        found: list[nn.Module] = []
        if self.norm != "none":
            found.append(BatchNorm(width) if self.norm == "batch" else LayerNorm(width))
        found.append(activation(self.activation))
        if self.dropout:
            found.append(Dropout(self.dropout))
        return found

    def cost(self, wide: int) -> Cost:
        """The affine layers, and two numbers for each normalised unit."""
        layers = (
            linear_cost(before, width) + norm_cost(self.norm, width) for before, width in pairwise((wide, *self.widths))
        )
        return sum(layers, Cost())


def check_norm_width(block: str, width: int) -> None:
    """Returns silently where there is something to normalise.

    Raises:
        ArchitectureError: a layer of one unit is its own mean.
    """
    if width < 2:
        raise ArchitectureError(
            f"block {block!r} can normalise a vector of two or more numbers, but got a width of {width}: of one number "
            "nothing would be left"
        )
