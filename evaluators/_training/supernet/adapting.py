"""All layers of a sub-network trained on for a few steps, its tables as they stand: shared weights fit none exactly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._training.examples import Batch, Examples
from searchspaces.build import RankingModel

RATE = 1e-3
"""Of Adam, as when candidates are trained from scratch by their defaults."""

CLIP = 5.0
"""Largest norm of a gradient: products of products give some that undo all that was learnt."""

BATCH = 128
"""Rows of a step. Rows that nobody has seen are scarce, and steps are what counts: 64 steps of 128 order sixty
candidates better than 32 steps of 256 (`rankitect_scratch` on kuairand_pure, tau .51 and .48)."""


def adapt(model: RankingModel, rows: Examples, *, passes: int) -> None:
    """Trains everything outside tables on the rows, `passes` times in an order that is always the same.

    The tables of a sub-network are views of the shared ones, and no gradient reaches them.
    """
    tables = {id(table.module.weight) for layer in model.sources().values() for table in layer.tables().values()}
    layers = [one for one in model.parameters() if id(one) not in tables]
    for one in model.parameters():
        one.requires_grad_(id(one) not in tables)
    optimizer = torch.optim.Adam(layers, lr=RATE)
    model.train()
    for batch in _batches(rows, passes):
        optimizer.zero_grad()
        logits = model(batch.numeric, batch.categorical)
        binary_cross_entropy_with_logits(logits, batch.label.to(logits)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(layers, CLIP)
        optimizer.step()
    optimizer.zero_grad()
    model.eval()


def _batches(rows: Examples, passes: int) -> Iterator[Batch]:
    for number in range(passes):
        yield from rows.batches(np.random.default_rng(number).permutation(len(rows)), BATCH)
