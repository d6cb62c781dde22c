"""Shares of experts, and the gradient that pulls them towards equal load."""

import pytest
import torch

from searchspaces import ArchitectureError, Options
from searchspaces.routing import balanced, routed, routing_options, shares_of_all

LOGITS = torch.tensor([[0.0, 1.0, 2.0], [5.0, 5.5, -1.0]])


def test_the_largest_logits_share_all() -> None:
    shares, chosen = routed(LOGITS, 2)
    assert chosen.tolist() == [[2, 1], [1, 0]]
    assert torch.allclose(shares, torch.softmax(torch.tensor([[2.0, 1.0], [5.5, 5.0]]), dim=1))
    assert torch.allclose(shares_of_all(LOGITS, 2).gather(1, chosen), shares)
    assert shares_of_all(LOGITS, 2).count_nonzero().item() == 4


def test_a_single_expert_keeps_its_share_among_all() -> None:
    shares, chosen = routed(LOGITS, 1)
    assert torch.allclose(shares, torch.softmax(LOGITS, dim=1).gather(1, chosen))


def test_all_experts_chosen_is_dense_routing() -> None:
    assert torch.allclose(shares_of_all(LOGITS, 3), shares_of_all(LOGITS, None))


def test_balancing_leaves_the_output_and_adds_the_gradient_of_its_loss() -> None:
    logits = LOGITS.clone().requires_grad_()
    output = logits.sum(1, keepdim=True)
    found = balanced(output, [logits], 1, 0.5)
    assert torch.equal(found, output)
    found.sum().backward()  # type: ignore[no-untyped-call]
    # all slots of row 0 go to expert 2, of row 1 to expert 1: f = (0, 1/2, 1/2)
    free = LOGITS.clone().requires_grad_()
    mean = torch.softmax(free, dim=1).mean(0)
    (free.sum() + 0.5 * 3 * (0.5 * mean[1] + 0.5 * mean[2])).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert free.grad is not None
    assert torch.allclose(logits.grad, free.grad, atol=1e-6)


def test_balancing_evens_out_the_load() -> None:
    torch.manual_seed(0)
    rows = torch.randn(256, 3)
    router = torch.nn.Parameter(torch.tensor([[2.0, 0.0, 0.0, 0.0]]).repeat(3, 1) + 0.1 * torch.randn(3, 4))
    bias = torch.nn.Parameter(torch.tensor([3.0, 0.0, 0.0, 0.0]))
    optimizer = torch.optim.Adam([router, bias], lr=0.05)
    before = torch.bincount((rows @ router + bias).argmax(1), minlength=4).max().item()
    for _ in range(100):
        optimizer.zero_grad()
        logits = rows @ router + bias
        balanced(0.0 * logits.sum(1), [logits], 1, 1.0).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    after = torch.bincount((rows @ router + bias).argmax(1), minlength=4).max().item()
    assert before > 200
    assert after < 128


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"experts": 1}, "'experts' of block 'b' must be at least 2 to choose from, but is 1"),
        ({"experts": 2, "top_k": 3}, "'top_k' of block 'b' must be at most its 2 experts, but is 3"),
        ({"experts": 2, "balance": 1.5}, "'balance' of block 'b' must be at least 0 and below 1, but is 1.5"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        routing_options("b", Options(options))
