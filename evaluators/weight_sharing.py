"""Evaluator `weight_sharing`: trains one supernet for a whole study, and scores candidates as parts of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._evaluator import training_seed
from evaluators._training.settings import DEVICE
from evaluators._training.supernet.sampling import Sampling
from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
from evaluators._trial import Suggestion
from searchspaces import CandidateError, SearchSpace

if TYPE_CHECKING:
    from evaluators._training.supernet.session import SupernetSession

__all__ = ["WeightSharing"]


@dataclass(eq=False)
class WeightSharing:
    """Scores a sub-network by `supernet_ne`, on the same rows for all; it is another measure than `ne`, and no NE.

    The supernet is trained when the first candidate comes, on the most recent rows of the training part: a step takes
    a candidate of the space or several (`sampling`: 'uniform', 'fair' or 'sandwich'). Zhang et al. (2023), NASRec:
    weight sharing neural architecture search for recommender systems, but here weights are cut, not masked: a
    sub-network computes exactly what the stand-alone model with its weights does. A replicate has a supernet of its
    own. Settings of training among the decisions make no difference. Whatever is no point of the space, a human-made
    baseline for example, is INVALID: nobody has trained its weights.

    `supernet_rows` are the rows of its training, paid once for all candidates, `scoring_rows` those that one candidate
    was scored on. It trains in the process of the study, and holds the supernet as long as it is open.

    dataset           prepared folder, or a source that can be prepared
    rows              rows of the supernet's training, beyond those of the part by passing over them again
    learning_rate     largest one of AdaGrad outside tables; `embedding_learning_rate` of the tables, five times that
                      where not given
    warm_up           begins with all connections and the largest widths, less and less of them
    recalibrate       norms over the batch see the calibration rows anew for each sub-network
    refit             the last layer is fitted to the calibration rows by Newton's method, held by `ridge`
    calibration_rows  the last rows of the training part, which the supernet never sees; at most half of it
    evaluation_rows   the first rows of the validation part; None takes all
    adapt             passes over the calibration rows in which all layers outside tables learn by Adam, before the
                      others; more than one, or a refit after one, fits to rows that are known already
    hash_cap          rows that a table has at most
    checkpoint        folder to go on from after a stop; None keeps nothing
    device            'auto' (CUDA where there is one), 'cpu', 'cuda' or 'cuda:N'

    Raises:
        EvaluatorError: an option breaks its rule; in `open` and `evaluate`, the data or the device is not there, the
            checkpoint is another supernet's, or the supernet diverged.
    """

    dataset: Path
    space: SearchSpace
    study_seed: int
    _: KW_ONLY
    rows: int = 100_000
    batch_size: int = 256
    learning_rate: float = 0.02
    embedding_learning_rate: float | None = None
    sampling: str = "uniform"
    warm_up: bool = True
    recalibrate: bool = True
    refit: bool = False
    ridge: float = 1.0
    calibration_rows: int = 8192
    evaluation_rows: int | None = None
    adapt: int = 1
    hash_cap: int | None = None
    checkpoint: Path | None = None
    device: str = "auto"
    cohort_size: int = 1
    _session: SupernetSession | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        names = tuple(one.value for one in Sampling)
        if self.sampling not in names:
            raise EvaluatorError(f"'sampling' must be one of {', '.join(names)}, but is {self.sampling!r}")
        if not DEVICE.fullmatch(self.device):
            raise EvaluatorError(f"'device' must be 'auto', 'cpu', 'cuda' or 'cuda:N', but is {self.device!r}")
        if self.cohort_size < 1:
            raise EvaluatorError(f"'cohort_size' must be at least 1, but is {self.cohort_size!r}")
        self.settings = SupernetSettings(
            self.rows,
            self.batch_size,
            self.learning_rate,
            self.embedding_learning_rate,
            Sampling(self.sampling),
            self.warm_up,
        )
        self.scoring = ScoringSettings(
            self.recalibrate, self.refit, self.ridge, self.calibration_rows, self.evaluation_rows, self.adapt
        )

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome per member, in order.

        Raises:
            EvaluatorError: the supernet cannot be trained.
        """
        for position, suggestion in enumerate(cohort):
            yield position, self._outcome(suggestion)

    def open(self) -> None:
        """Opens the data; the supernet is trained when the first candidate comes.

        Raises:
            EvaluatorError: the data or the device is not there.
        """
        self._ready()

    def close(self) -> None:
        """Lets the supernet go; may be called twice."""
        self._session = None

    def _outcome(self, suggestion: Suggestion) -> Evaluation | Failure:
        if suggestion.fidelity.settings:
            given = sorted(suggestion.fidelity.settings)
            reason = f"a supernet is trained once, so that a fidelity sets nothing of it, but this one sets {given}"
            return Failure(FailureKind.INVALID, reason)
        try:
            self.space.validate(suggestion.candidate)
        except CandidateError as error:
            reason = f"a supernet has weights for candidates of its space, but this is none: {error}"
            return Failure(FailureKind.INVALID, reason)
        seed = training_seed(self.study_seed, suggestion.replicate)
        return self._ready().outcome(suggestion.candidate, seed=seed)

    def _ready(self) -> SupernetSession:
        from evaluators._training.supernet.session import SupernetSession

        if self._session is None:
            self._session = SupernetSession(
                self.dataset,
                self.space,
                self.settings,
                self.scoring,
                device=self.device,
                hash_cap=self.hash_cap,
                folder=None if self.checkpoint is None else Path(self.checkpoint),
            )
        return self._session
