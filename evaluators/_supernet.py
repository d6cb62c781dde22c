"""The door to a supernet for methods that search while they train one: its interface, and who opens it.

Nothing here needs torch before a supernet is opened; what passes through are architectures, plain numbers and folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from evaluators._evaluation import Metric
from evaluators._training.supernet.plan import StepLosses, SupernetPlan
from searchspaces import Architecture


class SupernetBesideBaseline(Protocol):
    """Weights that all candidates of a space share, and a fixed model with its own, trained on one stream.

    Promises: the same steps on the same plan give the same losses and scores, however often they went through `save`
    and `restore`; scoring changes nothing.
    """

    @property
    def steps(self) -> int:
        """How many have been done."""
        ...

    @property
    def scoring_rows(self) -> int:
        """Rows that one score takes, those of calibration included."""
        ...

    def draw(self, rng: np.random.Generator, count: int, *, full_path: float) -> list[Architecture]:
        """Candidates of the space's own distribution; `full_path` is a block's chance to be widest and fully wired."""
        ...

    def step(self, architectures: Sequence[Architecture]) -> StepLosses:
        """One step of the supernet on the next batch, and one of the baseline.

        Raises:
            DivergedError: a loss is no finite number.
        """
        ...

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        """`supernet_ne` and `supernet_auc` of a sub-network as it stands, on the same rows for all.

        Raises:
            DivergedError: a logit is not finite.
            SearchSpaceError: the architecture cannot be built for the data.
        """
        ...

    def score_baseline(self) -> dict[str, Metric]:
        """The same of the baseline that was trained in place."""
        ...

    def peak_bytes(self) -> int:
        """Most memory since it was opened: of the process on a CPU, of live tensors on CUDA."""
        ...

    def save(self, folder: Path) -> None:
        """Writes both models into an empty folder."""
        ...

    def restore(self, folder: Path) -> None:
        """Goes on from a folder that `save` has written.

        Raises:
            EvaluatorError: it is another supernet's, or cannot be read.
        """
        ...


def open_supernet(plan: SupernetPlan) -> SupernetBesideBaseline:
    """A fresh supernet; torch is loaded here.

    Raises:
        DataError: the data cannot be read.
        EvaluatorError: the device is not there.
    """
    from evaluators._training.supernet.beside import Beside

    return Beside(plan)
