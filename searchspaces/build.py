"""Turns an architecture into a model: the phenotype of a candidate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical
from searchspaces._plugins import load_plugin
from searchspaces._roles import roles
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Shape
from searchspaces.block import Block, Dropout, Source, Table, number_of, precise
from searchspaces.cost import BLOCKS, EMBEDDINGS, shapes
from searchspaces.layers import BatchNorm, LayerNorm

_Named = Mapping[str, Any] | None

EMBEDDING_STD = 0.01  # Song et al. (2020), Towards automated neural interaction discovery for CTR prediction


def build(architecture: Architecture, schema: FeatureSchema, *, seed: int) -> RankingModel:
    """A model with fresh weights; isomorphic architectures get equal ones.

    A row of a table is drawn from (seed, field, dim, row), any other parameter from (seed, block, depth, name, shape)
    of its node (see `searchspaces._roles`), so that no draw depends on another, and equal sub-graphs of two
    architectures start equal.

    Raises:
        ArchitectureError: the shapes do not fit, or an option of a block is wrong.
        PluginError: a block or an embedding has no such name.
    """
    model = RankingModel(canonical(architecture), schema)
    for layer, role in zip(model.nodes.values(), roles(model.architecture), strict=True):
        initialise(layer, f"{seed}|{role}")
        tables = layer.tables() if isinstance(layer, Source) else {}
        for table in tables.values():
            _draw_rows(table, seed)
        for name, one in layer.named_modules():
            if isinstance(one, Dropout):
                one.seed, one.role = seed, f"{role}|{name}"
    return model


def blank(architecture: Architecture, schema: FeatureSchema) -> RankingModel:
    """A model whose parameters and tables hold anything: its weights are to come from elsewhere.

    Raises as `build` does.
    """
    with _Undrawn():
        return RankingModel(canonical(architecture), schema)


class Outlines:
    """Models without memory, on torch's `meta` device: each is built, and two rows go through it.

    There a step of torch is written in Python and follows from shapes alone, so a step that was taken before, with the
    same settings on tensors of the same shapes, is remembered: that makes an outline ten times as fast.
    """

    def __init__(self, schema: FeatureSchema) -> None:
        self._schema = schema
        self._steps = _Steps()

    def parameters(self, architecture: Architecture) -> int:
        """How many the model has.

        Raises as `build` does; a block that breaks its own shapes raises what torch says of it.
        """
        with torch.device("meta"), _Undrawn():
            model = RankingModel(canonical(architecture), self._schema)
        model.to("meta")  # what was made from arrays does not follow the device that is set
        with torch.device("meta"), torch.no_grad(), self._steps:
            ids = torch.zeros(2, len(self._schema.categorical), dtype=torch.int32)
            model(torch.zeros(2, len(self._schema.numeric)), ids)
        return sum(one.numel() for one in model.parameters())


class _Undrawn(TorchFunctionMode):
    """Leaves new parameters as they are: on `meta` they have no values."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: _Named = None
    ) -> Any:  # whatever the function of torch gives
        named = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return named.get("tensor", args[0] if args else None)
        if getattr(func, "__name__", "") in _FILLS and args[0].is_meta:
            return args[0]
        return func(*args, **named)


_FILLS = ("fill_", "zero_", "uniform_", "normal_")


class _Steps(TorchFunctionMode):
    """Remembers the shape, strides and type of what each step gave."""

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[object, list[tuple[torch.Size, tuple[int, ...], torch.dtype]]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: _Named = None
    ) -> Any:  # whatever the function of torch gives
        named = dict(kwargs or {})
        if getattr(func, "__name__", "") == "__get__":  # an attribute, such as the shape
            return func(*args, **named)
        key = (func, _outline(args), _outline(named))
        if key in self._given:
            again = [
                torch.empty_strided(shape, stride, dtype=dtype, device="meta")
                for shape, stride, dtype in self._given[key]
            ]
            return tuple(again) if len(again) > 1 else again[0]
        found = func(*args, **named)
        several = found if type(found) is tuple and len(found) > 1 else (found,)
        # a step that gives what it took works in place
        taken = {id(one) for one in (*args, *named.values())}
        if all(type(one) is Tensor and one.is_meta and id(one) not in taken for one in several):
            self._given[key] = [(one.shape, one.stride(), one.dtype) for one in several]
        return found


def _outline(value: object) -> object:
    """What a step can depend on where tensors have no values; 1, 1.0 and True are three."""
    if isinstance(value, Tensor):
        return value.shape, value.stride(), value.dtype, value.device
    if isinstance(value, tuple | list):
        return tuple([_outline(one) for one in value])
    if isinstance(value, dict):
        return tuple([(name, _outline(one)) for name, one in value.items()])
    return type(value), value if isinstance(value, int | float | str) else repr(value)


class RankingModel(nn.Module):
    """An architecture as a network from raw columns to click logits.

    It takes values as they are stored: the sources transform, standardise, fill in and fold ids.
    """

    def __init__(self, architecture: Architecture, schema: FeatureSchema) -> None:
        super().__init__()
        self.architecture = architecture
        self.schema = schema
        self.dtype = torch.float32
        known = shapes(architecture, schema)
        self.nodes = nn.ModuleDict()
        for index, node in enumerate(architecture.nodes):
            self.nodes[f"{index}_{node.block}"] = _built(node, [known[at] for at in node.inputs], schema)

    def forward(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"]
    ) -> Float[Tensor, " batch"]:
        """Logits; `numeric` holds raw values with NaN for missing ones, `categorical` holds ids."""
        return self.interact(self.raw(numeric, categorical))

    def raw(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"]
    ) -> dict[int, Float[Tensor, "batch ..."]]:
        """What the sources give, by the number of their node."""
        return {
            at: source(numeric, categorical, source.looked_up(numeric, categorical))
            for at, source in self.sources().items()
        }

    def sources(self) -> dict[int, Source]:
        """The raw inputs, by the number of their node."""
        return {at: layer for at, layer in enumerate(self.nodes.values()) if isinstance(layer, Source)}

    def interact(self, raw: Mapping[int, Float[Tensor, "batch ..."]]) -> Float[Tensor, " batch"]:
        """Logits, not below single precision, from what the sources give."""
        known: list[Tensor] = []
        for at, (node, layer) in enumerate(zip(self.architecture.nodes, self.nodes.values(), strict=True)):
            if node.inputs:
                known.append(layer(*[known[one] for one in node.inputs]))
            else:
                known.append(raw[at].to(self.dtype))
        return precise(known[-1]).squeeze(1)

    def lower(self, dtype: torch.dtype) -> None:
        """Lets the blocks between sources and output compute in `dtype`; output and norms stay in single precision."""
        self.dtype = dtype
        for layer in self.hidden():
            lower_block(layer, dtype)

    def hidden(self) -> list[nn.Module]:
        """The blocks between sources and output."""
        return [layer for layer in list(self.nodes.values())[:-1] if not isinstance(layer, Source)]


def _built(node: Node, inputs: list[Shape], schema: FeatureSchema) -> nn.Module:
    if node.inputs:
        block: type[Block] = load_plugin(BLOCKS, node.block)
        return block(inputs, node.options)
    source: type[Source] = load_plugin(EMBEDDINGS, node.block)
    return source(schema, node.options)


def lower_block(layer: nn.Module, dtype: torch.dtype) -> None:
    """As `layer.to(dtype)`, but norms stay in single precision: they add up many numbers, and have few of their own."""
    if isinstance(layer, LayerNorm | BatchNorm):
        return
    for child in layer.children():
        lower_block(child, dtype)
    for own in (*layer.parameters(recurse=False), *layer.buffers(recurse=False)):
        if own.is_floating_point():
            own.data = own.data.to(dtype)


def initialise(layer: nn.Module, key: str) -> None:
    """Draws the parameters of one node that lie outside tables, from the key, their names and shapes."""
    fixed = layer.start() if isinstance(layer, Block) else {}
    for name, parameter in layer.named_parameters():
        owner = layer.get_submodule(name.rpartition(".")[0])
        if isinstance(owner, nn.Embedding):
            continue
        generator = torch.Generator().manual_seed(number_of(f"{key}|{name}|{tuple(parameter.shape)}"))
        if name in fixed:
            nn.init.constant_(parameter, fixed[name])
        elif parameter.dim() == 3:
            # a stack of matrices, each as if it were alone: to torch the last axis would be places of one kernel
            bound = math.sqrt(6.0 / (parameter.shape[1] + parameter.shape[2]))
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        elif parameter.dim() >= 2:
            nn.init.xavier_uniform_(parameter, generator=generator)
        else:
            is_scale = isinstance(owner, nn.LayerNorm | BatchNorm) and parameter is owner.weight
            nn.init.constant_(parameter, float(is_scale))


def _draw_rows(table: Table, seed: int) -> None:
    """Rows one after the other, so that a part with more rows begins with those of one with fewer."""
    weight, first = table.module.weight, 0
    for name, rows in table.parts:
        rng = np.random.default_rng(number_of(f"{seed}|{name}|{weight.shape[1]}"))
        drawn = torch.from_numpy(rng.standard_normal((rows, weight.shape[1]), dtype=np.float32))
        with torch.no_grad():
            weight[first : first + rows] = table.centre + EMBEDDING_STD * drawn
        first += rows
