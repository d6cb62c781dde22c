"""What a comparison of supernets with a table is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluators._datasets import Dataset, Part
from evaluators._training.supernet.scoring import held_out
from evaluators._training.supernet.settings import held_out_rows
from searchspaces import Architecture, SearchSpace


@dataclass(frozen=True)
class Plan:
    """A table of trainings from scratch, its data, and supernets; what is in `folder` is not done again.

    rows              of a supernet's training, passed over again beyond those of the part; None passes over it once
    calibration_rows  that sub-networks are adapted and fitted to, in `adapt` passes
    window            rows of validation that a candidate is scored on
    seeds             supernets of each kind
    """

    table: Path
    data: str
    folder: Path
    rows: int | None = None
    batch_size: int = 256
    calibration_rows: int = 8192
    adapt: int = 1
    window: int = 8192
    seeds: int = 2
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Ground:
    """What is scored, as the plan says."""

    plan: Plan
    dataset: Dataset
    space: SearchSpace
    architectures: Sequence[Architecture]

    @property
    def training_rows(self) -> int:
        """That a supernet passes over."""
        whole = self.dataset.rows["train"]
        return self.plan.rows or whole - held_out_rows(self.plan.calibration_rows, whole)

    def rows(self) -> tuple[Part, Part]:
        """Of training, and of calibration."""
        return held_out(self.dataset.part("train"), self.plan.calibration_rows)
