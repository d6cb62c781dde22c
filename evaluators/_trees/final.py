"""Grows trees on all training rows for a final judgement, and scores parts with them later."""

from __future__ import annotations

import time
from dataclasses import dataclass

from evaluators._datasets import Dataset, Part, read_rows
from evaluators._errors import EvaluatorError
from evaluators._trees.columns import columns_of, later_columns
from evaluators._trees.fitting import Grown, Vector, fitted_logits, logits_of_text
from evaluators._trees.rows import ordered
from evaluators._trees.settings import TreeSettings
from searchspaces import Candidate

THREADS = 1
"""Fixed: the trees depend on it."""


@dataclass(frozen=True, eq=False)
class FinalTrees:
    """Trees grown on all training rows, and their logits of the validation part `[rows]`."""

    grown: Grown
    valid_logits: Vector
    train_seconds: float


def train_final_trees(candidate: Candidate, dataset: Dataset, *, seed: int) -> FinalTrees:
    """Grows as the evaluator `trees` does, on the whole training part, whatever fidelity the tuning had.

    Raises:
        EvaluatorError: the candidate has an architecture, or a setting of it is wrong.
    """
    settings, started = _settings(candidate), time.perf_counter()
    train = ordered(_whole(dataset.part("train")), seed=seed)
    columns = columns_of(train, _whole(dataset.part("valid")), dataset.schema, settings)
    logits, grown = fitted_logits(columns, train.label, settings, seed=seed, threads=THREADS)
    return FinalTrees(grown, logits, time.perf_counter() - started)


def score_trees(text: str, candidate: Candidate, dataset: Dataset, part: Part) -> Vector:
    """Logits of a part `[rows]` by trees in LightGBM's text, grown from the candidate on this data.

    Statistics of ids are those of the training part, as they were when the trees were grown.

    Raises:
        EvaluatorError: the text is damaged, or the candidate is no ensemble of trees.
    """
    rows = later_columns(_whole(dataset.part("train")), _whole(part), dataset.schema, _settings(candidate))
    return logits_of_text(text, rows, threads=THREADS)


def _settings(candidate: Candidate) -> TreeSettings:
    if candidate.architecture is not None:
        raise EvaluatorError("trees are grown from settings alone, but the candidate has an architecture; train it")
    return TreeSettings().overridden(candidate.training)


def _whole(part: Part) -> Part:
    return read_rows(part, 0, len(part))
