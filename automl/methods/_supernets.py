"""What methods that train a supernet have in common: the spaces that they take, and the score of a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automl._errors import ConfigError
from evaluators import DivergedError, ScoringSettings, TrainedSupernet
from evaluators._datasets import open_dataset
from searchspaces import Candidate, SearchSpace, SearchSpaceError

SCORING = "scoring"
"""The phase of the account in which candidates are scored."""


FALLBACK_ROWS = 100_000
"""Rows of training where neither the method nor the budget of the study says how many."""


@dataclass(frozen=True)
class Purse:
    """What a method may train on.

    rows      of the study's budget; None where that is not limited
    share     of them that is the method's
    scores    that its end takes, as `scoring` says
    """

    rows: int | None
    share: float
    scores: int
    scoring: ScoringSettings

    def training_rows(self, name: str, dataset: Path, *, each: float, batch_size: int) -> int:
        """Rows of training that are left beside those of the scores; each of them costs `each` rows in the account.

        Raises:
            ConfigError: they are less than one batch; `name` is the method's.
            DataError: the data cannot be read.
        """
        if self.rows is None:
            return FALLBACK_ROWS
        parts = open_dataset(dataset).rows
        scored = self.scores * self.scoring.rows(train=parts["train"], valid=parts["valid"])
        found = int((round(self.share * self.rows) - scored) / each)
        if found < batch_size:
            rule = f"a share {self.share} of the {self.rows} rows of the budget must pay for training"
            found_out = f"{self.scores} scores take {scored} of them"
            way_out = "enlarge budget.rows, or lower candidates, evaluation_rows, calibration_rows or adapt"
            raise ConfigError(f"the method {name!r}", [f"{rule}, but {found_out}; {way_out}"])
        return found


def model_mistakes(space: SearchSpace) -> list[str]:
    """What is wrong with a space that has no models."""
    if getattr(space, "has_models", True):
        return []
    return ["a supernet is of models, but the space has ways to train one; take a searcher, or another space"]


def score_of(net: TrainedSupernet, candidate: Candidate) -> float | None:
    """`supernet_ne` of a candidate; None where it cannot be built, or diverges."""
    if candidate.architecture is None:
        return None
    try:
        return net.score(candidate.architecture)["supernet_ne"].value
    except (DivergedError, SearchSpaceError):
        return None
