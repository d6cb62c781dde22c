"""What training processes hold of a dataset: its parts, opened once for a device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evaluators._datasets import Dataset
from evaluators._training.examples import Examples
from evaluators._training.stream import Stream
from searchspaces import FeatureSchema


@dataclass(frozen=True, eq=False)
class SearchData:
    """What a search may see of a dataset: its schema, the training part and the validation part."""

    schema: FeatureSchema
    train: Examples
    valid: Examples
    stream: Stream

    @classmethod
    def load(cls, dataset: Dataset, device: torch.device) -> SearchData:
        """Opens both parts for a device."""
        train = Examples(dataset.part("train"), device)
        return cls(dataset.schema, train, Examples(dataset.part("valid"), device), Stream(train))
