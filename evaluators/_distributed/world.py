"""The ranks of a training and what they say to each other: torch.distributed, over gloo on CPUs and nccl on GPUs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from evaluators._distributed.sharding import Layout
from evaluators._errors import EvaluatorError
from evaluators._training.device import choose_device

PATIENCE = timedelta(hours=1)
"""How long a rank waits for the others before it gives up: the driver's limits, which it can name, come first."""


@dataclass(frozen=True)
class Group:
    """Some ranks that exchange tensors: `rank` is this process's place among `size`; without a handle it is alone."""

    rank: int = 0
    size: int = 1
    handle: dist.ProcessGroup | None = None

    def exchanged(self, given: Tensor, sent: list[int], received: list[int]) -> Tensor:
        """Rows `given[sum(sent), ...]` cut by receiver, for the rows `[sum(received), ...]` that others sent here."""
        if self.size == 1:
            return given
        out = given.new_empty((sum(received), *given.shape[1:]))
        dist.all_to_all_single(out, given.contiguous(), received, sent, group=self.handle)
        return out

    def counts(self, sent: list[int], device: torch.device) -> list[int]:
        """How many rows each rank sends here, where this one sends so many to each."""
        if self.size == 1:
            return sent
        out = torch.empty(self.size, dtype=torch.int64, device=device)
        dist.all_to_all_single(out, torch.tensor(sent, device=device), group=self.handle)
        return [int(one) for one in out]

    def average(self, tensors: list[Tensor]) -> None:
        """Replaces each tensor by its mean over the ranks."""
        if self.size == 1:
            return
        for one in tensors:
            dist.all_reduce(one, group=self.handle)
            one /= self.size


@dataclass(frozen=True)
class World:
    """All ranks, those that share tables, and those that hold the same shard in other groups."""

    everyone: Group = Group()
    mine: Group = Group()
    across: Group = Group()


def own_device(name: str, *, rank: int, size: int) -> torch.device:
    """The device of one rank: on CUDA the one called `name` is that of the first, and each has one of its own.

    Raises:
        EvaluatorError: there is no such device, or fewer than ranks.
    """
    first = choose_device(name)
    if first.type != "cuda":
        return first
    start, known = first.index or 0, torch.cuda.device_count()
    if start + size > known:
        raise EvaluatorError(
            f"each rank has a CUDA device of its own, but {size} ranks from device {start} on need {start + size} "
            f"and torch sees {known}; lower 'ranks', or train on device 'cpu'"
        )
    own = torch.device("cuda", start + rank)
    torch.cuda.set_device(own)  # before a group is joined: nccl takes the current one
    return own


def joined(layout: Layout, *, rank: int, size: int, meeting: Path, device: torch.device) -> World:
    """Joins the other ranks by way of the file `meeting`, which no rank has made before.

    Gloo listens on the loopback alone unless GLOO_SOCKET_IFNAME names another interface.

    Raises:
        EvaluatorError: the ranks are no multiple of the layout's groups.
    """
    each = layout.group_size(size)
    if size == 1:
        return World()
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=meeting.as_uri(), rank=rank, world_size=size, timeout=PATIENCE)
    groups = [list(range(first, first + each)) for first in range(0, size, each)]
    peers = [list(range(place, size, each)) for place in range(each)]
    return World(_group(rank, [list(range(size))]), _group(rank, groups), _group(rank, peers))


def left() -> None:
    """Leaves the other ranks, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _group(rank: int, groups: list[list[int]]) -> Group:
    """The group of this rank. All ranks make all groups, in one order, as torch demands."""
    found = Group()
    for members in groups:
        handle = dist.new_group(members) if len(members) > 1 else None
        if rank in members:
            found = Group(members.index(rank), len(members), handle)
    return found
