"""How the models of finals are made: networks by our training, trees by LightGBM.

Each recipe writes the model that it makes to a file and scores parts with that file later, maybe in another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl._files import write_text
from automl.export import Winner, read_weights, read_winner, write_weights, write_winner
from automl.export.prediction import load_model, logits_of
from automl.finals._entrants import Entrant
from automl.publishing import winner
from evaluators._datasets import Dataset, Part
from searchspaces import Candidate

if TYPE_CHECKING:
    from automl.study import Study

Vocabularies = Sequence[Sequence[str | None]]
Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Made:
    """A model that was made: its logits of the valid part `[rows]`, its size, and how long it took."""

    valid_logits: Vector
    params: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Conditions:
    """What models of all recipes are made and scored with: `device` and `vocabularies` are for networks."""

    dataset: Dataset
    device: str
    vocabularies: Vocabularies = ()


class Recipe(Protocol):
    """How one model is made from data and a seed."""

    @property
    def fingerprint(self) -> str:
        """Identity of what is made."""
        ...

    @property
    def known(self) -> tuple[Any, ...]:
        """All that the model depends on beside data and seed, JSON types only."""
        ...

    @property
    def macs(self) -> int | None:
        """Multiply-adds of one row; None where they are not counted."""
        ...

    @property
    def suffix(self) -> str:
        """Of the model's file."""
        ...

    def make(self, conditions: Conditions, path: Path, *, seed: int) -> Made:
        """Makes the model from the whole training part and writes it to the path.

        Raises:
            DivergedError: there is no model to be had under this seed.
        """
        ...

    def logits(self, conditions: Conditions, path: Path, part: Part) -> Vector:
        """Logits `[rows]` of a part by the model in the path."""
        ...


@dataclass(frozen=True, eq=False)
class Network:
    """Trained at full fidelity, as its winner file says."""

    winner: Winner
    suffix: str = ".safetensors"

    @property
    def fingerprint(self) -> str:
        """Of the architecture."""
        return self.winner.fingerprint

    @property
    def known(self) -> tuple[Any, ...]:
        """Architecture and settings."""
        return self.winner.fingerprint, dict(self.winner.training)

    @property
    def macs(self) -> int:
        """As the winner file has them."""
        return self.winner.macs

    def make(self, conditions: Conditions, path: Path, *, seed: int) -> Made:
        """Trains, and writes the weights."""
        from evaluators._training.device import choose_device
        from evaluators._training.final import score, train_final
        from evaluators._training.settings import TrainingSettings

        dataset, device = conditions.dataset, choose_device(conditions.device)
        final = train_final(self.winner.candidate, dataset, TrainingSettings(), seed=seed, device=device)
        write_weights(path, final.model, winner=self.winner, vocabularies=conditions.vocabularies)
        return Made(logits_of(score(final.model, dataset.part("valid"))), final.params, final.train_seconds)

    def logits(self, conditions: Conditions, path: Path, part: Part) -> Vector:
        """Scores with the weights."""
        from evaluators._training.device import choose_device
        from evaluators._training.final import score

        model = load_model(self.winner, read_weights(path)).to(choose_device(conditions.device))
        return logits_of(score(model, part))


@dataclass(frozen=True, eq=False)
class Forest:
    """Grown by LightGBM as the evaluator `trees` does, and kept as its text."""

    candidate: Candidate
    suffix: str = ".trees.txt"
    macs: None = None

    @property
    def fingerprint(self) -> str:
        """Of the settings."""
        return self.candidate.fingerprint

    @property
    def known(self) -> tuple[Any, ...]:
        """The settings."""
        return (self.candidate.fingerprint,)

    def make(self, conditions: Conditions, path: Path, *, seed: int) -> Made:
        """Grows, and writes the text."""
        from evaluators._trees.final import train_final_trees

        final = train_final_trees(self.candidate, conditions.dataset, seed=seed)
        write_text(path, final.grown.text)
        return Made(final.valid_logits, final.grown.params, final.train_seconds)

    def logits(self, conditions: Conditions, path: Path, part: Part) -> Vector:
        """Scores with the text.

        Raises:
            StudyError: the text is damaged.
        """
        from evaluators import EvaluatorError
        from evaluators._trees.final import score_trees

        try:
            return score_trees(path.read_text(encoding="utf-8"), self.candidate, conditions.dataset, part)
        except EvaluatorError as error:
            raise StudyError(f"{path} is damaged ({error}); remove it, and that training is done again") from error


def recipe_of(study: Study, entrant: Entrant, folder: Path) -> Recipe:
    """An entrant's recipe; a network's winner file is written into the folder and read back, as others would read it.

    Raises:
        ExportError: the folder cannot be written.
    """
    if entrant.is_trees:
        return Forest(entrant.trial.candidate)
    return Network(read_winner(write_winner(folder / f"{entrant.slug}.yaml", winner(study, entrant.trial))))
