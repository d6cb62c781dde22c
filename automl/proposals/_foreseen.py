"""Candidates by their decisions, with what is known of them untrained: looked up once, however often they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from automl.proposals._costs import closed_form_costs
from automl.proposals._policy import Policy, Rows
from automl.proposals._worth import Outlook
from evaluators import Objective, Suggestion, Trial
from predictors import Prediction, Predictor
from searchspaces import Candidate, FeatureSchema, SearchSpace


class Ground(Protocol):
    """Where a policy walks: a space, and what its candidates cost before they are tried."""

    @property
    def space(self) -> SearchSpace:
        """The space."""
        ...

    @property
    def costs(self) -> tuple[Objective, ...]:
        """What costs, in values from 1 on that should be small; the first is traded against quality."""
        ...

    def learn(self, trials: Sequence[Trial]) -> None:
        """Takes in what was measured; a function of these trials alone."""
        ...

    def values(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """The costs of candidates, NaN where unknown, `[n, len(costs)]`."""
        ...

    def predicted(self, candidates: Sequence[Candidate]) -> dict[str, Prediction]:
        """Those that are learned by metric, in the metric's own unit, each `[n]`; none before the first `learn`."""
        ...


@dataclass(frozen=True)
class ClosedForm:
    """Costs by formula on a schema: nothing is learned."""

    space: SearchSpace
    schema: FeatureSchema | None
    costs: tuple[Objective, ...]

    def learn(self, trials: Sequence[Trial]) -> None:
        """Nothing: formulas know."""

    def values(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """The costs of candidates, NaN where unknown, `[n, len(costs)]`."""
        metrics = [one.metric for one in self.costs]
        rows = [closed_form_costs(one, self.schema, metrics) for one in candidates]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(metrics))

    def predicted(self, candidates: Sequence[Candidate]) -> dict[str, Prediction]:  # noqa: ARG002  # the protocol's
        """None: nothing is learned."""
        return {}


@dataclass(eq=False)
class Foreseen:
    """Outlooks of rows of places, under one fitted guide; rows seen before are answered from memory.

    `decoded` has the candidates of rows that were met under other guides, and takes those that are met now.
    """

    ground: Ground
    policy: Policy
    guide: Predictor
    decoded: dict[bytes, Candidate] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    _mean: list[float] = field(default_factory=list)
    _std: list[float] = field(default_factory=list)
    _costs: list[NDArray[np.float64]] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def numbers(self, rows: Rows) -> list[int]:
        """The number of each row among all that were ever looked at; new ones are looked up."""
        new = {row.tobytes(): row for row in rows if row.tobytes() not in self._numbers}
        if new:
            self._add(list(new.values()))
        return [self._numbers[row.tobytes()] for row in rows]

    def outlook(self, numbers: Sequence[int]) -> Outlook:
        """What is known of those of these numbers."""
        mean, std = (np.array([values[at] for at in numbers]) for values in (self._mean, self._std))
        costs = np.array([self._costs[at] for at in numbers]).reshape(len(numbers), len(self.ground.costs))
        return Outlook(Prediction(mean, std), costs)

    def _add(self, rows: Sequence[NDArray[np.int64]]) -> None:
        candidates = [self._decoded(row) for row in rows]
        predicted = self.guide.predict([Suggestion(candidate) for candidate in candidates])
        for row in rows:
            self._numbers[row.tobytes()] = len(self._numbers)
        self.rows += rows
        self.candidates += candidates
        self._mean += predicted.mean.tolist()
        self._std += predicted.std.tolist()
        self._costs += list(self.ground.values(candidates))

    def _decoded(self, row: NDArray[np.int64]) -> Candidate:
        key = row.tobytes()
        if key not in self.decoded:
            self.decoded[key] = self.ground.space.to_candidate(self.policy.assignment(row))
        return self.decoded[key]
