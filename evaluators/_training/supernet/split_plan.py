"""What goes into a supernet whose rows are split, and what it answers; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
from searchspaces import SearchSpace


@dataclass(frozen=True)
class SplitPlan:
    """What a supernet is trained on, and how; `settings.rows` are those that its weights learn from.

    Its models are asked about `asked_rows` at once.
    """

    dataset: Path
    space: SearchSpace
    seed: int
    settings: SupernetSettings = field(default_factory=SupernetSettings)
    asked_rows: int = 256
    scoring: ScoringSettings = field(default_factory=ScoringSettings)
    device: str = "auto"
    hash_cap: int | None = None


@dataclass(frozen=True, eq=False)
class Answers:
    """Click logits of several sub-networks `[sub-networks, rows]`, and the labels `[rows]`, 0 or 1."""

    logits: NDArray[np.float64]
    labels: NDArray[np.float64]
