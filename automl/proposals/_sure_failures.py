"""Candidates that need no trial to be known as failures: by bounds on memory, or by failures that were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evaluators import FailureKind, Objective, Trial
from evaluators._codesign.foresight import layouts_of
from searchspaces import Candidate, SearchSpace
from searchspaces.deployment import memory_of
from searchspaces.spaces.run_settings import RunSettings
from searchspaces.spaces.tabled import Tabled

if TYPE_CHECKING:
    from predictors._encoder import Encoder
    from predictors._feasibility import Feasibility

CERTAIN = 0.8
"""Probability of failure from which on nothing is launched. A forest of some thirty records is seldom surer: its leaves
have three of them, and a split looks at half of the columns."""


@dataclass(eq=False)
class SureFailures:
    """Foretells failures of a space's candidates: what a device cannot hold, and what is like all that failed.

    What a cluster can hold follows from its description. What a run on a machine takes does not, but one that takes no
    less than a run which was out of memory is out of memory too, where the space tells such pairs (`needs_no_less`).

    A record in which everything has failed says nothing of one candidate in particular, so it foretells nothing.
    """

    space: SearchSpace
    objective: Objective
    certain: float = CERTAIN
    _encoder: Encoder | None = field(default=None, init=False, repr=False)
    _learned: Feasibility | None = field(default=None, init=False, repr=False)
    _learned_from: int = field(default=-1, init=False, repr=False)
    _overflowed: list[Candidate] = field(default_factory=list, init=False, repr=False)
    _bounded: dict[str, bool] = field(default_factory=dict, init=False, repr=False)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Learns from the trials of a search, which only grow from call to call; a function of them alone."""
        searched = [one for one in trials if one.stage == "search"]
        if len(searched) == self._learned_from:
            return
        # Imported here: scikit-learn takes a while to load, and where nothing ever fails it is not needed.
        from predictors._encoder import Encoder
        from predictors._feasibility import Feasibility

        self._encoder = self._encoder or Encoder(self.space)
        self._learned = Feasibility.learned(searched, self.objective, self._encoder, seed=len(searched))
        self._learned_from = len(searched)
        self._overflowed = [one.candidate for one in searched if _is_out_of_memory(one)]

    def foretells(self, candidate: Candidate) -> bool:
        """Whether it surely fails."""
        return (
            self._is_too_large(candidate)
            or self._needs_what_was_too_much(candidate)
            or self._is_like_failures(candidate)
        )

    def _is_too_large(self, candidate: Candidate) -> bool:
        layouts = layouts_of(self.space)
        if layouts is None:
            return False
        name = candidate.fingerprint
        if name not in self._bounded:
            self._bounded[name] = not memory_of(layouts.model, layouts.plan(candidate)).fits
        return self._bounded[name]

    def _needs_what_was_too_much(self, candidate: Candidate) -> bool:
        source = self.space.source if isinstance(self.space, Tabled) else self.space
        if not isinstance(source, RunSettings):
            return False
        return any(source.needs_no_less(candidate, one) for one in self._overflowed)

    def _is_like_failures(self, candidate: Candidate) -> bool:
        if self._encoder is None or self._learned is None or not self._learned.tells_apart:
            return False
        codes = self._encoder.passing([candidate])
        return float(self._learned.probability(codes)[0]) >= self.certain


def _is_out_of_memory(trial: Trial) -> bool:
    return trial.failure is not None and trial.failure.kind is FailureKind.OUT_OF_MEMORY
