"""When a study has spent enough: a pure function of its record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from automl._errors import AutomlError
from automl._read_out import METHOD_STAGE
from evaluators import Trial


@dataclass(frozen=True)
class Spent:
    """What the search has used so far: its trials, failed ones too, and the run of its method where it has one."""

    trials: int = 0
    seconds: float = 0.0
    rows: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.trials + other.trials, self.seconds + other.seconds, self.rows + other.rows)


@dataclass(frozen=True)
class Budget:
    """Limits of the search stage; None means no limit.

    >>> Budget(trials=10).allows(Spent(trials=9))
    True

    Raises:
        AutomlError: a limit is negative.
    """

    trials: int | None = None
    seconds: float | None = None
    rows: int | None = None

    def __post_init__(self) -> None:
        for name, limit in asdict(self).items():
            if limit is not None and limit < 0:
                raise AutomlError(f"a budget must not be negative, but {name} is {limit}")

    def allows(self, spent: Spent) -> bool:
        """Whether one more trial may start."""
        limits = ((self.trials, spent.trials), (self.seconds, spent.seconds), (self.rows, spent.rows))
        return all(limit is None or used < limit for limit, used in limits)


def spent(trials: Iterable[Trial]) -> Spent:
    """What the search has used: `trials` are those of its stage; the run of a method is in seconds and rows alone."""
    finished = [trial for trial in trials if trial.stage in ("search", METHOD_STAGE) and trial.state.is_finished]
    searched = sum(trial.stage == "search" for trial in finished)
    return Spent(searched, sum(map(_seconds, finished)), sum(map(_rows, finished)))


def _seconds(trial: Trial) -> float:
    outcome = trial.evaluation or trial.failure
    return outcome.seconds if outcome else 0.0


def _rows(trial: Trial) -> int:
    return trial.evaluation.curve[-1].rows if trial.evaluation and trial.evaluation.curve else 0
