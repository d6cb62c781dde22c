"""What a supernet beside a baseline is made from, and what a step of it tells; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
from searchspaces import Architecture, SearchSpace


@dataclass(frozen=True)
class SupernetPlan:
    """What a supernet is trained on, and how; a fixed `baseline` of any space is trained in place beside it.

    Learning rates of the baseline are `baseline_rate` times those of the supernet: its weights move at every step.
    `settings.rows` are those of the stream: each step takes `settings.batch_size` of them for every model in it.
    """

    dataset: Path
    space: SearchSpace
    baseline: Architecture
    seed: int
    settings: SupernetSettings = field(default_factory=SupernetSettings)
    scoring: ScoringSettings = field(default_factory=ScoringSettings)
    device: str = "auto"
    hash_cap: int | None = None
    baseline_rate: float = 1.0


@dataclass(frozen=True)
class StepLosses:
    """Mean log losses of one step on the same batch, each before the weights took their step; `rows` of the batch.

    NaN for candidates whose loss or gradient was no finite number: the step went on without them.
    """

    candidates: tuple[float, ...]
    baseline: float
    rows: int
