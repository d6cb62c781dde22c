"""Evaluator `trees`: LightGBM on the prepared columns, as a baseline that networks have to beat."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import numpy as np

from evaluators._datasets import Dataset, Part, open_dataset, read_rows
from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from evaluators._evaluator import training_seed
from evaluators._training.metrics import quality
from evaluators._training.settings import NAMES
from evaluators._trees.columns import columns_of
from evaluators._trees.fitting import fitted_logits
from evaluators._trees.rows import ordered
from evaluators._trees.settings import TreeSettings
from evaluators._trial import Suggestion

__all__ = ["Trees"]


@dataclass(eq=False)
class Trees:
    """Grows boosted trees on the training part and measures them on the validation part.

    A candidate has no architecture: its training settings are those of the trees. The validation part ranks and is
    seen for nothing else; the number of trees is chosen on the end of the training part. Where the data has no times,
    its training rows come in an order drawn with the seed.

    A fidelity may set `rows` and `prefix`; what else it sets is for networks. `params` counts splits and leaves.

    dataset   prepared folder, or a source that can be prepared
    rows      training rows, the most recent ones; None takes all
    prefix    takes the first rows instead
    threads   threads of LightGBM, a fixed number: the trees depend on it

    Raises:
        EvaluatorError: an option breaks its rule; in `open` and `evaluate`, the data is not there.
    """

    dataset: Path
    study_seed: int
    _: KW_ONLY
    rows: int | None = None
    prefix: bool = False
    threads: int = 1
    cohort_size: int = field(default=1, init=False)
    _opened: Dataset | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, value in (("rows", self.rows), ("threads", self.threads)):
            if value is not None and value < 1:
                raise EvaluatorError(f"{name!r} must be at least 1, but is {value!r}")

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Grows the members' trees one after the other."""
        for position, suggestion in enumerate(cohort):
            started = time.perf_counter()
            try:
                yield position, self._evaluation(suggestion, started)
            except EvaluatorError as error:
                yield position, Failure(FailureKind.INVALID, str(error), time.perf_counter() - started)

    def open(self) -> None:
        """Opens the data.

        Raises:
            DataError: it is not there.
        """
        self._opened = self._opened or open_dataset(self.dataset)

    def close(self) -> None:
        """Lets go of the data; may be called twice."""
        self._opened = None

    def _evaluation(self, suggestion: Suggestion, started: float) -> Evaluation:
        if suggestion.candidate.architecture is not None:
            raise EvaluatorError(
                "the evaluator 'trees' grows trees from settings alone, but the candidate has an architecture; "
                "choose the evaluator 'train'"
            )
        settings = TreeSettings().overridden(suggestion.candidate.training)
        seed = training_seed(self.study_seed, suggestion.replicate)
        train, valid = self._rows(suggestion, seed), self._part("valid")
        columns = columns_of(train, valid, self._data.schema, settings)
        logits, grown = fitted_logits(columns, train.label, settings, seed=seed, threads=self.threads)
        seconds = time.perf_counter() - started
        metrics = {
            **quality(logits, valid.label.astype(np.float64)),
            "trees": Metric(grown.trees),
            "params": Metric(grown.params),
            "examples_per_second": Metric(len(train) / seconds),
            "train_seconds": Metric(seconds),
        }
        curve = (Point(len(train), {"logloss": metrics["logloss"].value}),)
        return Evaluation(metrics, curve, seconds=time.perf_counter() - started)

    @property
    def _data(self) -> Dataset:
        self.open()
        assert self._opened is not None
        return self._opened

    def _part(self, name: str) -> Part:
        part = self._data.part(name)
        return read_rows(part, 0, len(part))

    def _rows(self, suggestion: Suggestion, seed: int) -> Part:
        """The training rows of the fidelity, in order of time or in one drawn with the seed."""
        given = {"rows": self.rows, "prefix": self.prefix, **suggestion.fidelity.settings}
        unknown = sorted(set(given) - set(NAMES))
        if unknown:
            raise EvaluatorError(f"a fidelity of the trees sets 'rows' and 'prefix', but has {unknown[0]!r}")
        part, wanted = self._data.part("train"), given["rows"]
        count = min(wanted, len(part)) if isinstance(wanted, int) else len(part)
        first = 0 if given["prefix"] else len(part) - count
        return ordered(read_rows(part, first, first + count), seed=seed)
