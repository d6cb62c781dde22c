"""Embedding tables that have been trained already, for candidates that begin with them.

Song et al. (2020), Towards automated neural interaction discovery for CTR prediction, copy the tables of a pretrained
model into each candidate, so that a short training is spent on what the candidates differ in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from searchspaces.build import RankingModel

Key = tuple[str, int]
"""Signature of the ids of a table, and its dimension."""


@dataclass(frozen=True, eq=False)
class WarmTables:
    """Trained weights [rows, dim] by what a table must look like to begin with them."""

    weights: Mapping[Key, Tensor]

    @classmethod
    def of(cls, model: RankingModel) -> WarmTables:
        """The tables of a trained model; the first where two look alike."""
        found: dict[Key, Tensor] = {}
        for source in model.sources().values():
            for table in source.tables().values():
                weight = table.module.weight.detach()
                found.setdefault((table.signature, weight.shape[1]), weight)
        return cls(found)

    def fill(self, model: RankingModel) -> int:
        """Writes them into the tables of a fresh model that look alike, and says into how many.

        A table of another dimension begins as it would without.
        """
        filled = 0
        for source in model.sources().values():
            for table in source.tables().values():
                weight = table.module.weight
                known = self.weights.get((table.signature, weight.shape[1]))
                if known is not None:
                    with torch.no_grad():
                        weight.copy_(known)
                    filled += 1
        return filled
