"""What torch sees: its build, its threads, and the accelerators of this machine."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Accelerator:
    """One CUDA device."""

    name: str
    total_bytes: int
    free_bytes: int
    has_bf16: bool


def accelerators() -> list[Accelerator]:
    """All CUDA devices that torch sees, by number."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [_accelerator(number) for number in range(count)]


def build() -> str:
    """Version and what it was built for."""
    cuda = torch.version.cuda
    return f"{torch.__version__}, {f'CUDA {cuda}' if cuda else 'no CUDA'}"


def threads() -> int:
    """Threads of an operator where nobody says how many."""
    return torch.get_num_threads()


def _accelerator(number: int) -> Accelerator:
    free, total = torch.cuda.mem_get_info(number)
    with torch.cuda.device(number):
        return Accelerator(torch.cuda.get_device_name(number), total, free, torch.cuda.is_bf16_supported())
