"""Evaluator `zero_cost`: what can be said of a candidate without training it, or after some seconds of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._evaluator import training_seed
from evaluators._training.settings import TrainingSettings
from evaluators._trial import Suggestion
from searchspaces import Candidate

if TYPE_CHECKING:
    from evaluators._training.zero_cost.session import ZeroCostSession

__all__ = ["ZeroCost"]


@dataclass(eq=False)
class ZeroCost:
    """`params`, `flops`, `macs`, `embedding_bytes`, `grad_norm`, `log_synflow` and, after `short_steps`, `short_ne`.

    They are features whose weight a predictor has to find, never a filter: where spaces differ in operators and wiring
    and not in widths alone, the first five carry next to nothing (on AutoCTR's published trials the FLOPs have a tau of
    -0.19 with the loss). `short_ne` is another measure than `ne`, of a training of `short_rows` rows. `log_synflow` is
    left out where nothing flows.

    It works in the process of the study, on the CPU.

    dataset        prepared folder, or a source that can be prepared
    short_steps    steps of the short training; 0 leaves it out
    warm           begins it with the tables of the control after a whole training, where they have the same rows and
                   dimension; the control is trained once for each replicate
    batch_size     rows of a step, and of the batch that the gradient is found on
    learning_rate  of the short training
    hash_cap       rows that a table has at most

    Raises:
        EvaluatorError: an option breaks its rule; in `open` and `evaluate`, the data is not there.
    """

    dataset: Path
    study_seed: int
    _: KW_ONLY
    short_steps: int = 0
    warm: bool = True
    batch_size: int = 512
    learning_rate: float = 1e-3
    hash_cap: int | None = None
    cohort_size: int = 1
    controls: Sequence[Candidate] = ()
    _session: ZeroCostSession | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.settings = TrainingSettings(
            batch_size=self.batch_size, learning_rate=self.learning_rate, hash_cap=self.hash_cap
        )
        if type(self.short_steps) is not int or self.short_steps < 0:
            raise EvaluatorError(f"'short_steps' must be a whole number from 0 on, but is {self.short_steps!r}")
        if self.cohort_size < 1:
            raise EvaluatorError(f"'cohort_size' must be at least 1, but is {self.cohort_size!r}")

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome per member, in order."""
        for position, suggestion in enumerate(cohort):
            yield position, self._outcome(suggestion)

    def open(self) -> None:
        """Opens the data.

        Raises:
            EvaluatorError: it is not there.
        """
        self._ready()

    def close(self) -> None:
        """Lets go of the data; may be called twice."""
        self._session = None

    def _outcome(self, suggestion: Suggestion) -> Evaluation | Failure:
        if suggestion.fidelity.settings:
            given = sorted(suggestion.fidelity.settings)
            reason = f"zero-cost scores have one fidelity, which sets nothing, but this one sets {given}"
            return Failure(FailureKind.INVALID, reason)
        seed = training_seed(self.study_seed, suggestion.replicate)
        return self._ready().outcome(suggestion.candidate, seed=seed)

    def _ready(self) -> ZeroCostSession:
        from evaluators._training.zero_cost.session import ZeroCostSession

        if self._session is None:
            self._session = ZeroCostSession(
                self.dataset, self.settings, self.short_steps, self.warm and self.short_steps > 0, self.controls
            )
        return self._session
