"""One training of the finals, kept on disk: a kill loses the training that runs, and no other.

Of each training there are, beside each other: `STEM.json` (facts; written last, so that it vouches for the rest),
`STEM.valid.npy` and `STEM.test.npy` (float32 logits in row order), and the model, `STEM.safetensors` (weights) or
`STEM.trees.txt` (LightGBM's text), until the test part has been scored, and for good where a blend has it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl._files import replacing, write_text
from automl.finals._entrants import Entrant
from automl.finals._recipes import Conditions, Recipe
from evaluators import DivergedError, training_seed
from evaluators._datasets import Part

FIRST_REPLICATE = 1_000_000
"""Replicates of finals are numbered from here on: no search comes so far, so their seeds are fresh."""

TRAININGS = "trainings"
"""Folder of the trainings, in that of the finals."""

SAME_LOGITS = 1e-4
"""What rounding may change between two trainings of one seed on one build."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A training to do or done: an entrant under one seed, and where it is kept (a path without a suffix)."""

    entrant: Entrant
    recipe: Recipe
    number: int
    seed: int
    stem: Path

    @property
    def weights(self) -> Path:
        """Where its model is, as long as it is needed."""
        return self.stem.with_name(f"{self.stem.name}{self.recipe.suffix}")

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be trained any more: it has failed, or can be measured, or has been."""
        if not self._facts.exists() or (self.failure is None and not self._logits("valid").exists()):
            return False
        return self.failure is not None or self.is_tested or self.weights.exists()

    @property
    def is_tested(self) -> bool:
        """Whether its logits of the test part are there."""
        return self._logits("test").exists()

    @property
    def failure(self) -> str | None:
        """Why the training gave no model; None where it did."""
        reason: str | None = self.facts.get("failure")
        return reason

    @property
    def facts(self) -> dict[str, Any]:
        """What is told of it: seed, parameters, seconds.

        Raises:
            StudyError: the file is damaged.
        """
        try:
            facts: dict[str, Any] = json.loads(self._facts.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StudyError(
                f"{self._facts} is damaged ({error}); remove it, and that training is done again"
            ) from error
        return facts

    def logits(self, part: str) -> NDArray[np.float64]:
        """Its logits `[rows]` of `valid` or `test`.

        Raises:
            StudyError: the file is damaged.
        """
        path = self._logits(part)
        try:
            return np.load(path, allow_pickle=False).astype(np.float64)  # type: ignore[no-any-return]
        except (OSError, ValueError, EOFError) as error:
            raise StudyError(f"{path} is damaged ({error}); remove it, and that training is done again") from error

    def train(self, conditions: Conditions) -> None:
        """Trains at full fidelity and keeps the model with its logits of the valid part."""
        facts = {"entrant": self.entrant.name, "fingerprint": self.recipe.fingerprint, "seed": self.seed}
        try:
            made = self.recipe.make(conditions, self.weights, seed=self.seed)
        except DivergedError as error:
            write_text(self._facts, json.dumps({**facts, "failure": str(error)}))
            return
        self._keep_valid(made.valid_logits)
        write_text(self._facts, json.dumps({**facts, "params": made.params, "seconds": made.seconds}))

    def test(self, conditions: Conditions, part: Part) -> None:
        """Scores the test part with the kept model."""
        logits = self.recipe.logits(conditions, self.weights, part)
        keep_array(self._logits("test"), logits.astype(np.float32))

    def take_over(self, folder: Path) -> bool:
        """Copies this training from the folder of other finals, if it was done and measured there; says whether."""
        found = next(iter(sorted((folder / TRAININGS).glob(f"*-{self._key}.json"))), None)
        if found is None or self.is_done:
            return False
        other = replace(self, stem=found.with_suffix(""))
        if not other.is_done or not (other.failure or other.is_tested):
            return False
        for part in ("valid", "test") if other.failure is None else ():
            keep_array(self._logits(part), other.logits(part).astype(np.float32))
        write_text(self._facts, json.dumps({**other.facts, "entrant": self.entrant.name}))
        return True

    @property
    def _key(self) -> str:
        """The end of the name, equal in all folders: number of the seed, and digest of all that it depends on."""
        return self.stem.name.removeprefix(f"{self.entrant.slug}-")

    def _keep_valid(self, logits: NDArray[np.float64]) -> None:
        """Another build may train another model under the same seed: what was measured of the old one goes then."""
        known = self._logits("valid")
        if known.exists() and not np.allclose(self.logits("valid"), logits, atol=SAME_LOGITS):
            self._logits("test").unlink(missing_ok=True)
        keep_array(known, logits.astype(np.float32))

    def _logits(self, part: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}.{part}.npy")

    @property
    def _facts(self) -> Path:
        return self.stem.with_name(f"{self.stem.name}.json")


def fresh_seed(study_seed: int, number: int) -> int:
    """The seed of training `number` (from 1), the same for all entrants: common random numbers."""
    return training_seed(study_seed, FIRST_REPLICATE + number)


def stem_of(entrant: Entrant, recipe: Recipe, number: int, seed: int, data_digest: str, folder: Path) -> Path:
    """Where a training is kept: its name holds a digest of all that it depends on."""
    known = [*recipe.known, seed, data_digest]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]
    return folder / TRAININGS / f"{entrant.slug}-seed{number}-{digest}"


def keep_array(path: Path, values: NDArray[Any]) -> None:
    """Writes an array whole or not at all."""
    with replacing(path) as draft, draft.open("wb") as stream:
        np.save(stream, values, allow_pickle=False)
