"""Supernets of one study on one dataset: trained when they are first asked, one for each replicate."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from evaluators._datasets import open_dataset
from evaluators._evaluation import Evaluation, Failure, Metric, Point
from evaluators._training.device import choose_device
from evaluators._training.evaluate import trainable
from evaluators._training.examples import Examples
from evaluators._training.session import failure_of
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.scoring import Scorer, first_rows, held_out
from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
from evaluators._training.supernet.training import Training
from searchspaces import Candidate, SearchSpace
from searchspaces.cost import cost


@dataclass(eq=False)
class SupernetSession:
    """Trains and scores in this process. `folder` has one checkpoint for each seed; None keeps none.

    Raises:
        EvaluatorError: the data or the device is not there.
    """

    dataset: Path
    space: SearchSpace
    settings: SupernetSettings
    scoring: ScoringSettings
    device: str = "cpu"
    hash_cap: int | None = None
    folder: Path | None = None
    _scorers: dict[int, Scorer] = field(default_factory=dict, init=False, repr=False)
    _trained: dict[int, int] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        found, self._device = open_dataset(self.dataset), choose_device(self.device)
        self._schema = found.schema.capped(self.hash_cap)
        train, latest = held_out(found.part("train"), self.scoring.calibration_rows)
        self._train = Examples(train, self._device)
        self._calibration = Examples(latest, self._device)
        self._evaluation = Examples(first_rows(found.part("valid"), self.scoring.evaluation_rows), self._device)

    def outcome(self, candidate: Candidate, *, seed: int) -> Evaluation | Failure:
        """What a candidate is worth in the supernet of a seed; its settings of training make no difference.

        The rows that the curve ends at are those of the score and, for the first candidate, those of the training.
        """
        begun = time.perf_counter()
        scorer, trained = self.scorer(seed), self._trained.pop(seed, 0)
        started = begun if trained else time.perf_counter()
        try:
            architecture = trainable(candidate)
            metrics = scorer.score(architecture)
            price = cost(architecture, self._schema)
        except Exception as error:  # noqa: BLE001  # a block may raise anything, and the others are not to blame
            return failure_of(error)
        metrics |= {
            "supernet_rows": Metric(scorer.net.rows),
            "scoring_rows": Metric(scorer.rows),
            "flops": Metric(price.flops),
            "macs": Metric(price.macs),
            "params": Metric(price.parameters),
            "embedding_bytes": Metric(price.embedding_bytes),
        }
        used = (Point(scorer.rows + trained, {}),)
        return Evaluation(metrics, used, seconds=time.perf_counter() - started)

    def scorer(self, seed: int) -> Scorer:
        """The supernet of a seed, trained to its end.

        Raises:
            DivergedError: a loss is no finite number.
            EvaluatorError: the checkpoint is another supernet's, or cannot be read.
        """
        if seed not in self._scorers:
            net = Supernet(self._schema, seed, device=self._device)
            folder = None if self.folder is None else self.folder / f"seed-{seed}"
            self._trained[seed] = Training(net, self.space, self._train, self.settings, folder).run()
            self._scorers[seed] = Scorer(net, self._calibration, self._evaluation, self.scoring)
        return self._scorers[seed]
