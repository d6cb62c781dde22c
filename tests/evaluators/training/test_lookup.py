"""What a batch touches, found once: compared with torch's own embedding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import embedding

from evaluators._training import lookup as module
from evaluators._training.lookup import Lookup

CPU = torch.device("cpu")
ROWS = torch.tensor([[3, 7, 3], [0, 7, 9], [3, 3, 3]])


@pytest.fixture(params=[True, False], ids=["marked", "sorted"])
def lookup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lookup:
    if not request.param:
        monkeypatch.setattr(module, "MOST_FLAGS", 0)
    return Lookup.of(ROWS, 10, CPU)


def test_touched_rows_are_ascending_and_each_lookup_finds_its_own(lookup: Lookup) -> None:
    assert lookup.touched.tolist() == [0, 3, 7, 9]
    assert lookup.touched[lookup.places].view(3, 3).tolist() == ROWS.tolist()


def test_taking_equals_an_embedding_with_its_gradient(lookup: Lookup) -> None:
    table = torch.randn(10, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64).float()
    weights = torch.randn(3, 3, 4, generator=torch.Generator().manual_seed(2))
    leaf = table[lookup.touched].requires_grad_()
    whole = table.clone().requires_grad_()
    taken, known = lookup.take(leaf), embedding(ROWS, whole)
    assert torch.equal(taken, known)
    for output in (taken, known):
        torch.autograd.backward((output * weights).sum())
    assert leaf.grad is not None
    assert whole.grad is not None
    assert torch.allclose(leaf.grad, whole.grad[lookup.touched])


def test_gradients_in_low_precision_are_added_up_in_single_precision(lookup: Lookup) -> None:
    many = Lookup.of(torch.zeros(4096, 1, dtype=torch.int64), 1, CPU)
    leaf = torch.zeros(1, 1, dtype=torch.bfloat16, requires_grad=True)
    torch.autograd.backward(many.take(leaf).float().sum())
    assert _value(leaf) == 4096.0  # added one by one in bf16 the sum would stand still at 256


def _value(leaf: Tensor) -> float:
    assert leaf.grad is not None
    return float(leaf.grad)
