"""The interface of an evaluator, and the seed that every one derives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from evaluators._evaluation import Evaluation, Failure
from evaluators._trial import Suggestion


class Evaluator(Protocol):
    """Measures candidates.

    Promises: each member of the cohort is answered exactly once, by its position; a guilty member gets
    a `Failure` and does not change the others' results; the same suggestion under the same study seed
    gives the same metrics on the same build, timings aside.
    """

    cohort_size: int

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields (position in the cohort, outcome) in any order."""
        ...

    def open(self) -> None:
        """Gets ready for the first trial; optional, and may be called twice.

        Raises:
            EvaluatorError: the device or the data is not there, so that no trial could work.
        """
        ...

    def close(self) -> None:
        """Ends child processes and frees what is held; may be called twice."""
        ...


def training_seed(study_seed: int, replicate: int) -> int:
    """Seed of one replicate: equal for all candidates of a study, below 2**32.

    >>> training_seed(1, 0) == training_seed(1, 0) != training_seed(1, 1)
    True
    """
    return int(np.random.SeedSequence([study_seed, replicate]).generate_state(1)[0])
