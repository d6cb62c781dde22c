"""Evaluator `joint`: the quality of a candidate by one evaluator, the speed of its training by another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._evaluator import Evaluator
from evaluators._joint.merging import merged
from evaluators._joint.quality import as_trained, check_choices
from evaluators._joint.remembered import Remembered
from evaluators._trial import Fidelity, Suggestion
from searchspaces import Candidate, Decision, SearchSpace, SearchSpaceError
from searchspaces.spaces.joint import JointSpace

__all__ = ["Joint"]


@dataclass(eq=False)
class Joint:
    """Composes two evaluators into one trial with the metrics of both; what fails in either fails, as that one says.

    For the space `joint`; also for a space of systems, with the `model` whose training is laid out, and for one of
    architectures, whose system settings are then the evaluators' own.

    Speed is measured first, as it takes less: what cannot run is never trained. Quality is asked for the architecture,
    its training settings and those knobs that a training can be told (the batch) as training settings, and for nothing
    else. So candidates that differ in neutral knobs (processes, sharding, threads, ...) are trained once, and what was
    measured once is given again as long as this process lives: `quality_seconds` and `speed_seconds` are what each
    part has taken in this very trial, zero where it was known. A knob that changes what is learned and that a training
    cannot be told (number kinds, groups, the tables' optimizer) must be fixed at what every training has, or be
    `neglected`, which is to say that its effect on quality is not looked at.

    Metrics that both tell must agree, but for those of a run (`examples_per_second`, `peak_memory_bytes`, ...), which
    are those of the speed. A cheaper fidelity is one of the quality; speed is always measured in full.

    quality     what trains: {name: train, rows: 50000}
    speed       what runs: {name: measured_run} or {name: simulated_cluster}
    model       what is trained where a candidate has no architecture: {architecture: ..., training: ...}, as a winner
                file has it
    neglected   knobs that may change what is learned, but are left out of the quality

    Raises:
        EvaluatorError: knobs of the space cannot be told to a training, or the model cannot be read; in `evaluate`,
            both parts tell a metric and differ.
    """

    space: SearchSpace
    _: KW_ONLY
    quality: Evaluator
    speed: Evaluator
    model: Mapping[str, Any] | None = None
    neglected: tuple[str, ...] = ()
    cohort_size: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        check_choices(_knobs(self.space), neglected=self.neglected)
        self.cohort_size = self.quality.cohort_size
        self._model = _model(self.model)
        self._quality, self._speed = Remembered(self.quality), Remembered(self.speed)

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Measures the speed of all members, then trains those that can run; one outcome a member.

        Raises:
            EvaluatorError: one of the two cannot work, or both tell a metric and differ.
        """
        asked: dict[int, tuple[Suggestion, Suggestion]] = {}
        for position, suggestion in enumerate(cohort):
            try:
                asked[position] = self._questions(suggestion)
            except EvaluatorError as error:
                yield position, Failure(FailureKind.INVALID, str(error))
        speeds: dict[int, Evaluation] = {}
        found = self._speed.outcomes([speed for _, speed in asked.values()])
        for position, speed in zip(asked, found, strict=True):
            if isinstance(speed, Failure):
                yield position, replace(speed, reason=f"speed: {speed.reason}")
            else:
                speeds[position] = speed
        qualities = self._quality.outcomes([asked[position][0] for position in speeds])
        for (position, speed), quality in zip(speeds.items(), qualities, strict=True):
            yield position, _composed(quality, speed)

    def open(self) -> None:
        """Opens both.

        Raises:
            EvaluatorError: one of them cannot work.
        """
        self.speed.open()
        self.quality.open()

    def close(self) -> None:
        """Closes both; may be called twice, and what was measured is still known after."""
        self.quality.close()
        self.speed.close()

    def _questions(self, suggestion: Suggestion) -> tuple[Suggestion, Suggestion]:
        """What is asked of the quality and of the speed.

        Raises:
            EvaluatorError: there is nothing to train, or its quality cannot be measured.
        """
        candidate = suggestion.candidate
        if candidate.architecture is None:
            if self._model is None:
                raise EvaluatorError("a quality is that of a model, but the candidate has none; name one as 'model'")
            candidate = Candidate(self._model.architecture, self._model.training, candidate.system)
        trained = as_trained(candidate, neglected=self.neglected)
        return replace(suggestion, candidate=trained), replace(suggestion, candidate=candidate, fidelity=Fidelity())


def _composed(quality: Evaluation | Failure, speed: Evaluation) -> Evaluation | Failure:
    if isinstance(quality, Failure):
        return Failure(quality.kind, f"quality: {quality.reason}", quality.seconds + speed.seconds)
    return merged(quality, speed)


def _knobs(space: SearchSpace) -> tuple[Decision, ...]:
    """Decisions on system settings; none of a space of architectures alone."""
    systems = space.systems if isinstance(space, JointSpace) else space
    return () if getattr(systems, "has_models", True) else systems.decisions()


def _model(given: Mapping[str, Any] | None) -> Candidate | None:
    """The model that candidates without an architecture train.

    Raises:
        EvaluatorError: it is malformed, or has no architecture.
    """
    if given is None:
        return None
    try:
        model = Candidate.from_dict(given)
    except (SearchSpaceError, KeyError, TypeError, AttributeError) as error:
        raise EvaluatorError(
            f"'model' must be {{architecture: ..., training: ...}}, but cannot be read: {error}"
        ) from error
    if model.architecture is None:
        raise EvaluatorError("'model' must have an architecture (version, nodes), but has none")
    return model
