"""Trials: what was suggested, where it stands, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from evaluators._evaluation import Evaluation, Failure
from searchspaces import Candidate, Options


@dataclass(frozen=True, order=True)
class Fidelity:
    """How closely an evaluation stands in for full training; ordered by rung alone.

    Rung 0 is full training, in every study; cheaper stand-ins have negative rungs. `settings` override the
    evaluator's (rows, passes, hash_cap).
    """

    rung: int = 0
    settings: Options = field(default_factory=Options, compare=False)

    @property
    def is_full(self) -> bool:
        """Whether it is full training, whose values alone may be compared with those of other full trainings."""
        return self.rung == 0


@dataclass(frozen=True)
class Suggestion:
    """A candidate to evaluate at a fidelity.

    The training seed is a function of the study seed and `replicate` alone: equal for all candidates
    (common random numbers), another for another replicate. `origin` names the operator that proposed
    it, `memo` is JSON that belongs to the searcher.
    """

    candidate: Candidate
    fidelity: Fidelity = field(default_factory=Fidelity)
    replicate: int = 0
    parents: tuple[int, ...] = ()
    origin: str = ""
    memo: Options = field(default_factory=Options)

    @property
    def identity(self) -> tuple[str, int, int]:
        """What must not be evaluated twice: (fingerprint, rung, replicate)."""
        return (self.candidate.fingerprint, self.fidelity.rung, self.replicate)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {
            "candidate": self.candidate.to_dict(),
            "fidelity": {"rung": self.fidelity.rung, "settings": self.fidelity.settings.to_dict()},
            "replicate": self.replicate,
            "parents": list(self.parents),
            "origin": self.origin,
            "memo": self.memo.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Suggestion:
        """Reads what `to_dict` wrote."""
        fidelity = content["fidelity"]
        return cls(
            Candidate.from_dict(content["candidate"]),
            Fidelity(fidelity["rung"], Options(fidelity["settings"])),
            content["replicate"],
            tuple(content["parents"]),
            content["origin"],
            Options(content["memo"]),
        )


class TrialState(StrEnum):
    """WAITING -> RUNNING -> COMPLETE | PRUNED | FAIL; a lost lease returns RUNNING to WAITING."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"

    @property
    def is_finished(self) -> bool:
        """Whether the trial never changes again."""
        return self in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Trial:
    """One row of a study's record. A finished trial never changes.

    `finish_order` counts a study's finished trials from 1 in the order in which they ended; times are
    seconds since the epoch. `stage` is 'search', 'baseline' or a later one. `losses` counts how often a worker
    was lost while it held the trial.
    """

    number: int
    stage: str
    suggestion: Suggestion
    state: TrialState
    evaluation: Evaluation | None = None
    failure: Failure | None = None
    ask_number: int = 0
    finish_order: int | None = None
    started_at: float | None = None
    finished_at: float | None = None
    losses: int = 0

    @property
    def candidate(self) -> Candidate:
        """What was evaluated."""
        return self.suggestion.candidate

    def value(self, metric: str) -> float | None:
        """The metric's value, or None where the trial has none."""
        if self.evaluation is None or metric not in self.evaluation.metrics:
            return None
        return self.evaluation.metrics[metric].value
