"""Each rank takes a device of its own."""

from __future__ import annotations

import pytest
import torch

from evaluators import EvaluatorError
from evaluators._distributed.world import own_device


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """A machine of two pretended CUDA devices, and those that were made the current one."""
    found: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", found.append)
    return found


def test_ranks_have_different_cuda_devices_and_make_them_the_current_ones(taken: list[torch.device]) -> None:
    own = [own_device("cuda", rank=rank, size=2) for rank in range(2)]
    assert own == taken == [torch.device("cuda", 0), torch.device("cuda", 1)]
    assert own_device("cuda:1", rank=0, size=1) == torch.device("cuda", 1)


def test_fewer_devices_than_ranks_are_told(taken: list[torch.device]) -> None:
    with pytest.raises(EvaluatorError, match="3 ranks from device 0 on need 3 and torch sees 2; lower 'ranks'"):
        own_device("cuda", rank=0, size=3)
    with pytest.raises(EvaluatorError, match="2 ranks from device 1 on need 3 and torch sees 2"):
        own_device("cuda:1", rank=0, size=2)
    assert not taken


def test_ranks_share_a_cpu() -> None:
    assert own_device("cpu", rank=1, size=2) == torch.device("cpu")
