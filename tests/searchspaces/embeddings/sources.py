"""Sources as a model holds them, with their first weights."""

from __future__ import annotations

from searchspaces import FeatureSchema, Field, Kind, Node, Options
from searchspaces.block import Source
from searchspaces.build import build
from tests.searchspaces.graphs import with_output


def first_weights(name: str, schema: FeatureSchema, *, seed: int = 3, **options: object) -> Source:
    """The source `name` of a model that holds nothing else."""
    model = build(with_output(Node(name, (), Options(options))), schema, seed=seed)
    return next(iter(model.sources().values()))


def ids_of(*sizes: int) -> FeatureSchema:
    """Categorical fields a, b, c, ... of these vocabularies."""
    return FeatureSchema(tuple(Field("abcdefg"[at], Kind.CATEGORICAL, size) for at, size in enumerate(sizes)))
