"""The layer of an ensemble: its modules, what maps them, and what joins them."""

import pytest
import torch
from torch.nn.functional import layer_norm

from searchspaces import Architecture, ArchitectureError, Cost, Dense, Fields, Node, Options, PluginError
from searchspaces.blocks.cross import Cross
from searchspaces.blocks.dhen import DHEN
from searchspaces.blocks.token_linear import TokenMix
from searchspaces.build import build
from searchspaces.cost import cost
from tests.searchspaces.graphs import schema

GIVEN = Fields(5, 4)
MODULES = ["dot_product", ["token_linear", [["tokens", 3]]], ["self_attention", [["width", 6], ["heads", 2]]]]


def test_modules_stand_one_under_the_other_beside_the_shortcut() -> None:
    block, tokens = DHEN([GIVEN], Options(modules=MODULES, tokens=3)), torch.randn(6, 5, 4)
    assert DHEN.output([GIVEN], Options(modules=MODULES, tokens=3)) == Fields(9, 4)
    dot, mixed, attended = (module(tokens) for module in block.interactions)
    vector, _, both = (as_tokens.state_dict() for as_tokens in block.maps)
    found = [
        (dot @ vector["vector.weight"].T).view(6, 3, 4),
        mixed,
        both["count.layer.weight"] @ attended @ both["width.weight"].T,
    ]
    assert block.shortcut is not None
    expected = layer_norm(torch.cat(found, dim=1) + block.shortcut.layer.weight @ tokens, [4])
    assert torch.allclose(block(tokens), expected, atol=1e-5)


@pytest.mark.parametrize("ensemble", ["sum", "weighted_sum"])
def test_sums_keep_the_number_of_tokens(ensemble: str) -> None:
    options = Options(modules=[["token_linear", [["tokens", 5]]]] * 2, tokens=5, ensemble=ensemble, layer_norm=False)
    block, tokens = DHEN([GIVEN], options), torch.randn(6, 5, 4)
    assert block.shortcut is None
    factors = torch.ones(2)
    if block.weights is not None:
        assert block.weights.tolist() == [0.0, 0.0]
        torch.nn.init.constant_(block.weights[0], 1.5)
        factors = torch.tensor([2.5, 1.0])
    one, other = (module(tokens) for module in block.interactions)
    assert torch.allclose(block(tokens), factors[0] * one + factors[1] * other + tokens, atol=1e-6)


def test_its_cost_adds_up_module_by_module() -> None:
    options = Options(modules=[["cross", [["layers", 2]]], ["token_linear", [["tokens", 3]]]], tokens=3)
    cross, mix = Cross.cost([GIVEN], Options(layers=2)), TokenMix.cost([GIVEN], Options(tokens=3))
    mapped = Cost(20 * 12, 20 * 12)
    shortcut = Cost(5 * 6, 5 * 6 * 4)
    assert DHEN.cost([GIVEN], options) == cross + mapped + mix + shortcut + Cost(2 * 4)


def test_a_module_may_be_a_layer_itself() -> None:
    inner = ["dhen", [["modules", [["cross", [["layers", 1]]]]], ["tokens", 2]]]
    block = DHEN([GIVEN, Dense(3)], Options(modules=[inner, "dot_product"], tokens=2))
    assert block(torch.randn(6, 5, 4), torch.randn(6, 3)).shape == (6, 4, 4)


def test_an_architecture_with_modules_survives_json_and_builds() -> None:
    layer = Node("dhen", (0,), Options(modules=MODULES, tokens=3))
    graph = Architecture((Node("full", (), Options(dim=4)), layer, Node("logit", (1,))))
    fields = schema(numeric=0, categorical=5)
    assert Architecture.from_json(graph.to_json()) == graph
    assert cost(graph, fields).parameters == sum(one.numel() for one in build(graph, fields, seed=1).parameters())


def test_a_mistake_in_a_module_is_named_with_its_place() -> None:
    options = Options(modules=["dot_product", ["cross", [["layer", 2]]]], tokens=3)
    with pytest.raises(ArchitectureError, match="module 1 of block 'dhen': block 'cross' has no option 'layer'; did"):
        DHEN.output([GIVEN], options)


def test_a_module_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PluginError, match=r"no 'dot_products' in searchspaces\.blocks; did you mean 'dot_product'"):
        DHEN.output([GIVEN], Options(modules=["dot_products"], tokens=3))


@pytest.mark.parametrize("modules", [None, [], "cross"])
def test_there_is_at_least_one_module(modules: object) -> None:
    with pytest.raises(ArchitectureError, match="'modules' of block 'dhen' must be a list of at least one block"):
        DHEN.output([GIVEN], Options(modules=modules, tokens=3))
