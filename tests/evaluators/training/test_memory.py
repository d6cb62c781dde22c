"""Peak memory of the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from evaluators._training import memory
from evaluators._training.memory import peak_bytes, reset_peak

CPU = torch.device("cpu")
MEBIBYTE = 1 << 20


def test_the_peak_holds_what_was_freed_again() -> None:
    reset_peak(CPU)
    before = peak_bytes(CPU)
    block = np.ones(64 * MEBIBYTE, np.uint8)
    del block
    assert 50 * MEBIBYTE < peak_bytes(CPU) - before < 80 * MEBIBYTE


def test_a_reset_forgets_the_peak() -> None:
    if not memory._CLEAR.exists():
        pytest.skip("the kernel cannot reset its mark here")
    block = np.ones(64 * MEBIBYTE, np.uint8)
    high = peak_bytes(CPU)
    del block
    reset_peak(CPU)
    assert peak_bytes(CPU) < high - 50 * MEBIBYTE


def test_without_the_kernels_status_the_mark_of_the_whole_life_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_STATUS", Path("/nowhere/status"))
    monkeypatch.setattr(memory, "_CLEAR", Path("/nowhere/clear"))
    reset_peak(CPU)
    assert peak_bytes(CPU) >= 0.9 * psutil.Process().memory_info().rss
