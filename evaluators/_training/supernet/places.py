"""The place of each weight of a candidate in the weights that all candidates share.

A *slot* is where a node stands: its block with what is no size among its options, and how many nodes of that kind stand
before it in the canonical order, which goes by depth. So equal candidates have equal places, whatever the space, and
two candidates share the k-th operator of a kind. Sizes make no difference: narrow is a part of wide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._training.supernet.axes import Axis, Known, Labels, final, is_free, mixed, places, told_apart
from evaluators._training.supernet.following import Following
from searchspaces import Node
from searchspaces.block import Block, Source, number_of
from searchspaces.build import RankingModel
from searchspaces.layers import BatchNorm


@dataclass(frozen=True)
class Place:
    """Where one tensor of a candidate lies: the key of what is shared, and the labels along each axis of the part."""

    key: str
    labels: tuple[Labels, ...]


def slots(nodes: Sequence[Node]) -> tuple[str, ...]:
    """The slot of each node of a canonical architecture, in their order.

    >>> from searchspaces import Options
    >>> chain = [Node("numeric"), Node("mlp", (0,), Options(width=8)), Node("mlp", (1,), Options(width=4))]
    >>> slots(chain)
    ('numeric#0', 'mlp#0', 'mlp#1')
    """
    seen: dict[str, int] = {}
    found = []
    for node in nodes:
        kind = _kind(node)
        found.append(f"{kind}#{seen.get(kind, 0)}")
        seen[kind] = seen.get(kind, 0) + 1
    return tuple(found)


def find_places(model: RankingModel) -> dict[str, Place]:
    """The places of all parameters outside tables, and of the running statistics of norms, by their name in the model.

    Two empty rows go through the model, node by node; what it holds in its weights makes no difference.
    """
    found: dict[str, Place] = {}
    given: list[tuple[tuple[int, ...], list[Labels]]] = []
    names = slots(model.architecture.nodes)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for node, slot, (name, layer) in zip(model.architecture.nodes, names, model.nodes.items(), strict=True):
            follower = Following(slot)
            shared = _shared(layer, slot)
            for key, one in shared.values():
                follower.know(one, [Axis(size, f"{key}|{at}") for at, size in enumerate(one.shape)])
            inputs = [given[at] for at in node.inputs]
            output = _run(follower, layer, inputs, model)
            given.append((tuple(output.shape), _told(follower.of(output), slot, node.block)))
            for own, (key, one) in shared.items():
                labels = tuple(told_apart(final(axis).labels(named=False)) for axis in follower.of(one))
                found[f"nodes.{name}.{own}"] = Place(key, labels)
    model.train(was_training)
    return found


def shared_names(layer: nn.Module) -> dict[str, Tensor]:
    """What a node shares beside its tables: parameters and running statistics, by name."""
    tables = {id(one.module.weight) for one in layer.tables().values()} if isinstance(layer, Source) else set()
    found: dict[str, Tensor] = {name: one for name, one in layer.named_parameters() if id(one) not in tables}
    for path, one in layer.named_modules():
        if isinstance(one, BatchNorm):
            prefix = f"{path}." if path else ""
            found |= {f"{prefix}running_mean": one.running_mean, f"{prefix}running_var": one.running_var}
    return found


def _shared(layer: nn.Module, slot: str) -> dict[str, tuple[str, Tensor]]:
    """Key and tensor of what a node shares, by name."""
    parts = layer.parts() if isinstance(layer, Block) else {}
    return {name: (f"{slot}|{_renamed(name, parts)}", one) for name, one in shared_names(layer).items()}


def _renamed(name: str, parts: Mapping[str, str]) -> str:
    for place, own in parts.items():
        if name.startswith(f"{place}."):
            return own + name[len(place) :]
    return name


def _kind(node: Node) -> str:
    """Block and what is no size: texts, switches and fractions."""
    rest = [f"{name}={value}" for name, value in node.options.items() if isinstance(value, str | bool | float)]
    return ",".join([node.block, *rest])


ROWS = 2


def _run(
    follower: Following, layer: nn.Module, inputs: Sequence[tuple[tuple[int, ...], list[Labels]]], model: RankingModel
) -> Tensor:
    if isinstance(layer, Source):
        return _run_source(follower, layer, model)
    tensors = []
    for shape, labels in inputs:
        one = torch.zeros(shape, dtype=model.dtype)
        follower.know(one, [Axis(ROWS, "rows"), *(Known(len(own), given=own) for own in labels)])
        tensors.append(one)
    with follower:
        output: Tensor = layer(*tensors)
    return output


def _run_source(follower: Following, source: Source, model: RankingModel) -> Tensor:
    schema, kind = model.schema, type(source).__name__
    numeric = torch.zeros(ROWS, len(schema.numeric), dtype=model.dtype)
    categorical = torch.zeros(ROWS, len(schema.categorical), dtype=torch.int64)
    columns = np.array([number_of(f"{kind}|{one.name}") for one in schema.numeric], np.uint64)
    follower.know(numeric, [Axis(ROWS, "rows"), Known(len(columns), given=columns)])
    vectors = {}
    for name, table in source.tables().items():
        count = source.lookups(numeric, categorical, name).shape[1]
        dim = table.module.embedding_dim
        parts = [part for part, _ in table.parts]
        named = parts if len(parts) == count else [f"{name}.{at}" for at in range(count)]
        labels = np.array([number_of(f"{kind}|{one}") for one in named], np.uint64)
        vectors[name] = torch.zeros(ROWS, count, dim, dtype=model.dtype)
        tokens, width = Known(count, given=labels), Known(dim, given=places(dim))
        follower.know(vectors[name], [Axis(ROWS, "rows"), tokens, width])
    with follower:
        output: Tensor = source(numeric, categorical, vectors)
    return output


def _told(axes: Sequence[Axis], slot: str, block: str) -> list[Labels]:
    """Labels of what a node gives: units or tokens by where they come from, the dimension of tokens by its place."""
    first = final(axes[1])
    if is_free(first):
        labels = mixed(np.uint64(number_of(f"{slot}|out")), places(first.size))
    else:
        labels = mixed(np.uint64(number_of(block)), first.labels())
    return [told_apart(labels), *(places(axis.size) for axis in axes[2:])]
