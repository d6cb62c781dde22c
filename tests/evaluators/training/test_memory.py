"""Peak memory of the process."""

from __future__ import annotations

import mmap
from pathlib import Path

import psutil
import pytest
import torch

from evaluators._training import memory
from evaluators._training.memory import peak_bytes, reset_peak

CPU = torch.device("cpu")
MEBIBYTE = 1 << 20


def touch(blocks: int, text: bytes) -> None:
    """Takes memory from the system, writes on all of it and gives it back: a heap may have had it already."""
    with mmap.mmap(-1, blocks * len(text)) as taken:
        for _ in range(blocks):
            taken.write(text)


def test_the_peak_holds_what_was_freed_again() -> None:
    text = b"1" * MEBIBYTE  # what is written is no part of the block
    reset_peak(CPU)
    before = peak_bytes(CPU)
    touch(64, text)
    assert 50 * MEBIBYTE < peak_bytes(CPU) - before < 80 * MEBIBYTE


def test_a_reset_forgets_the_peak() -> None:
    if not memory._CLEAR.exists():
        pytest.skip("the kernel cannot reset its mark here")
    touch(64, b"1" * MEBIBYTE)
    high = peak_bytes(CPU)
    reset_peak(CPU)
    assert peak_bytes(CPU) < high - 50 * MEBIBYTE


def test_without_the_kernels_status_the_mark_of_the_whole_life_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_STATUS", Path("/nowhere/status"))
    monkeypatch.setattr(memory, "_CLEAR", Path("/nowhere/clear"))
    reset_peak(CPU)
    assert peak_bytes(CPU) >= 0.9 * psutil.Process().memory_info().rss
