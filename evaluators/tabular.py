"""Evaluator `tabular`: looks finished trainings up instead of training; for races of searchers, tests and trials.

Source of the idea: Klein and Hutter 2019, Tabular benchmarks for joint architecture and hyperparameter optimization.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure
from evaluators._tabular.entries import SEARCH, read_entries
from evaluators._tabular.lookup import Lookup
from evaluators._trial import Suggestion

__all__ = ["Tabular"]


@dataclass(eq=False)
class Tabular:
    """Serves a table that `automl bench table` made: the metrics of evaluator `train`, in microseconds.

    Of n stored replicates, replicate k of a study with seed s is the stored one (k + s) mod n for every candidate, so
    that candidates of one study share their seeds as in a real one, and studies differ in them. More replicates than
    are stored repeat numbers: a mean over them is no better. What the table keeps as truth is never served. The
    human-made architectures that it has are, as baselines of a study.

    A fidelity may set `rows`: what is known by then is read from the learning curve of the whole training.

    A candidate that the table lacks fails as `invalid`; the space `tabled` has exactly those that it has.

    Raises:
        EvaluatorError: the table cannot be read, or a fidelity sets more than `rows`.
    """

    study_seed: int
    _: KW_ONLY
    table: str
    cohort_size: int = 1

    def __post_init__(self) -> None:
        if self.cohort_size < 1:
            raise EvaluatorError(f"'cohort_size' must be at least 1, but is {self.cohort_size!r}")
        self._lookup = Lookup.of(read_entries(Path(self.table)))
        if not self._lookup.outcomes:
            raise EvaluatorError(
                f"a table to search in has trainings of the role {SEARCH!r}, but {self.table} has none"
            )

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome per member, in order."""
        for position, suggestion in enumerate(cohort):
            yield position, self._lookup.outcome(suggestion, study_seed=self.study_seed)

    def open(self) -> None:
        """Nothing is needed: the table has been read."""

    def close(self) -> None:
        """Nothing is held."""
