"""One layer of a deep hierarchical ensemble: interaction modules side by side on the same tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, choice, flag, whole_number
from searchspaces._children import Child
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces._token_layers import (
    TOKEN_OPTIONS,
    TokenLinear,
    ToTokens,
    stack,
    stack_cost,
    stacked,
    to_tokens_cost,
    token_linear_cost,
)
from searchspaces.block import Block
from searchspaces.layers import LayerNorm, check_norm_width, norm_cost

__all__ = ["DHEN"]

ENSEMBLES = ("concat", "sum", "weighted_sum")


class DHEN(Block):
    """norm(ensemble of Interaction_1(X), ..., Interaction_k(X) + ShortCut(X)).

    Each module gives `tokens` tokens: a vector v of width h as W_m v with W_m of [tokens * dim, h], field vectors of
    another shape through a matrix along each axis that differs. The shortcut is the identity where as many tokens
    leave as enter, else a matrix along the token axis. The weights of a weighted sum start at one. Zhang et al.
    (2022), DHEN: a deep and hierarchical ensemble network for large-scale click-through rate prediction.

    Options: `modules`, a list of blocks, each as 'name' or as ['name', [['option', value], ...]]; `tokens` of each
    module; `ensemble`, 'concat' where not given (along the token axis), 'sum' or 'weighted_sum'; `layer_norm` over
    the dimension, on where not given; `dim` of the tokens, the largest among the field inputs where not given;
    `dense_tokens`, off where not given: each dense input is a token as it stands instead of all going through one
    linear layer to a single token.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        out, given, part = self.output(inputs, options), stacked("dhen", inputs, options), _part(inputs, options)
        chosen = _chosen(options)
        before = [[one.block for one in chosen[:number]] for number in range(len(chosen))]
        self._names = [f"{one.block}#{seen.count(one.block)}" for one, seen in zip(chosen, before, strict=True)]
        self.ensemble = _ensemble(options)
        self.tokens = stack("dhen", inputs, options)
        self.interactions = nn.ModuleList(child.build([given]) for child in chosen)
        self.maps = nn.ModuleList(ToTokens(child.output([given]), part) for child in chosen)
        # Differences from one: a parameter that starts at zero, as vectors do.
        self.weights = nn.Parameter(torch.zeros(len(chosen))) if self.ensemble == "weighted_sum" else None
        same = out.tokens == given.tokens
        self.shortcut = None if same else TokenLinear(given.tokens, out.tokens, bias=False)
        self.norm = LayerNorm(out.dim) if _normed(options) else None

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The tokens of one module, or those of all where they are concatenated."""
        check_names("dhen", options, ("modules", "tokens", "ensemble", "layer_norm", *TOKEN_OPTIONS))
        given, part, chosen = stacked("dhen", inputs, options), _part(inputs, options), _chosen(options)
        if _normed(options):
            check_norm_width("dhen", given.dim)
        for number, child in enumerate(chosen):
            try:
                child.output([given])
            except ArchitectureError as error:
                raise ArchitectureError(f"module {number} of block 'dhen': {error}") from error
        return Fields(part.tokens * len(chosen), part.dim) if _ensemble(options) == "concat" else part

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The sum over the modules and what maps them, the shortcut, the norm."""
        out, given, part = cls.output(inputs, options), stacked("dhen", inputs, options), _part(inputs, options)
        chosen = _chosen(options)
        total = stack_cost("dhen", inputs, options)
        for child in chosen:
            total += child.cost([given]) + to_tokens_cost(child.output([given]), part)
        if _ensemble(options) == "weighted_sum":
            total += Cost(len(chosen))
        if out.tokens != given.tokens:
            total += token_linear_cost(given.tokens, out.tokens, dim=given.dim, bias=False)
        return total + (norm_cost("layer", given.dim) if _normed(options) else Cost())

    def parts(self) -> Mapping[str, str]:
        """Each module, and what maps it, by the block that it is."""
        named: dict[str, str] = {}
        for number, name in enumerate(self._names):
            named |= {f"interactions.{number}": name, f"maps.{number}": f"{name}.map"}
        return named

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out dim"]:
        """The tokens of the ensemble."""
        tokens: Tensor = self.tokens(*inputs)
        found = [as_tokens(one(tokens)) for one, as_tokens in zip(self.interactions, self.maps, strict=True)]
        whole = self._together(found) + (tokens if self.shortcut is None else self.shortcut(tokens))
        return whole if self.norm is None else self.norm(whole)

    def _together(self, found: Sequence[Float[Tensor, "batch tokens dim"]]) -> Float[Tensor, "batch out dim"]:
        if self.ensemble == "concat":
            return torch.cat(list(found), dim=1)
        together = torch.stack(list(found))
        if self.weights is not None:
            together = together * (1.0 + self.weights).view(-1, 1, 1, 1)
        return together.sum(0)


def _chosen(options: Options) -> tuple[Child, ...]:
    modules = options.get("modules")
    if not isinstance(modules, tuple) or not modules:
        raise ArchitectureError(f"'modules' of block 'dhen' must be a list of at least one block, but is {modules!r}")
    return tuple(Child.read("dhen", "modules", one) for one in modules)


def _part(inputs: Sequence[Shape], options: Options) -> Fields:
    return Fields(whole_number("dhen", options, "tokens"), stacked("dhen", inputs, options).dim)


def _ensemble(options: Options) -> str:
    return choice("dhen", options, "ensemble", ENSEMBLES, default="concat")


def _normed(options: Options) -> bool:
    return flag("dhen", options, "layer_norm", default=True)
