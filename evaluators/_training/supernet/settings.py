"""How a supernet is trained, and how its sub-networks are scored; imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evaluators._errors import EvaluatorError
from evaluators._training.settings import TABLE_RATE
from evaluators._training.supernet.sampling import Sampling, full_path_share

WARM_UP_SHARE = 0.2
"""Part of all steps in which the full path is drawn: 15,000 of 72,000 in the published run on Criteo."""

RISING_SHARE = 0.1
"""Part of all steps in which the learning rate rises; then it falls by a cosine (the same)."""


@dataclass(frozen=True)
class Rates:
    """Learning rates: of what lies outside the tables, and of the tables."""

    weights: float
    tables: float


@dataclass(frozen=True)
class SupernetSettings:
    """How a supernet is trained.

    rows            rows that its steps take in all; beyond those of the part it passes over them again
    batch_size      rows of a step
    learning_rate   largest one of AdaGrad, outside tables
    table_rate      of the tables; None takes five times that
    sampling        which candidates a step takes
    warm_up         whether it begins with the full path

    Raises:
        EvaluatorError: a count is below one, or a rate is not above zero.
    """

    rows: int = 100_000
    batch_size: int = 256
    learning_rate: float = 0.02
    table_rate: float | None = None
    sampling: Sampling = Sampling.UNIFORM
    warm_up: bool = True

    def __post_init__(self) -> None:
        for name, count in (("rows", self.rows), ("batch_size", self.batch_size)):
            if type(count) is not int or count < 1:
                raise EvaluatorError(f"{name!r} must be a whole number of at least 1, but is {count!r}")
        for name, rate in (("learning_rate", self.learning_rate), ("embedding_learning_rate", self.table_rate)):
            if rate is not None and not 0.0 < rate < math.inf:
                raise EvaluatorError(f"{name!r} must be more than zero, but is {rate!r}")

    @property
    def steps(self) -> int:
        """How many there are."""
        return math.ceil(self.rows / self.batch_size)

    def rates(self, step: int) -> Rates:
        """Learning rates of a step, counted from 0."""
        rising = max(1.0, RISING_SHARE * self.steps)
        done = min(1.0, (step + 1) / rising)
        falling = max(0.0, (step - rising) / max(1.0, self.steps - rising))
        factor = done * 0.5 * (1.0 + math.cos(math.pi * falling))
        table_rate = TABLE_RATE * self.learning_rate if self.table_rate is None else self.table_rate
        return Rates(self.learning_rate * factor, table_rate * factor)

    def full_path(self, step: int) -> float:
        """The chance of the full path at a step: falls linearly from 1 to 0 over the warm-up."""
        steps = round(WARM_UP_SHARE * self.steps) if self.warm_up else 0
        return full_path_share(step, steps)


@dataclass(frozen=True)
class ScoringSettings:
    """How a sub-network is scored.

    recalibrate       norms over the batch see the calibration rows anew
    refit             the last layer is fitted to the calibration rows, held at the shared one by `ridge`
    calibration_rows  the last rows of the training part, which the supernet never sees; at most half of it
    evaluation_rows   the first rows of the validation part; None takes all
    adapt             passes over the calibration rows in which all layers outside tables learn, before the others; a
                      second pass, or a refit after one, fits to rows that are known by then, and orders them worse

    Raises:
        EvaluatorError: a count is below one (of passes, below none), or the ridge is not above zero.
    """

    recalibrate: bool = True
    refit: bool = False
    ridge: float = 1.0
    calibration_rows: int = 8192
    evaluation_rows: int | None = None
    adapt: int = 1

    def __post_init__(self) -> None:
        counts = {"calibration_rows": self.calibration_rows, "evaluation_rows": self.evaluation_rows}
        for name, count in counts.items():
            if count is not None and (type(count) is not int or count < 1):
                raise EvaluatorError(f"{name!r} must be a whole number of at least 1, but is {count!r}")
        if type(self.adapt) is not int or self.adapt < 0:
            raise EvaluatorError(f"'adapt' must be a whole number of passes, 0 for none, but is {self.adapt!r}")
        if not 0.0 < self.ridge < math.inf:
            raise EvaluatorError(f"'ridge' must be more than zero, but is {self.ridge!r}")

    @property
    def fits(self) -> int:
        """How often the calibration rows are passed over for one score."""
        return self.adapt + self.recalibrate + self.refit

    def rows(self, *, train: int, valid: int) -> int:
        """Rows that one score takes, of parts of so many rows: those of the evaluation, and of each fit."""
        evaluation = valid if self.evaluation_rows is None else min(self.evaluation_rows, valid)
        return evaluation + self.fits * held_out_rows(self.calibration_rows, train)


def held_out_rows(rows: int, train: int) -> int:
    """How many of the `train` rows of a training part a supernet never sees: `rows`, at most half of them."""
    return min(rows, train // 2)
