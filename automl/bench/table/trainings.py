"""The trainings of a table, in cohorts; each finished cohort is one file, so that a kill loses one cohort."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from automl._errors import AutomlError
from automl._files import write_text
from evaluators import Evaluation, Evaluator, Objective, Suggestion
from evaluators._tabular.entries import Entry
from searchspaces import Candidate

PARTS = "parts"


@dataclass(frozen=True)
class Cohort:
    """Candidates by their number in the table that are trained together under one seed."""

    numbers: tuple[int, ...]
    replicate: int
    role: str

    @property
    def file(self) -> str:
        """Name of the file that keeps it."""
        return f"{self.role}-{self.replicate}-{self.numbers[0]}-{self.numbers[-1]}-{len(self.numbers)}.json"


@dataclass(eq=False)
class Trainings:
    """What has been trained so far, and the folder that keeps it."""

    folder: Path
    candidates: Sequence[Candidate]
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, candidates: Sequence[Candidate]) -> Trainings:
        """Reads what a run that was stopped has left.

        Raises:
            AutomlError: a training is of another candidate than the one that has its number now.
        """
        parts = sorted((folder / PARTS).glob("*.json"))
        found = [Entry.from_dict(one) for part in parts for one in json.loads(part.read_text(encoding="utf-8"))]
        _check_same(found, candidates, folder)
        return cls(folder, candidates, found)

    def missing(self, cohorts: Sequence[Cohort]) -> list[Cohort]:
        """What is left to train, without those of a cohort that are known already."""
        known = {(one.number, one.replicate) for one in self.entries}
        left = [
            Cohort(tuple(at for at in one.numbers if (at, one.replicate) not in known), one.replicate, one.role)
            for one in cohorts
        ]
        return [one for one in left if one.numbers]

    def train(self, cohort: Cohort, evaluator: Evaluator) -> None:
        """Trains a cohort and keeps all of it or nothing."""
        suggestions = [Suggestion(self.candidates[at], replicate=cohort.replicate) for at in cohort.numbers]
        outcomes = dict(evaluator.evaluate(suggestions))
        found = [
            Entry(number, self.candidates[number], cohort.replicate, cohort.role, outcomes[at])
            for at, number in enumerate(cohort.numbers)
        ]
        text = json.dumps([one.to_dict() for one in found])
        write_text(self.folder / PARTS / cohort.file, text)
        self.entries += found

    def best(self, metric: str, top: int, *, role: str) -> list[int]:
        """Numbers of the candidates with the best mean of a metric over the trainings of one role.

        Who failed in one of them is not among the best. Trainings of other roles do not count: a run that goes on must
        find the same candidates.
        """
        objective, failed = Objective(metric), set()
        values: dict[int, list[float]] = {}
        for one in self.entries:
            if one.role != role:
                continue
            if isinstance(one.outcome, Evaluation):
                values.setdefault(one.number, []).append(objective.loss(one.outcome.value(metric)))
            else:
                failed.add(one.number)
        means = {at: sum(found) / len(found) for at, found in values.items() if at not in failed}
        return sorted(means, key=lambda at: (means[at], at))[:top]


def _check_same(entries: Sequence[Entry], candidates: Sequence[Candidate], folder: Path) -> None:
    for one in entries:
        wanted = candidates[one.number].fingerprint if one.number < len(candidates) else "none"
        if one.candidate.fingerprint != wanted:
            raise AutomlError(
                f"a table goes on with the candidates that it began with, but number {one.number} of {folder} is "
                f"{one.candidate.fingerprint}, and this version of the space draws {wanted}; choose a new folder, or "
                "go on with the version that began it"
            )


def cohorts_of(numbers: Sequence[int], replicates: Sequence[int], role: str, size: int) -> list[Cohort]:
    """Cohorts that train all these candidates under all these replicates, a few candidates at a time."""
    groups = [tuple(numbers[start : start + size]) for start in range(0, len(numbers), size)]
    return [Cohort(group, replicate, role) for group in groups for replicate in replicates]


def trained(trainings: Trainings, cohorts: Sequence[Cohort], evaluator: Evaluator) -> Iterator[tuple[int, float]]:
    """Trains what is missing; yields after each cohort how many trainings are left, and the seconds of one so far."""
    missing = trainings.missing(cohorts)
    left = sum(len(one.numbers) for one in missing)
    started, done = time.monotonic(), 0
    for cohort in missing:
        trainings.train(cohort, evaluator)
        done += len(cohort.numbers)
        left -= len(cohort.numbers)
        yield left, (time.monotonic() - started) / done
