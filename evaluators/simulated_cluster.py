"""Evaluator `simulated_cluster`: predicts speed, memory and price of a training by a calibrated model of a cluster.

Terms of a step and what of them is fitted are told in `evaluators._codesign.step`; `automl bench simulator` tells how
good the fit is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from evaluators._codesign.coefficients import read_coefficients, shipped_coefficients
from evaluators._codesign.foresight import foresee
from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric
from evaluators._trial import Suggestion
from searchspaces import Candidate, CandidateError, FeatureSchema, SearchSpace, SearchSpaceError
from searchspaces.cost import cost
from searchspaces.deployment import Plan, RankingModel
from searchspaces.deployment.cluster import GIGA
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.joint import JointSpace

__all__ = ["SimulatedCluster"]


@dataclass(eq=False)
class SimulatedCluster:
    """Answers in about a millisecond, the same for equal candidates; for the space `codesign`.

    As the speed of `joint`, whose systems are those of `codesign`, tables are those that the space describes, and the
    dense part is the candidate's own: multiply-adds and parameters outside tables, on the fields of the study's data.

    Metrics: `examples_per_second` of training, and the same number as `qps`, as papers on training systems call it;
    `dollars_per_billion_examples`; `peak_memory_bytes` of the fullest device; `step_seconds`, and of each of its terms
    `step_seconds_TERM`. A plan that a device cannot hold fails as `out_of_memory`.

    coefficients   a file of one's own, as `automl bench simulator --coefficients` writes it; the package's if not given

    Raises:
        EvaluatorError: the space is another one, or the coefficients cannot be read.
    """

    space: SearchSpace
    _: KW_ONLY
    schema: FeatureSchema | None = None
    coefficients: Path | None = None
    cohort_size: int = 1

    def __post_init__(self) -> None:
        layouts = self.space.systems if isinstance(self.space, JointSpace) else self.space
        if not isinstance(layouts, Codesign):
            raise EvaluatorError(
                f"'simulated_cluster' predicts candidates of the space 'codesign', but got {type(layouts).__name__}"
            )
        if self.cohort_size < 1:
            raise EvaluatorError(f"'cohort_size' must be at least 1, but is {self.cohort_size!r}")
        self._codesign = layouts
        self._coefficients = read_coefficients(self.coefficients) if self.coefficients else shipped_coefficients()

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome per member, in order."""
        for position, suggestion in enumerate(cohort):
            yield position, self._outcome(suggestion)

    def open(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing is held."""

    def _outcome(self, suggestion: Suggestion) -> Evaluation | Failure:
        if not suggestion.fidelity.is_full:
            return Failure(FailureKind.INVALID, "a prediction has no cheaper stand-in; leave out 'fidelity'")
        started = time.perf_counter()
        try:
            model, plan = self._model(suggestion.candidate), self._plan(suggestion.candidate)
        except SearchSpaceError as error:
            return Failure(FailureKind.INVALID, str(error))
        return self._predicted(model, plan, started)

    def _plan(self, candidate: Candidate) -> Plan:
        is_joint = isinstance(self.space, JointSpace)
        return self._codesign.plan(Candidate(None, system=candidate.system) if is_joint else candidate)

    def _model(self, candidate: Candidate) -> RankingModel:
        """The described model; with the dense part of a candidate that has an architecture."""
        described = self._codesign.model
        if candidate.architecture is None or not isinstance(self.space, JointSpace):
            return described
        if self.schema is None:
            raise CandidateError("the dense part of a candidate is counted on the fields of its data; give the schema")
        own = cost(candidate.architecture, self.schema)
        return replace(described, dense_macs=own.macs, dense_parameters=own.parameters - own.embedding_bytes // 4)

    def _predicted(self, model: RankingModel, plan: Plan, started: float) -> Evaluation | Failure:
        found = foresee(model, plan, self._coefficients)
        if not found.memory.fits:
            return Failure(
                FailureKind.OUT_OF_MEMORY,
                f"the fullest device of {plan.cluster} would hold {found.memory.needed / GIGA:,.1f} GB, but has "
                f"{found.memory.usable / GIGA:,.1f} GB beside its reserve",
                seconds=time.perf_counter() - started,
            )
        metrics = {name: Metric(value) for name, value in found.metrics.items()}
        return Evaluation(metrics, seconds=time.perf_counter() - started)
