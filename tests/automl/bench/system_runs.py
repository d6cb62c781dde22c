"""A table of training runs in an instant: a law of speed on the space `run_settings`, with failures and noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from automl.bench.runs import Plan, runs
from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion
from searchspaces import Candidate
from tests.evaluators.small_data import write_small_data


def speed(candidate: Candidate) -> float:
    """Batches by their square root, and factors."""
    knobs = candidate.system
    batch, ranks = float(str(knobs["batch_size"])), float(str(knobs["ranks"]))
    slow = 0.5 if knobs["table_optimizer"] == "sparse_adam" else 1.0
    return 0.01 * math.sqrt(batch) * math.pow(ranks, 0.8) * slow * (1.3 if knobs["dtype"] == "bf16" else 1.0)


class Law:
    """Measures by the law, with noise; the largest batch runs out of memory. Breaks down after so many asks."""

    cohort_size = 1

    def __init__(self, breaks_after: int = -1, noise: float = 0.0) -> None:
        self.asked: list[tuple[str, int]] = []
        self._breaks_after, self._noise = breaks_after, noise

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome a member."""
        for position, one in enumerate(cohort):
            if len(self.asked) == self._breaks_after:
                raise KeyboardInterrupt
            self.asked.append((one.candidate.fingerprint, one.replicate))
            yield position, self._outcome(one)

    def open(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing is held."""

    def _outcome(self, suggestion: Suggestion) -> Evaluation | Failure:
        if suggestion.candidate.system["batch_size"] == 4096:
            return Failure(FailureKind.OUT_OF_MEMORY, "too large", 0.1)
        seed = [suggestion.replicate, int(suggestion.candidate.fingerprint[-6:], 16)]
        noise = float(np.exp(self._noise * np.random.default_rng(seed).normal()))
        return Evaluation({"speed_ratio": Metric(noise * speed(suggestion.candidate), 0.01)}, seconds=0.1)


def plan(folder: Path, **changes: object) -> Plan:
    """A small table beside small data, both in this folder."""
    data = folder / "data"
    if not data.exists():
        write_small_data(data, rows=100)
    sizes = {"count": 24, "top": 4, "repeats": 2, **changes}
    return Plan(folder / "table", str(data), **sizes)  # type: ignore[arg-type]  # tests know what they change


def table(folder: Path, **changes: object) -> Path:
    """A finished table."""
    made = plan(folder, **changes)
    runs(made, evaluator=Law(noise=0.02))
    return made.folder
