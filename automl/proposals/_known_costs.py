"""Costs that the form of a candidate tells exactly: to be computed, not learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from automl.proposals._costs import CLOSED_FORM, closed_form_costs
from evaluators import Objective, Trial, TrialState
from searchspaces import Candidate, FeatureSchema, SearchSpaceError

REMEMBERED = 20_000
"""Candidates whose costs are remembered: pools hold many of the same ones."""


class KnownCosts:
    """Which objectives are costs in closed form, and what they are worth; told trials have the last word.

    An objective whose told values are others than the closed form's (another trainer counts in another way) is not
    known any more and must be learned.
    """

    def __init__(self, objectives: Sequence[Objective], schema: FeatureSchema | None) -> None:
        self._schema = schema
        self._costs = [one for one in objectives if one.metric in CLOSED_FORM and schema is not None]
        self._memory: dict[str, NDArray[np.float64]] = {}

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives that are known."""
        return tuple(self._costs)

    def check(self, trials: Iterable[Trial]) -> None:
        """Drops what told trials contradict."""
        for trial in trials:
            if not self._costs or trial.state is not TrialState.COMPLETE:
                continue
            computed = self._computed(trial.candidate)
            pairs = zip(self._costs, computed, strict=True)
            kept = [one for one, value in pairs if _agrees(float(value), trial.value(one.metric))]
            if len(kept) < len(self._costs):
                self._costs, self._memory = kept, {}

    def losses(self, candidates: Sequence[Candidate]) -> NDArray[np.float64] | None:
        """Losses `[n, known objectives]`; None where the closed forms know no answer for one of them."""
        values = self.values(candidates)
        if np.isnan(values).any():
            return None
        losses = [[one.loss(value) for one, value in zip(self._costs, row, strict=True)] for row in values.tolist()]
        return np.array(losses, dtype=np.float64).reshape(values.shape)

    def values(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """The costs as they are, `[n, known objectives]`, NaN where the closed forms know no answer."""
        rows = [self._computed(candidate) for candidate in candidates]
        return np.array(rows, dtype=np.float64).reshape(len(candidates), len(self._costs))

    def _computed(self, candidate: Candidate) -> NDArray[np.float64]:
        found = self._memory.get(candidate.fingerprint)
        if found is None:
            if len(self._memory) > REMEMBERED:
                self._memory.clear()
            found = self._memory[candidate.fingerprint] = self._formulas(candidate)
        return found

    def _formulas(self, candidate: Candidate) -> NDArray[np.float64]:
        metrics = [one.metric for one in self._costs]
        try:
            return closed_form_costs(candidate, self._schema, metrics)
        except SearchSpaceError:
            return np.full(len(metrics), np.nan)


def _agrees(computed: float, told: float | None) -> bool:
    return told is None or abs(computed - told) <= 1e-6 * abs(told)  # NaN agrees with nothing
