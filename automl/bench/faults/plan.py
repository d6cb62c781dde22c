"""What a run of the matrix is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Plan:
    """Everything in `folder` is found again, so the same plan goes on where it stopped.

    kills   of each of the two long rows
    seed    of victims and moments
    """

    folder: Path
    kills: int = 200
    seed: int = 1

    def place(self, row: str) -> Path:
        """The row's own folder, made where it is missing."""
        folder = self.folder.absolute() / row
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def rng(self, *keys: int) -> np.random.Generator:
        """Drawn from the seed and the keys alone: a row that goes on draws what it would have drawn."""
        return np.random.default_rng([self.seed, *keys])


class CannotInject(Exception):
    """The fault cannot be done on this machine; says why."""
