"""Decides where training runs."""

from __future__ import annotations

import torch

from evaluators._errors import EvaluatorError
from evaluators._training.settings import DEVICE


def choose_device(name: str) -> torch.device:
    """The device called 'auto' (CUDA where there is one), 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        EvaluatorError: it is called otherwise, or CUDA is asked for and this build or machine has none of that number.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    if not DEVICE.fullmatch(name):
        raise EvaluatorError(f"'device' must be 'auto', 'cpu', 'cuda' or 'cuda:N', but is {name!r}")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise EvaluatorError(
            f"device {name!r} needs that CUDA device, but torch {torch.__version__} sees {count}; "
            "take device 'auto' or 'cpu'"
        )
    return device
