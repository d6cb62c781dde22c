"""What moves everything outside tables: one fused optimizer for all members of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from evaluators._training.flat import Flat
from evaluators._training.settings import TrainingSettings


class Optimizer:
    """AdamW (Loshchilov and Hutter 2019, Decoupled weight decay regularization) on the members' masters.

    Members that learn alike are one group, so that a step is one call for all of them. It treats each vector by itself.
    """

    def __init__(self, members: Mapping[int, tuple[Sequence[Flat], TrainingSettings]]) -> None:
        self._flats = {number: tuple(flats) for number, (flats, _) in members.items() if flats}
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for flats, settings in members.values():
            alike = groups.setdefault((settings.learning_rate, settings.weight_decay), [])
            alike += [one.master for one in flats]
        masters = [one for group in groups.values() for one in group]
        self._adam = (
            torch.optim.AdamW(
                [
                    {"params": group, "lr": rate, "weight_decay": decay}
                    for (rate, decay), group in groups.items()
                    if group
                ],
                fused=masters[0].device.type != "meta",
            )
            if masters
            else None
        )

    def step(self) -> None:
        """Moves all masters by the gradients that the last backward pass left, and lets the models follow."""
        if self._adam is None:
            return
        flats = [one for found in self._flats.values() for one in found]
        for one in flats:
            one.collect()
        self._adam.step()
        for one in flats:
            one.follow()

    def drop(self, number: int) -> None:
        """Lets a member's masters go."""
        if self._adam is None or number not in self._flats:
            return
        gone = {id(one.master): one.master for one in self._flats.pop(number)}
        for group in self._adam.param_groups:
            group["params"] = [one for one in group["params"] if id(one) not in gone]
        for master in gone.values():
            self._adam.state.pop(master, None)
