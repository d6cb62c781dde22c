"""One optimizer for a cohort: each member's weights move as they would alone."""

from __future__ import annotations

import torch
from torch import nn

from evaluators._training.flat import Flat
from evaluators._training.optimizer import Optimizer
from evaluators._training.settings import TrainingSettings

FAST, SLOW = TrainingSettings(learning_rate=0.1), TrainingSettings(learning_rate=0.01, weight_decay=0.1)


def _member(seed: int) -> tuple[nn.Linear, list[Flat]]:
    torch.manual_seed(seed)
    layer = nn.Linear(5, 3)
    return layer, [Flat(list(layer.parameters()))]


def _stepped(members: dict[int, tuple[nn.Linear, list[Flat], TrainingSettings]], drop: int | None) -> dict[int, object]:
    optimizer = Optimizer({number: (flats, settings) for number, (_, flats, settings) in members.items()})
    for step in range(3):
        if drop is not None and step == 1:
            optimizer.drop(drop)
            del members[drop]
        for layer, _, _ in members.values():
            torch.autograd.backward(layer(torch.ones(2, 5) * (step + 1)).square().sum())
        optimizer.step()
    return {number: layer.weight.tolist() for number, (layer, _, _) in members.items()}


def test_each_member_moves_as_it_would_alone_at_its_own_rate_whoever_leaves() -> None:
    settings = {0: FAST, 1: SLOW, 2: FAST}
    alone = {at: _stepped({at: (*_member(at), one)}, None)[at] for at, one in settings.items()}
    assert _stepped({at: (*_member(at), one) for at, one in settings.items()}, None) == alone
    assert _stepped({at: (*_member(at), one) for at, one in settings.items()}, 0) == {1: alone[1], 2: alone[2]}
    assert alone[0] != alone[2]


def test_nothing_to_move_is_no_error() -> None:
    optimizer = Optimizer({0: ((), FAST)})
    optimizer.step()
    optimizer.drop(0)
