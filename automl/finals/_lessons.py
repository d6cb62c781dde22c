"""One training of the finals, kept on disk: a kill loses the training that runs, and no other.

Of each training there are, beside each other: `STEM.json` (facts; written last, so that it vouches for the rest),
`STEM.valid.npy` and `STEM.test.npy` (float32 logits in row order), and `STEM.safetensors` (weights, until the test
part has been scored, and for good where a blend has them).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl._files import replacing, write_text
from automl.export import Winner, read_weights, write_weights
from automl.export.prediction import load_model, logits_of
from automl.finals._entrants import Entrant
from evaluators import DivergedError, training_seed
from evaluators._datasets import Dataset, Part

FIRST_REPLICATE = 1_000_000
"""Replicates of finals are numbered from here on: no search comes so far, so their seeds are fresh."""

SAME_LOGITS = 1e-4
"""What rounding may change between two trainings of one seed on one build."""

Vocabularies = Sequence[Sequence[str | None]]


@dataclass(frozen=True, eq=False)
class Lesson:
    """A training to do or done: an entrant under one seed, and where it is kept (a path without a suffix)."""

    entrant: Entrant
    winner: Winner
    number: int
    seed: int
    stem: Path

    @property
    def weights(self) -> Path:
        """Where its weights are, as long as they are needed."""
        return self.stem.with_name(f"{self.stem.name}.safetensors")

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

    def train(self, dataset: Dataset, *, device: str, vocabularies: Vocabularies) -> None:
        """Trains at full fidelity and keeps the model with its logits of the valid part."""
        from evaluators._training.device import choose_device
        from evaluators._training.final import score, train_final
        from evaluators._training.settings import TrainingSettings

        facts = {"entrant": self.entrant.name, "fingerprint": self.winner.fingerprint, "seed": self.seed}
        place = choose_device(device)
        try:
            final = train_final(self.winner.candidate, dataset, TrainingSettings(), seed=self.seed, device=place)
        except DivergedError as error:
            write_text(self._facts, json.dumps({**facts, "failure": str(error)}))
            return
        write_weights(self.weights, final.model, winner=self.winner, vocabularies=vocabularies)
        self._keep_valid(logits_of(score(final.model, dataset.part("valid"))))
        write_text(self._facts, json.dumps({**facts, "params": final.params, "seconds": final.train_seconds}))

    def test(self, part: Part, *, device: str) -> None:
        """Scores the test part with the kept model."""
        from evaluators._training.device import choose_device
        from evaluators._training.final import score

        model = load_model(self.winner, read_weights(self.weights)).to(choose_device(device))
        keep_array(self._logits("test"), logits_of(score(model, part)).astype(np.float32))

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


def stem_of(entrant: Entrant, winner: Winner, number: int, seed: int, data_digest: str, folder: Path) -> Path:
    """Where a training is kept: its name holds a digest of all that it depends on."""
    known = [winner.fingerprint, dict(winner.training), seed, data_digest]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]
    return folder / "trainings" / f"{entrant.slug}-seed{number}-{digest}"


def keep_array(path: Path, values: NDArray[Any]) -> None:
    """Writes an array whole or not at all."""
    with replacing(path) as draft, draft.open("wb") as stream:
        np.save(stream, values, allow_pickle=False)
