"""Mixtures of experts, routed to all or to the best."""

import torch

from searchspaces import Architecture, Cost, Dense, Node, Options
from searchspaces.blocks.experts import Experts
from searchspaces.blocks.rank1_experts import Rank1Experts
from searchspaces.build import build
from tests.searchspaces.graphs import schema


def test_experts_are_weighed_by_the_softmax_of_the_router() -> None:
    dense = torch.randn(5, 3)
    block = Experts([Dense(3)], Options(width=4, experts=2))
    shares = torch.softmax(dense @ block.router.weight.T, dim=1)
    expected = sum(shares[:, at : at + 1] * expert(dense) for at, expert in enumerate(block.experts))
    assert isinstance(expected, torch.Tensor)
    assert torch.allclose(block(dense), expected, atol=1e-6)


def test_routing_to_all_is_dense_routing() -> None:
    dense = torch.randn(50, 3)
    some, every = (
        Experts([Dense(3)], Options(width=4, experts=3, top_k=3)),
        Experts([Dense(3)], Options(width=4, experts=3)),
    )
    every.load_state_dict(some.state_dict())
    assert torch.allclose(some(dense), every(dense), atol=1e-6)


def test_an_example_is_computed_by_its_best_experts_alone() -> None:
    dense = torch.randn(50, 3)
    block = Experts([Dense(3)], Options(width=4, experts=4, top_k=2))
    logits = dense @ block.router.weight.T
    best = logits.topk(2, dim=1).indices
    for row in range(50):
        one = dense[row : row + 1]
        shares = torch.softmax(logits[row, best[row]], dim=0)
        expected = sum(shares[at] * block.experts[int(expert)](one) for at, expert in enumerate(best[row]))
        assert isinstance(expected, torch.Tensor)
        assert torch.allclose(block(dense)[row : row + 1], expected, atol=1e-6)


def test_an_expert_without_examples_is_no_trouble() -> None:
    block = Experts([Dense(3)], Options(width=4, experts=3, top_k=1, norm="layer"))
    torch.nn.init.zeros_(block.router.weight)
    block.router.weight.data[1] = 1.0
    output = block(torch.ones(5, 3))
    output.sum().backward()
    gradient = dict(block.experts[0].named_parameters())["0.weight"].grad
    assert gradient is None or gradient.count_nonzero() == 0
    assert output.shape == (5, 4)


def test_the_load_balance_loss_reaches_the_router_alone_and_only_while_training() -> None:
    dense = torch.randn(50, 3)
    gradients = {}
    for balance in (0.0, 0.1):
        torch.manual_seed(0)
        block = Experts([Dense(3)], Options(width=4, experts=3, top_k=2, balance=balance))
        block(dense).sum().backward()
        gradients[balance] = {name: one.grad for name, one in block.named_parameters()}
        assert torch.equal(block(dense), block.eval()(dense))
    for name, plain in gradients[0.0].items():
        pulled = gradients[0.1][name]
        assert plain is not None
        assert pulled is not None
        assert torch.equal(plain, pulled) == (name != "router.weight")


def test_a_routed_block_can_be_exported_as_a_graph() -> None:
    block, dense = Experts([Dense(3)], Options(width=4, experts=3, top_k=2)).eval(), torch.randn(20, 3)
    exported = torch.export.export(block, (dense,)).module()
    assert torch.allclose(exported(dense), block(dense), atol=1e-6)


def test_the_cost_is_that_of_the_chosen_experts() -> None:
    every = Cost(parameters=4 * 16 + 12, macs=4 * 12 + 12)
    assert Experts.cost([Dense(3)], Options(width=4, experts=4)) == every
    assert Experts.cost([Dense(3)], Options(width=4, experts=4, top_k=2)) == Cost(every.parameters, 2 * 12 + 12)


def test_rank_one_experts_follow_the_formula() -> None:
    dense = torch.randn(5, 3)
    block = Rank1Experts([Dense(3)], Options(width=2, experts=4, layers=2))
    weights = dict(block.named_parameters())
    expected, query = dense @ weights["linear.weight"].T + weights["linear.bias"], dense @ weights["query.weight"].T
    for layer in range(2):
        v, u = weights[f"narrow.{layer}.weight"], weights[f"widen.{layer}.weight"].T
        shares = torch.softmax(query @ v.T / 3**0.5, dim=1)
        query = query + shares @ v
        expected = expected + ((dense @ v.T) * shares) @ u
    assert torch.allclose(block(dense), expected, atol=1e-5)


def test_rank_one_experts_begin_as_a_linear_layer() -> None:
    options = Options(width=4, experts=3, layers=2, top_k=2)
    model = build(
        Architecture((Node("numeric"), Node("rank1_experts", (0,), options), Node("logit", (1,)))), schema(), seed=1
    )
    block = model.nodes["1_rank1_experts"]
    assert isinstance(block, Rank1Experts)
    dense = torch.randn(5, 3)
    assert dict(block.named_parameters())["narrow.0.weight"].count_nonzero() > 0
    assert torch.equal(block(dense), block.linear(dense))


def test_rank_one_experts_routed_to_all_are_routed_densely() -> None:
    dense = torch.randn(50, 3)
    some, every = (
        Rank1Experts([Dense(3)], Options({"width": 2, "experts": 4, "layers": 2, **one})) for one in ({"top_k": 4}, {})
    )
    every.load_state_dict(some.state_dict())
    assert torch.allclose(some(dense), every(dense), atol=1e-6)


def test_the_cost_of_rank_one_experts() -> None:
    # d = 3, out = 2, K = 4, L = 2; the query after the last layer is not computed
    known = Rank1Experts.cost([Dense(3)], Options(width=2, experts=4, layers=2))
    assert known == Cost(parameters=6 + 2 + 9 + 2 * 4 * (3 + 2), macs=6 + 9 + 2 * 4 * (9 + 2) - 4 * 3)
