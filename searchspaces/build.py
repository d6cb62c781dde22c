"""Turns an architecture into a model: the phenotype of a candidate."""

from __future__ import annotations

import hashlib

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical
from searchspaces._plugins import load_plugin
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Shape
from searchspaces.block import Block, Source
from searchspaces.cost import BLOCKS, EMBEDDINGS, shapes

EMBEDDING_STD = 0.01  # Song et al. (2020), Towards automated neural interaction discovery for CTR prediction


def build(architecture: Architecture, schema: FeatureSchema, *, seed: int) -> RankingModel:
    """A model with fresh weights; isomorphic architectures get equal ones.

    Each parameter is drawn from (seed, its name, its shape), so no draw depends on another.

    Raises:
        ArchitectureError: the shapes do not fit, or an option of a block is wrong.
        PluginError: a block or an embedding has no such name.
    """
    model = RankingModel(canonical(architecture), schema)
    for name, parameter in model.named_parameters():
        owner = model.get_submodule(name.rpartition(".")[0])
        _initialise(owner, parameter, _generator(f"{seed}|{name}|{tuple(parameter.shape)}"))
    return model


class RankingModel(nn.Module):
    """An architecture as a network from raw columns to click logits.

    It takes values as they are stored: the sources transform, standardise, fill in and fold ids.
    """

    def __init__(self, architecture: Architecture, schema: FeatureSchema) -> None:
        super().__init__()
        self.architecture = architecture
        self.schema = schema
        known = shapes(architecture, schema)
        self.nodes = nn.ModuleDict()
        for index, node in enumerate(architecture.nodes):
            self.nodes[f"{index}_{node.block}"] = _built(node, [known[at] for at in node.inputs], schema)

    def forward(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"]
    ) -> Float[Tensor, " batch"]:
        """Logits; `numeric` holds raw values with NaN for missing ones, `categorical` holds ids."""
        known: list[Tensor] = []
        for node, layer in zip(self.architecture.nodes, self.nodes.values(), strict=True):
            if node.inputs:
                known.append(layer(*[known[at] for at in node.inputs]))
            else:
                known.append(layer(numeric, categorical))
        return known[-1].squeeze(1)


def _built(node: Node, inputs: list[Shape], schema: FeatureSchema) -> nn.Module:
    if node.inputs:
        block: type[Block] = load_plugin(BLOCKS, node.block)
        return block(inputs, node.options)
    source: type[Source] = load_plugin(EMBEDDINGS, node.block)
    return source(schema, node.options)


def _initialise(owner: nn.Module, parameter: nn.Parameter, generator: torch.Generator) -> None:
    if isinstance(owner, nn.Embedding):
        nn.init.normal_(parameter, std=EMBEDDING_STD, generator=generator)
    elif parameter.dim() >= 2:
        nn.init.xavier_uniform_(parameter, generator=generator)
    else:
        nn.init.zeros_(parameter)


def _generator(key: str) -> torch.Generator:
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    return torch.Generator().manual_seed(number >> 1)
