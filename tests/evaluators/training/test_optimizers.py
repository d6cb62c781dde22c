"""Which parameters are updated how."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from evaluators._training import optimizers as module
from evaluators._training.optimizers import optimizers
from evaluators._training.settings import TrainingSettings


def _model() -> nn.Module:
    return nn.ModuleDict({"table": nn.Embedding(10, 2), "layer": nn.Linear(2, 1)})


def test_tables_have_a_learning_rate_and_a_decay_of_their_own() -> None:
    settings = TrainingSettings(
        learning_rate=0.1, embedding_learning_rate=0.2, weight_decay=0.3, embedding_weight_decay=0.4
    )
    (dense,) = optimizers(_model(), settings)
    assert [(group["lr"], group["weight_decay"]) for group in dense.param_groups] == [(0.1, 0.3), (0.2, 0.4)]


def test_a_large_table_gets_sparse_gradients_and_lazy_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPARSE_ROWS", 10)
    model = _model()
    table = model.get_submodule("table")
    assert isinstance(table, nn.Embedding)
    dense, lazy = optimizers(model, TrainingSettings())
    before = table.weight.detach().clone()
    table(torch.tensor([3, 3, 7])).sum().backward()
    lazy.step()
    touched = (table.weight != before).any(dim=1)
    assert table.weight.grad is not None
    assert table.weight.grad.is_sparse
    assert touched.nonzero().flatten().tolist() == [3, 7]
    assert len(dense.param_groups) == 1


def test_a_large_table_that_decays_stays_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPARSE_ROWS", 10)
    assert len(optimizers(_model(), TrainingSettings(embedding_weight_decay=0.1))) == 1
