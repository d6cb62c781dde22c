"""Chooses how parameters are updated: fused Adam, and lazy Adam on the rows that a batch touches."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.optim import Optimizer

from evaluators._training.settings import TrainingSettings

SPARSE_ROWS = 300_000
"""Rows from which a table gets sparse gradients.

Dense Adam reads and writes every row at every step, lazy Adam only those of the batch, at a fixed price
for sorting them. Measured on one core, dimension 16, 23,000 look-ups a step, dense against lazy: 9 and
16 ms at 200,000 rows, 49 and 20 at a million, 123 and 25 at three. The rule looks at the table alone,
never at a timing, so that a candidate trains the same way on every machine.
"""


def optimizers(model: nn.Module, settings: TrainingSettings) -> tuple[Optimizer, ...]:
    """One optimizer for everything dense, and one for the large tables where there are any.

    Weight decay is decoupled (Loshchilov and Hutter 2019, Decoupled weight decay regularization). A
    table that decays stays dense: decay concerns every row at every step.
    """
    sparse = list(_large_tables(model)) if settings.embedding_weight_decay == 0.0 else []
    for table in sparse:
        table.sparse = True
    lazy = {id(table.weight) for table in sparse}
    tables = {id(table.weight) for table in _tables(model)} - lazy
    rest = [one for one in model.parameters() if id(one) not in tables | lazy]
    dense = [one for one in model.parameters() if id(one) in tables]
    groups = [
        {"params": rest, "lr": settings.learning_rate, "weight_decay": settings.weight_decay},
        {"params": dense, "lr": settings.table_learning_rate, "weight_decay": settings.embedding_weight_decay},
    ]
    chosen: list[Optimizer] = [torch.optim.AdamW([group for group in groups if group["params"]], fused=True)]
    if sparse:
        chosen.append(torch.optim.SparseAdam([table.weight for table in sparse], lr=settings.table_learning_rate))
    return tuple(chosen)


def _tables(model: nn.Module) -> Iterator[nn.Embedding]:
    return (module for module in model.modules() if isinstance(module, nn.Embedding))


def _large_tables(model: nn.Module) -> Iterator[nn.Embedding]:
    return (table for table in _tables(model) if table.num_embeddings >= SPARSE_ROWS)
