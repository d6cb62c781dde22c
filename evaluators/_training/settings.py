"""How a candidate is trained: the defaults, what may override them, and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from evaluators._errors import EvaluatorError
from searchspaces import did_you_mean

DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?", re.ASCII)
"""Names of places to train at."""

TABLE_RATE = 5.0
"""Rate of the tables over that of the rest: AdaGrad's steps shrink where Adam's do not."""

PRECISIONS = ("auto", "fp32", "bf16")

_COUNTS = ("rows", "passes", "batch_size", "hash_cap")
_MAY_BE_NONE = ("rows", "hash_cap", "embedding_learning_rate")
_FLAGS = ("prefix", "warm_tables")
_DECAYS = ("weight_decay", "embedding_weight_decay")


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one training; equal settings and seeds give equal models.

    rows                     training rows, the most recent ones; None takes all
    prefix                   takes the first rows instead, in the part's own order of time
    negative_rate            share of the rows without a click that are trained on; the logits make up for it
    passes                   times each row is seen
    batch_size               rows a step
    hash_cap                 rows an embedding table has at most; None leaves the vocabularies as they are
    warm_tables              begins with the control's trained tables where they have the same rows and dimension
    learning_rate            of Adam, for everything outside the tables
    embedding_learning_rate  of AdaGrad, for the tables; None takes five times `learning_rate`
    weight_decay             decoupled (Loshchilov and Hutter 2019), outside the tables
    embedding_weight_decay   the same, for the tables

    Raises:
        EvaluatorError: a count below one, a rate that is not positive, or a negative decay.
    """

    rows: int | None = None
    prefix: bool = False
    negative_rate: float = 1.0
    passes: int = 1
    batch_size: int = 512
    hash_cap: int | None = None
    warm_tables: bool = False
    learning_rate: float = 1e-3
    embedding_learning_rate: float | None = None
    weight_decay: float = 0.0
    embedding_weight_decay: float = 0.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None and one.name in _MAY_BE_NONE:
                continue
            rule = _broken_rule(one.name, value)
            if rule:
                raise EvaluatorError(f"{one.name!r} must be {rule}, but is {value!r}")

    @property
    def table_learning_rate(self) -> float:
        """The learning rate of the embedding tables."""
        given = self.embedding_learning_rate
        return TABLE_RATE * self.learning_rate if given is None else given

    def overridden(self, *layers: Mapping[str, object]) -> TrainingSettings:
        """These settings with each layer's on top, the last one strongest.

        Order in a trial: the evaluator's options, the candidate's `training`, the fidelity's settings.

        Raises:
            EvaluatorError: a key is no training setting, or its value breaks a rule.
        """
        settings = self
        for layer in layers:
            unknown = sorted(set(layer) - set(NAMES))
            if unknown:
                raise EvaluatorError(f"no training setting {unknown[0]!r}; {did_you_mean(unknown[0], NAMES)}")
            settings = replace(settings, **layer)  # type: ignore[arg-type]  # __post_init__ checks the values
        return settings


NAMES = tuple(one.name for one in fields(TrainingSettings))


def _broken_rule(name: str, value: object) -> str:
    if name in _FLAGS:
        return "" if isinstance(value, bool) else "true or false"
    if name in _COUNTS:
        return "" if type(value) is int and value >= 1 else "a whole number of at least 1"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "a finite number"
    if name == "negative_rate":
        return "" if 0 < value <= 1 else "more than zero and at most one"
    if name in _DECAYS:
        return "" if value >= 0 else "zero or more"
    return "" if value > 0 else "more than zero"
