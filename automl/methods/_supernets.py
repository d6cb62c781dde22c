"""What methods that train a supernet have in common: their spaces, the rows that they may train on, and a score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from automl._errors import ConfigError
from evaluators import DivergedError, Sampling, ScoringSettings, TrainedSupernet
from evaluators._datasets import open_dataset
from searchspaces import Candidate, SearchSpace, SearchSpaceError

SCORING = "scoring"
"""The phase of the account in which candidates are scored."""


FALLBACK_ROWS = 100_000
"""Rows of training where neither the method nor the budget of the study says how many."""


@dataclass(frozen=True)
class Purse:
    """What a method may train on; `name` is the method's.

    rows      of the study's budget; None where that is not limited
    share     of them that is the method's
    scores    that its end takes, as `scoring` says
    """

    name: str
    rows: int | None
    share: float
    scores: int
    scoring: ScoringSettings

    def training_rows(self, dataset: Path, *, each: float, batch_size: int, said: int | None = None) -> int:
        """Rows of training: those that were `said`, or those that the share leaves beside the scores.

        Each of them costs `each` rows in the account.

        Raises:
            ConfigError: what was said is beyond the budget, or what is left is less than one batch.
            DataError: the data cannot be read.
        """
        if self.rows is None:
            return said or FALLBACK_ROWS
        scored = self._scored(dataset)
        return self._said(self.rows, scored, each, said) if said else self._left(self.rows, scored, each, batch_size)

    def _said(self, rows: int, scored: int, each: float, said: int) -> int:
        """Rows that somebody has chosen: the share does not bind them, but the budget does."""
        taken = math.ceil(each * said)
        if taken + scored > rows:
            rule = f"the {rows} rows of the budget must pay for what the method trains on"
            found_out = f"{said} rows of its training count {taken}, and {self.scores} scores take {scored} more"
            way_out = "enlarge budget.rows, lower rows, or leave it out to train on a share of the budget"
            raise ConfigError(f"the method {self.name!r}", [f"{rule}, but {found_out}; {way_out}"])
        return said

    def _left(self, rows: int, scored: int, each: float, batch_size: int) -> int:
        found = int((round(self.share * rows) - scored) / each)
        if found < batch_size:
            rule = f"a share {self.share} of the {rows} rows of the budget must pay for training"
            found_out = f"{self.scores} scores take {scored} of them"
            way_out = "enlarge budget.rows, or lower candidates, evaluation_rows, calibration_rows or adapt"
            raise ConfigError(f"the method {self.name!r}", [f"{rule}, but {found_out}; {way_out}"])
        return found

    def _scored(self, dataset: Path) -> int:
        parts = open_dataset(dataset).rows
        return self.scores * self.scoring.rows(train=parts["train"], valid=parts["valid"])


def model_mistakes(space: SearchSpace) -> list[str]:
    """What is wrong with a space that has no models."""
    if getattr(space, "has_models", True):
        return []
    return ["a supernet is of models, but the space has ways to train one; take a searcher, or another space"]


def sampling_mistakes(name: str) -> list[str]:
    """What is wrong with the name of a sampling."""
    known = tuple(one.value for one in Sampling)
    return [] if name in known else [f"sampling must be one of {', '.join(known)}, but is {name!r}"]


def score_of(net: TrainedSupernet, candidate: Candidate) -> float | None:
    """`supernet_ne` of a candidate; None where it cannot be built, or diverges."""
    if candidate.architecture is None:
        return None
    try:
        return net.score(candidate.architecture)["supernet_ne"].value
    except (DivergedError, SearchSpaceError):
        return None
