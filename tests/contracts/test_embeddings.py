"""What every source of raw inputs promises, checked on every one that the room holds."""

import math

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from searchspaces import (
    Architecture,
    ArchitectureError,
    Dense,
    FeatureSchema,
    Node,
    Options,
    Shape,
    load_plugin,
    plugin_names,
)
from searchspaces.block import Source
from searchspaces.build import build
from tests.searchspaces.embeddings.known_statistics import with_statistics
from tests.searchspaces.graphs import schema

ROOM = "searchspaces.embeddings"
OPTIONS = [
    Options(),
    Options(missing=True),
    Options(dim=1),
    Options(dim=4),
    Options(dim=4, bias=True, missing=True),
    Options(dim=3, rows=5),
    Options(dim=4, collisions=3),
    Options(dim=4, collisions=3, operation="add", threshold=12),
    Options(dim=4, collisions=1000, operation="concat", threshold=11),
    Options(dim=6, alpha=0.6),
    Options(dim=8, alpha=0.9, power_of_two=True),
    Options(dim=3, tables=2),
    Options(dim=3, tables=1, first=1),
    Options(dim=3, bins=2),
    Options(dim=4, bins=32),
    Options(dim=4, buckets=5),
    Options(dim=4, buckets=3, temperature=0.5, skip=0.3, missing=True),
]
SCHEMAS = [
    with_statistics(schema(numeric=numeric, categorical=categorical))
    for numeric, categorical in [(1, 0), (0, 1), (1, 1), (2, 2), (100, 100)]
]
ROWS = 32


def source(name: str) -> type[Source]:
    return load_plugin(ROOM, name)


def cases(name: str) -> list[tuple[FeatureSchema, Options]]:
    """Every pair of schema and options that the source accepts."""
    accepted = []
    for options in OPTIONS:
        for fields in SCHEMAS:
            try:
                source(name).output(fields, options)
            except ArchitectureError:
                continue
            accepted.append((fields, options))
    return accepted


def columns(fields: FeatureSchema) -> tuple[Tensor, Tensor]:
    """Raw columns with missing values and ids beyond every vocabulary."""
    generator = torch.Generator().manual_seed(5)
    numeric = 1000 * torch.randn(ROWS, len(fields.numeric), generator=generator)
    numeric[::3] = math.nan
    size = (ROWS, len(fields.categorical))
    return numeric, torch.randint(0, 2**31 - 1, size, generator=generator, dtype=torch.int32)


def given_by(module: Source, fields: FeatureSchema) -> Tensor:
    """What a source makes of the columns, looked up in its own tables."""
    numeric, ids = columns(fields)
    output: Tensor = module(numeric, ids, module.looked_up(numeric, ids))
    return output


def built(name: str, fields: FeatureSchema, options: Options, *, seed: int = 1) -> Source:
    """The source as a model holds it, with its first weights."""
    model = build(Architecture((Node(name, (), options), Node("logit", (0,)))), fields, seed=seed)
    found = model.nodes[f"0_{name}"]
    assert isinstance(found, Source)
    return found


def size_of(shape: Shape) -> tuple[int, ...]:
    return (ROWS, shape.width) if isinstance(shape, Dense) else (ROWS, shape.tokens, shape.dim)


@pytest.fixture(params=plugin_names(ROOM))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_source_accepts_some_schemas(name: str) -> None:
    assert cases(name), f"none of the OPTIONS and SCHEMAS of this file suit {name!r}; add some that do"


def test_the_output_is_finite_and_has_the_shape_that_was_told(name: str) -> None:
    for fields, options in cases(name):
        given = given_by(built(name, fields, options), fields)
        assert given.shape == size_of(source(name).output(fields, options))
        assert torch.isfinite(given).all()


def test_the_cost_is_that_of_the_closed_form(name: str) -> None:
    for fields, options in cases(name):
        module, known = built(name, fields, options), source(name).cost(fields, options)
        assert known.parameters == sum(one.numel() for one in module.parameters())
        tables = [one for one in module.modules() if isinstance(one, torch.nn.Embedding)]
        assert known.embedding_bytes == sum(4 * table.weight.numel() for table in tables)
        assert known.optimizer_bytes == sum(4 * table.num_embeddings for table in tables)
        with FlopCounterMode(display=False) as counter:
            given_by(module, fields)
        assert known.flops * ROWS == counter.get_total_flops()


def test_every_parameter_gets_a_gradient(name: str) -> None:
    for fields, options in cases(name):
        module = built(name, fields, options)
        output = given_by(module, fields)
        if not list(module.parameters()):
            continue
        torch.autograd.backward((output * torch.randn_like(output)).sum())
        assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in module.parameters())


def test_a_row_that_an_id_stands_for_is_in_the_table_and_in_one_of_its_parts(name: str) -> None:
    for fields, options in cases(name):
        module = built(name, fields, options)
        for attribute, table in module.tables().items():
            assert getattr(module, attribute) is table.module
            assert sum(rows for _, rows in table.parts) == table.module.num_embeddings
            rows = module.lookups(*columns(fields), attribute)
            assert rows.dtype == torch.int64
            assert 0 <= int(rows.min()) <= int(rows.max()) < table.module.num_embeddings


def test_rows_depend_on_the_columns_and_not_on_what_is_learned(name: str) -> None:
    for fields, options in cases(name):
        one, other = built(name, fields, options), built(name, fields, options, seed=2)
        for attribute in one.tables():
            assert torch.equal(one.lookups(*columns(fields), attribute), other.lookups(*columns(fields), attribute))


def test_rows_may_come_in_lower_precision(name: str) -> None:
    for fields, options in cases(name):
        module = built(name, fields, options)
        numeric, ids = columns(fields)
        low = {table: rows.bfloat16() for table, rows in module.looked_up(numeric, ids).items()}
        given = module(numeric, ids, low).float()
        torch.testing.assert_close(given, given_by(module, fields), rtol=0.02, atol=0.02)


def test_a_source_may_take_some_of_its_fields(name: str) -> None:
    fields = with_statistics(schema(numeric=2, categorical=2))
    for options in (options for given, options in cases(name) if given is SCHEMAS[3]):
        whole, kept = source(name).output(fields, options), 0
        for field in fields.fields:
            some = Options({**options, "fields": [field.name]})
            try:
                shape = source(name).output(fields, some)
            except ArchitectureError:
                continue
            kept += 1
            assert 2 * math.prod(size_of(shape)) == math.prod(size_of(whole))
            assert given_by(built(name, fields, some), fields).shape == size_of(shape)
        assert kept == 2


def test_what_is_stored_needs_no_statistics(name: str) -> None:
    for fields, options in cases(name):
        stored = built(name, fields, options)
        fresh = built(name, FeatureSchema(fields.fields), options, seed=2)
        fresh.load_state_dict(stored.state_dict())
        assert torch.equal(given_by(fresh, fields), given_by(stored, fields))


def test_an_unknown_option_is_refused(name: str) -> None:
    fields, options = cases(name)[0]
    with pytest.raises(ArchitectureError, match=f"block '{name}' has no option 'nonsense'"):
        source(name).output(fields, Options({**options, "nonsense": 1}))
