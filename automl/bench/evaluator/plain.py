"""The loop that anybody would write: one candidate after the other, dense fused Adam over everything.

Tables are one parameter under each other, looked up by a gather, since an embedding layer's backward pass is slower.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._training.evaluate import Job, trainable
from evaluators._training.loop import score
from evaluators._training.search_data import SearchData
from evaluators._training.stream import Plan, row_orders
from searchspaces.build import RankingModel, build


def plain_logits(jobs: Sequence[Job], data: SearchData, *, seed: int) -> list[NDArray[np.float64]]:
    """Trains each candidate from the same initial weights, on the same rows in the same order, as a cohort has.

    Gives logits on the validation part, [rows] each.
    """
    found = []
    for job in jobs:
        model = build(trainable(job.candidate), data.schema, seed=seed)
        train_plainly(model, job, data, seed=seed)
        found.append(score(model, data.valid))
    return found


def train_plainly(model: RankingModel, job: Job, data: SearchData, *, seed: int) -> None:
    """One candidate, in place."""
    optimizer = torch.optim.Adam(model.parameters(), lr=job.settings.learning_rate, fused=True)
    plan = Plan.of(job.settings, len(data.train), seed=seed)
    model.train()
    for number in range(plan.passes):
        for batch in data.train.stream(row_orders(plan, number=number), plan.batch_size):
            optimizer.zero_grad()
            loss = binary_cross_entropy_with_logits(model(batch.numeric, batch.categorical), batch.label)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
