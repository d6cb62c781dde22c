"""Trainings from scratch that a comparison itself asks for, to tell how far an order can be trusted.

They are a diagnosis: no study has them, no method pays for them, and the page says how many rows they took. Each is
kept in a file when its cohort has ended, so that none is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from automl._files import write_text
from evaluators import Evaluation, Evaluator, Failure, Suggestion
from searchspaces import Candidate, SearchSpace

_SALT = 0xC0
DRAWS = 20
"""Draws for each candidate that is wanted; small spaces have no more."""


@dataclass(frozen=True)
class Kept:
    """What a training came to: the metric, None where it failed or a race ended it early, and the rows that it took."""

    value: float | None
    rows: int
    seconds: float


class Scratch:
    """Trains candidates with a study's evaluator in a second replicate, or the first; `path` keeps them by identity."""

    def __init__(self, evaluator: Evaluator, metric: str, path: Path) -> None:
        self._evaluator, self._metric, self._path = evaluator, metric, path
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self._known = {name: Kept(**one) for name, one in known.items()}

    @property
    def trainings(self) -> int:
        """How many there were."""
        return len(self._known)

    @property
    def rows(self) -> int:
        """What all of them took, as far as it is known."""
        return sum(one.rows for one in self._known.values())

    @property
    def seconds(self) -> float:
        """What all of them took."""
        return sum(one.seconds for one in self._known.values())

    def values(self, candidates: Sequence[Candidate], *, replicate: int) -> dict[str, float]:
        """The metric by fingerprint, without what failed; what is not known is trained.

        Raises:
            EvaluatorError: the evaluator cannot work.
        """
        asked = {one.fingerprint: Suggestion(one, replicate=replicate) for one in candidates}
        self._train([one for name, one in asked.items() if _key(name, replicate) not in self._known])
        found = {name: self._known[_key(name, replicate)].value for name in asked}
        return {name: value for name, value in found.items() if value is not None}

    def _train(self, missing: Sequence[Suggestion]) -> None:
        waiting = iter(missing)
        try:
            while cohort := list(islice(waiting, self._evaluator.cohort_size)):
                for position, outcome in self._evaluator.evaluate(cohort):
                    one = cohort[position]
                    self._known[_key(one.candidate.fingerprint, one.replicate)] = self._kept(outcome)
                content = {name: asdict(one) for name, one in self._known.items()}
                write_text(self._path, json.dumps(content, indent=2) + "\n")
        finally:
            self._evaluator.close()

    def _kept(self, outcome: Evaluation | Failure) -> Kept:
        if isinstance(outcome, Failure):
            return Kept(None, 0, outcome.seconds)
        measured = outcome.metrics.get(self._metric) if outcome.stopped_at is None else None
        rows = outcome.curve[-1].rows if outcome.curve else 0
        return Kept(None if measured is None else measured.value, rows, outcome.seconds)


def random_sample(space: SearchSpace, count: int, *, seed: int) -> list[Candidate]:
    """Up to `count` different candidates of the space's own distribution; the same seed gives the same ones."""
    rng, found = np.random.default_rng([seed, _SALT]), dict[str, Candidate]()
    for _ in range(DRAWS * count):
        if len(found) == count:
            break
        one = space.sample(rng)
        found.setdefault(one.fingerprint, one)
    return list(found.values())


def _key(fingerprint: str, replicate: int) -> str:
    return f"{fingerprint} {replicate}"
