"""Rows as tensors: gathers batches out of memory-mapped arrays, or out of the accelerator's memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from evaluators._datasets import Dataset, Part
from searchspaces import FeatureSchema

RESIDENT_SHARE = 0.5
"""Share of the accelerator's free memory that a part may take; a larger one stays on the host."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What a model takes, and the labels it should find."""

    numeric: Float[Tensor, "batch numeric"]
    categorical: Int[Tensor, "batch categorical"]
    label: Float[Tensor, " batch"]


class Examples:
    """One part of a dataset, ready to be read in any order; made once and used for many trainings.

    On a CPU the arrays stay memory-mapped: the page cache is the preloading, and a gather of 512 rows
    takes a hundredth of a step.
    """

    def __init__(self, part: Part, device: torch.device) -> None:
        self.device = device
        self._label = np.asarray(part.label)
        self._numeric = np.asarray(part.numeric)
        self._categorical = np.asarray(part.categorical)
        self._resident = self._on_device() if self._fits() else None

    def __len__(self) -> int:
        """How many rows."""
        return len(self._label)

    @property
    def labels(self) -> NDArray[np.float64]:
        """All labels in row order, [rows]."""
        return self._label.astype(np.float64)

    def batches(self, order: NDArray[np.int64], size: int) -> Iterator[Batch]:
        """Batches of `size` rows in the given order of row numbers; the last may be smaller."""
        place = torch.from_numpy(order).to(self.device) if self._resident else None
        for start in range(0, len(order), size):
            if self._resident is None or place is None:
                yield self._gathered(order[start : start + size])
            else:
                rows = place[start : start + size]
                kept = self._resident
                yield Batch(kept.numeric[rows], kept.categorical[rows], kept.label[rows])

    def _gathered(self, rows: NDArray[np.int64]) -> Batch:
        return Batch(
            torch.from_numpy(self._numeric.take(rows, axis=0)).to(self.device),
            torch.from_numpy(self._categorical.take(rows, axis=0).astype(np.int64)).to(self.device),
            torch.from_numpy(self._label.take(rows)).to(self.device),
        )

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        needed = self._label.nbytes + self._numeric.nbytes + 2 * self._categorical.nbytes
        return needed < RESIDENT_SHARE * free

    def _on_device(self) -> Batch:
        return self._gathered(np.arange(len(self), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class SearchData:
    """What a search may see of a dataset: its schema, the training part and the validation part."""

    schema: FeatureSchema
    train: Examples
    valid: Examples

    @classmethod
    def load(cls, dataset: Dataset, device: torch.device) -> SearchData:
        """Opens both parts for a device."""
        return cls(dataset.schema, Examples(dataset.part("train"), device), Examples(dataset.part("valid"), device))
