"""Models built from architectures."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from searchspaces import Architecture, Node, Options
from searchspaces.block import Dropout
from searchspaces.blocks.dot_product import DotProduct
from searchspaces.build import Outlines, RankingModel, _Steps, build
from tests.searchspaces.graphs import relabelled, schema

SCHEMA = schema(numeric=3, categorical=4)
NODES = (
    Node("numeric"),
    Node("full", (), Options(dim=4)),
    Node("mlp", (0, 1), Options(width=8)),
    Node("mlp", (0, 1), Options(width=8)),
    Node("fm", (0, 1, 2), Options(dim=4)),
    Node("dot_product", (1, 3), Options(dim=4)),
    Node("logit", (2, 4, 5)),
)
ARCHITECTURE = Architecture(NODES)


def batch(rows: int = 5) -> tuple[Tensor, Tensor]:
    """Raw columns for SCHEMA, missing values and unseen ids among them."""
    generator = torch.Generator().manual_seed(7)
    numeric = 100 * torch.randn(rows, 3, generator=generator)
    numeric[0, 0] = math.nan
    return numeric, torch.randint(0, 50, (rows, 4), generator=generator, dtype=torch.int32)


def test_a_model_gives_one_logit_per_row() -> None:
    logits = build(ARCHITECTURE, SCHEMA, seed=1)(*batch())
    assert logits.shape == (5,)
    assert torch.isfinite(logits).all()


def test_a_logistic_regression_is_computed_as_written() -> None:
    wide = Node("full", (), Options(dim=1))
    vote = Node("linear", (0,), Options(width=1, bias=False))
    nodes = (Node("numeric"), wide, vote, Node("sum", (1,)), Node("sum_logit", (2, 3)))
    model = build(Architecture(nodes), SCHEMA, seed=1)
    numeric, ids = batch()
    weights = dict(model.named_parameters())
    table = next(value for name, value in weights.items() if "full" in name).flatten()
    slope = next(value for name, value in weights.items() if "linear" in name).flatten()
    sizes = [field.vocabulary_size for field in SCHEMA.categorical]
    rows = [(ids[:, at] % size) + sum(sizes[:at]) for at, size in enumerate(sizes)]
    values = ((numeric.sign() * numeric.abs().log1p() - 0.5) / 2.0).nan_to_num(0.0)
    assert torch.allclose(model(numeric, ids), values @ slope + sum(table[row] for row in rows), atol=1e-6)


@given(st.integers(0, 2**16))
@settings(max_examples=10, deadline=None)
def test_isomorphic_architectures_give_one_model(seed: int) -> None:
    columns = batch()
    one, other = build(ARCHITECTURE, SCHEMA, seed=3), build(relabelled(ARCHITECTURE, seed), SCHEMA, seed=3)
    assert torch.equal(one(*columns), other(*columns))


def test_weights_depend_on_the_seed_and_on_nothing_else() -> None:
    torch.manual_seed(0)
    one = build(ARCHITECTURE, SCHEMA, seed=3).state_dict()
    torch.manual_seed(1)
    again = build(ARCHITECTURE, SCHEMA, seed=3).state_dict()
    other = build(ARCHITECTURE, SCHEMA, seed=4).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert one.keys() == other.keys()


def test_equal_sub_graphs_of_two_architectures_start_equal() -> None:
    shared = (*NODES[:3], Node("mlp", (2,), Options(width=4)))
    one = build(Architecture((*shared, Node("logit", (3,)))), SCHEMA, seed=3)
    more = (*shared, Node("mlp", (0, 1), Options(width=8)), Node("logit", (3, 4)))
    other = build(Architecture(more), SCHEMA, seed=3)
    deep = [next(value for value in model.state_dict().values() if value.shape == (4, 8)) for model in (one, other)]
    assert torch.equal(*deep)


def test_twins_on_equal_inputs_start_differently() -> None:
    twins = [layer for name, layer in build(ARCHITECTURE, SCHEMA, seed=3).nodes.items() if name.endswith("mlp")]
    one, other = (dict(layer.named_parameters())["layers.0.weight"] for layer in twins)
    assert not torch.equal(one, other)


def test_rows_of_a_larger_table_begin_like_those_of_a_smaller_one() -> None:
    graph = Architecture((Node("full", (), Options(dim=4)), Node("logit", (0,))))
    small, large = (
        build(graph, schema(numeric=0, categorical=1, vocabulary=size), seed=3).state_dict()[
            "nodes.0_full.table.weight"
        ]
        for size in (7, 50)
    )
    assert torch.equal(small, large[:7])


def test_dropout_masks_follow_seed_role_and_step_alone() -> None:
    graph = Architecture((Node("numeric"), Node("mlp", (0,), Options(width=64, dropout=0.5)), Node("logit", (1,))))

    def masks(seed: int) -> list[Tensor]:
        model = build(graph, SCHEMA, seed=3)
        (layer,) = (one for one in model.modules() if isinstance(one, Dropout))
        layer.seed = seed
        torch.manual_seed(torch.seed())
        return [layer(torch.ones(8, 64)) for _ in range(2)]

    one, again, other = masks(1), masks(1), masks(2)
    assert torch.equal(one[0], again[0])
    assert torch.equal(one[1], again[1])
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one[0], other[0])
    assert set(one[0].flatten().tolist()) == {0.0, 2.0}


def test_a_parameter_is_drawn_alike_in_another_model() -> None:
    # The source comes first in both, under one name and shape.
    small = Architecture((Node("full", (), Options(dim=4)), Node("logit", (0,))))
    large = Architecture((Node("full", (), Options(dim=4)), Node("mlp", (0,), Options(width=8)), Node("logit", (1,))))
    tables = [build(one, SCHEMA, seed=3).state_dict()["nodes.0_full.table.weight"] for one in (small, large)]
    assert torch.equal(*tables)


def test_embeddings_start_small_and_biases_at_zero() -> None:
    large = schema(numeric=0, categorical=2, vocabulary=5_000)
    nodes = (Node("full", (), Options(dim=8)), Node("mlp", (0,), Options(width=64)), Node("logit", (1,)))
    weights = build(Architecture(nodes), large, seed=3).state_dict()
    assert weights["nodes.0_full.table.weight"].std().item() == pytest.approx(0.01, rel=0.02)
    assert weights["nodes.1_mlp.layers.0.bias"].abs().max() == 0
    bound = math.sqrt(6 / (16 + 64))
    assert 0.95 * bound < weights["nodes.1_mlp.layers.0.weight"].abs().max() <= bound


def test_dead_blocks_are_not_built() -> None:
    dead = Architecture((Node("numeric"), Node("mlp", (0,), Options(width=8)), Node("logit", (0,))))
    assert list(build(dead, SCHEMA, seed=1).nodes) == ["0_numeric", "1_logit"]


def test_a_stored_model_takes_raw_values() -> None:
    model = build(ARCHITECTURE, SCHEMA, seed=1)
    blank = RankingModel(model.architecture, schema(numeric=3, categorical=4))
    blank.load_state_dict(model.state_dict())
    assert torch.equal(blank(*batch()), model(*batch()))


def test_a_model_can_be_exported_as_a_graph() -> None:
    model = build(ARCHITECTURE, SCHEMA, seed=1).eval()
    exported: nn.Module = torch.export.export(model, batch()).module()
    assert torch.allclose(exported(*batch()), model(*batch()))


NORMED = Architecture(
    (
        *NODES[:2],
        Node("mlp", (0, 1), Options(width=8, norm="batch")),
        Node("layer_norm", (2,)),
        Node("logit", (3,)),
    )
)


def test_norms_begin_as_they_are_meant() -> None:
    weights = build(NORMED, SCHEMA, seed=3).state_dict()
    assert torch.equal(weights["nodes.2_mlp.layers.1.weight"], torch.ones(8))
    assert torch.equal(weights["nodes.2_mlp.layers.1.bias"], torch.zeros(8))
    assert torch.equal(weights["nodes.3_layer_norm.norm.weight"], torch.ones(8))


def test_norms_of_a_lowered_model_stay_in_single_precision() -> None:
    model = build(NORMED, SCHEMA, seed=3)
    model.lower(torch.bfloat16)
    kinds = {name: one.dtype for name, one in model.state_dict().items() if one.is_floating_point()}
    assert {name for name, kind in kinds.items() if kind == torch.bfloat16} == {
        "nodes.2_mlp.layers.0.weight",
        "nodes.2_mlp.layers.0.bias",
    }
    logits = model(*batch())
    assert torch.isfinite(logits).all()
    model.lower(torch.float32)
    assert {one.dtype for one in model.state_dict().values() if one.is_floating_point()} == {torch.float32}


def test_running_statistics_are_stored_with_the_model() -> None:
    model = build(NORMED, SCHEMA, seed=3)
    model(*batch(50))
    blank = RankingModel(model.architecture, SCHEMA)
    blank.load_state_dict(model.state_dict())
    assert torch.equal(blank.eval()(*batch()), model.eval()(*batch()))


OUTLINED = Architecture(
    (
        Node("numeric"),
        Node("full", (), Options(dim=8)),
        Node("transformer", (1,), Options(tokens=4, heads=2)),
        Node("mlp", (0, 2), Options(width=8, norm="batch")),
        Node("dot_product", (1, 3)),
        Node("logit", (4,)),
    )
)


def test_an_outline_counts_what_a_model_has() -> None:
    model = build(OUTLINED, SCHEMA, seed=1)
    outlines, expected = Outlines(SCHEMA), sum(one.numel() for one in model.parameters())
    assert [outlines.parameters(OUTLINED) for _ in range(2)] == [expected, expected]


def test_an_outline_remembers_steps_and_not_models(monkeypatch: pytest.MonkeyPatch) -> None:
    outlines = Outlines(SCHEMA)
    outlines.parameters(OUTLINED)
    monkeypatch.setattr(DotProduct, "forward", lambda self, *inputs: inputs[0] @ inputs[1])
    with pytest.raises(RuntimeError, match="same reduction dim"):
        outlines.parameters(OUTLINED)


def test_an_outline_steps_as_torch_does() -> None:
    one, other = (torch.empty(shape, device="meta") for shape in ((2, 3, 4), (2, 4, 5)))
    steps: list[Callable[[], object]] = [
        lambda: torch.bmm(one, other),
        lambda: one.transpose(1, 2),
        lambda: one.unbind(1),
        lambda: one + 1,
        lambda: one.max(dim=1).values,
        lambda: (one > 0).to(torch.int32),
        lambda: torch.var_mean(one, dim=(1, 2)),
        lambda: one.shape[1],
    ]
    with _Steps():
        again = [[step() for step in steps] for _ in range(2)][1]
    for found, step in zip(again, steps, strict=True):
        assert _forms(found) == _forms(step())


def _forms(given: object) -> object:
    if isinstance(given, Tensor):
        return given.shape, given.stride(), given.dtype, given.device
    return [_forms(one) for one in given] if isinstance(given, tuple) else given
