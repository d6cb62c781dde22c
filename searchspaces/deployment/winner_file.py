"""A model from the file of a search's winner: tables from its sources of ids, the dense part from its closed form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical
from searchspaces._errors import SearchSpaceError, SpaceError
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces.cost import node_costs, shapes
from searchspaces.deployment.model import RankingModel, Table

KIND = "ctr-automl winner"
MAX_BYTES = 20_000_000
_VALUE_BYTES = 4
_OF_IDS = ("full", "hashed", "quotient_remainder", "mixed_dimension", "multi_embedding", "frequency")
"""Sources whose tables are looked up by id; those of others, quantile bins say, are small and count as dense."""


def read_winner_file(path: Path) -> RankingModel:
    """The model of a winner file, each field with one id an example.

    Raises:
        SpaceError: the file cannot be read, is no winner file, or its model has no table of ids.
    """
    content = _content(path)
    try:
        schema = FeatureSchema.from_dict(content["schema"]).capped(content.get("training", {}).get("hash_cap"))
        return model_of(Architecture.from_dict(content["architecture"]), schema)
    except (SearchSpaceError, KeyError, TypeError, AttributeError) as error:
        raise SpaceError(f"the model {path} cannot be laid out on a cluster: {error}") from error


def model_of(architecture: Architecture, schema: FeatureSchema) -> RankingModel:
    """Tables and dense part of an architecture.

    A source that does not have one row an id has its bytes spread over its fields by their vocabularies.

    Raises:
        SpaceError: it has no table of ids.
    """
    live = canonical(architecture)
    costs, known = node_costs(live, schema), shapes(live, schema)
    tables: list[Table] = []
    for at, (node, shape, cost) in enumerate(zip(live.nodes, known, costs, strict=True)):
        if node.block in _OF_IDS and not node.inputs:
            tables.extend(_tables(f"{node.block}_{at}", node, shape, cost, schema))
    if not tables:
        raise SpaceError("a model on a cluster has tables of ids, but no source of this architecture has one")
    total = sum(costs, Cost())
    weights = sum(table.weights for table in tables)
    return RankingModel(tuple(tables), total.macs, max(total.parameters - weights, 0), len(schema.numeric))


def _tables(name: str, node: Node, shape: Shape, cost: Cost, schema: FeatureSchema) -> Iterator[Table]:
    wanted = node.options.get("fields")
    fields = [field for field in schema.categorical if not isinstance(wanted, tuple) or field.name in wanted]
    dim = shape.dim if isinstance(shape, Fields) else shape.width
    share = cost.embedding_bytes / _VALUE_BYTES / dim / sum(field.vocabulary_size for field in fields)
    for field in fields:
        yield Table(f"{name}.{field.name}", max(round(field.vocabulary_size * share), 1), dim)


def _content(path: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML  # here: a space that is described in the configuration needs none

    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpaceError(f"a winner file has at most {MAX_BYTES} bytes, but {path} has {path.stat().st_size}")
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except SpaceError:
        raise
    except Exception as error:  # the parser meets what nobody foresaw, and may raise anything
        said = " ".join(str(error).split())[:300]
        raise SpaceError(f"'model' names a winner file, but {path} cannot be read: {said}") from error
    if not isinstance(content, Mapping) or content.get("kind") != KIND:
        raise SpaceError(
            f"'model' names a winner file, as 'automl export' writes it, but {path} is none; or describe its tables"
        )
    return content
