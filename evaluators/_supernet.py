"""The door to supernets for methods that search while they train one: interfaces, and who opens them.

Nothing here needs torch before one is opened; what passes through are architectures, arrays and folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from evaluators._evaluation import Metric
from evaluators._training.supernet.plan import StepLosses, SupernetPlan
from evaluators._training.supernet.split_plan import Answers, SplitPlan
from searchspaces import Architecture


class TrainedSupernet(Protocol):
    """Weights that all candidates of a space share, as long as they are trained.

    Promises: the same calls on the same plan give the same losses, answers and scores, however often they went through
    `save` and `restore`; asking, scoring and timing change nothing.
    """

    @property
    def steps(self) -> int:
        """How often the weights have been trained."""
        ...

    @property
    def scoring_rows(self) -> int:
        """Rows that one score takes, those of calibration included."""
        ...

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        """`supernet_ne` and `supernet_auc` of a sub-network as it stands, on the same rows for all.

        Raises:
            DivergedError: a logit is not finite.
            SearchSpaceError: the architecture cannot be built for the data.
        """
        ...

    def peak_bytes(self) -> int:
        """Most memory since it was opened: of the process on a CPU, of live tensors on CUDA."""
        ...

    def save(self, folder: Path) -> None:
        """Writes all weights into an empty folder."""
        ...

    def restore(self, folder: Path) -> None:
        """Goes on from a folder that `save` has written.

        Raises:
            EvaluatorError: it is another supernet's, or cannot be read.
        """
        ...


class SupernetBesideBaseline(TrainedSupernet, Protocol):
    """A supernet, and a fixed model with weights of its own, trained on one stream."""

    def draw(self, rng: np.random.Generator, count: int, *, full_path: float) -> list[Architecture]:
        """Candidates of the space's own distribution; `full_path` is a block's chance to be widest and fully wired."""
        ...

    def step(self, architectures: Sequence[Architecture]) -> StepLosses:
        """One step of the supernet on the next batch, and one of the baseline.

        Raises:
            DivergedError: the baseline's loss is no finite number, or so were those of all candidates for long.
        """
        ...

    def score_baseline(self) -> dict[str, Metric]:
        """The same as `score`, of the baseline that was trained in place."""
        ...

    def serving_of_baseline(self) -> dict[str, Metric]:
        """`qps`, `latency_ms_p50` and `latency_ms_p99` of the baseline on this machine."""
        ...

    def relative_time(self, architecture: Architecture, *, metric: str) -> float:
        """How long a sub-network takes to answer over what the baseline takes: 2.0 is twice as long.

        `metric`, one of those of `serving_of_baseline`, says how many rows are asked about. Both are asked in turn, so
        that how fast the machine is, and whatever else it does, is in both. No two calls give quite the same.

        Raises:
            SearchSpaceError: the architecture cannot be built for the data.
        """
        ...


class SplitSupernet(TrainedSupernet, Protocol):
    """A supernet whose rows are split: even ones train weights, odd ones judge what they are worth."""

    def train(self, architecture: Architecture) -> int:
        """One step on the next batch of the weights' half; gives the rows of it.

        Raises:
            DivergedError: the losses of many steps in a row were no finite numbers.
        """
        ...

    def ask(self, architectures: Sequence[Architecture], *, number: int) -> Answers:
        """What sub-networks say of batch `number` of the other half; passes over it follow each other without end.

        Norms over the batch see this batch, as when weights are trained. Nothing is dropped out.
        """
        ...


def open_supernet(plan: SupernetPlan) -> SupernetBesideBaseline:
    """A fresh supernet beside a baseline; torch is loaded here.

    Raises:
        DataError: the data cannot be read.
        EvaluatorError: the device is not there.
    """
    from evaluators._training.supernet.beside import Beside

    return Beside(plan)


def open_split_supernet(plan: SplitPlan) -> SplitSupernet:
    """A fresh supernet whose rows are split; torch is loaded here.

    Raises:
        DataError: the data cannot be read.
        EvaluatorError: the device is not there.
    """
    from evaluators._training.supernet.split import Split

    return Split.opened(plan)
