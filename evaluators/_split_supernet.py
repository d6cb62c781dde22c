"""The door to a supernet whose rows are split: one half trains weights, the other one judges what they are worth.

Nothing here needs torch before a supernet is opened; what passes through are architectures, arrays and folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from evaluators._evaluation import Metric
from evaluators._training.supernet.split_plan import Answers, SplitPlan
from searchspaces import Architecture


class SplitSupernet(Protocol):
    """Weights that all candidates of a space share, trained on every other row of the training part.

    Promises: the same calls on the same plan give the same weights, answers and scores, however often they went through
    `save` and `restore`; asking and scoring change nothing.
    """

    @property
    def steps(self) -> int:
        """How often the weights have been trained."""
        ...

    @property
    def scoring_rows(self) -> int:
        """Rows that one score takes, those of calibration included."""
        ...

    def train(self, architecture: Architecture) -> int:
        """One step on the next batch of the weights' half; gives the rows of it.

        Raises:
            DivergedError: the loss is no finite number.
        """
        ...

    def ask(self, architectures: Sequence[Architecture], *, number: int) -> Answers:
        """What sub-networks say of batch `number` of the other half; passes over it follow each other without end.

        Norms over the batch see this batch, as when weights are trained. Nothing is dropped out.
        """
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
        """Writes the weights into an empty folder."""
        ...

    def restore(self, folder: Path) -> None:
        """Goes on from a folder that `save` has written.

        Raises:
            EvaluatorError: it is another supernet's, or cannot be read.
        """
        ...


def open_split_supernet(plan: SplitPlan) -> SplitSupernet:
    """A fresh supernet; torch is loaded here.

    Raises:
        DataError: the data cannot be read.
        EvaluatorError: the device is not there.
    """
    from evaluators._training.supernet.split import Split

    return Split.opened(plan)
