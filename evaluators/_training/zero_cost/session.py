"""Zero-cost scores of candidates on one dataset, in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from evaluators._datasets import open_dataset
from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, Metric, Point
from evaluators._training.controls import Controls
from evaluators._training.evaluate import Job, Trained, checked_logits, train_jobs, trainable
from evaluators._training.metrics import normalised_entropy, row_losses
from evaluators._training.search_data import SearchData
from evaluators._training.session import failure_of
from evaluators._training.settings import TrainingSettings
from evaluators._training.warm_tables import WarmTables
from evaluators._training.zero_cost.scores import gradient_norm, log_synflow
from searchspaces import Architecture, Candidate
from searchspaces.build import build
from searchspaces.cost import cost


@dataclass(eq=False)
class ZeroCostSession:
    """Scores candidates on the first rows of the training part; `short_steps` are none where 0.

    Raises:
        EvaluatorError: the data is not there, or has too few rows of both classes.
    """

    dataset: Path
    settings: TrainingSettings
    short_steps: int
    warm: bool
    controls: Sequence[Candidate]
    _tables: dict[int, WarmTables] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._data = SearchData.load(open_dataset(self.dataset), torch.device("cpu"))
        rows = np.arange(min(self.settings.batch_size, len(self._data.train)))
        (self._batch,) = self._data.train.batches(rows, len(rows))
        self._schema = self._data.schema.capped(self.settings.hash_cap)

    def outcome(self, candidate: Candidate, *, seed: int) -> Evaluation | Failure:
        """All scores of a candidate."""
        started = time.perf_counter()
        try:
            metrics = self._scores(trainable(candidate), seed)
            if self.short_steps:
                metrics |= self._short(candidate, seed)
        except Exception as error:  # noqa: BLE001  # a block may raise anything, and the others are not to blame
            return failure_of(error)
        rows = len(self._batch.label) + round(metrics["short_rows"].value if "short_rows" in metrics else 0)
        return Evaluation(metrics, (Point(rows, {}),), seconds=time.perf_counter() - started)

    def _scores(self, architecture: Architecture, seed: int) -> dict[str, Metric]:
        price = cost(architecture, self._schema)
        model = build(architecture, self._schema, seed=seed)
        found = {
            "params": Metric(price.parameters),
            "flops": Metric(price.flops),
            "macs": Metric(price.macs),
            "embedding_bytes": Metric(price.embedding_bytes),
            "grad_norm": Metric(gradient_norm(model, self._batch)),
        }
        flow = log_synflow(model)
        return found if flow is None else found | {"log_synflow": Metric(flow)}

    def _short(self, candidate: Candidate, seed: int) -> dict[str, Metric]:
        """NE after a few steps, on tables that have been trained where the candidate has such."""
        own = self.settings.overridden(candidate.training)
        own = replace(own, rows=self.short_steps * own.batch_size, passes=1, warm_tables=self.warm)
        tables = self._warm(seed) if self.warm else None
        (found,) = train_jobs([Job(candidate, own)], self._data, seed=seed, warm=tables).values()
        if not isinstance(found, Trained):
            raise found
        labels = self._data.valid.labels
        ne = normalised_entropy(row_losses(checked_logits(found.logits), labels), labels).metric()
        return {"short_ne": ne, "short_rows": Metric(int(found.courses.rows.sum()))}

    def _warm(self, seed: int) -> WarmTables:
        """Tables of the control after a whole training, the same for all candidates of a seed."""
        if seed not in self._tables:
            controls = Controls(self.controls, self._data, self.settings, seed, torch.float32)
            found = controls.tables(seed=seed, hash_cap=self.settings.hash_cap)
            if found is None:
                raise EvaluatorError(
                    "warm tables are those of the control, but there is none that can be trained; give the study a "
                    "'baseline', or set 'warm' to false"
                )
            self._tables[seed] = found
        return self._tables[seed]
