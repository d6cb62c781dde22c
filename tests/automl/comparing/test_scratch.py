from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automl.comparing._scratch import Scratch, random_sample
from evaluators import Evaluation, Failure, FailureKind, Metric, Point, Suggestion
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings

SPACE = Bitstrings(4)
SAMPLE = random_sample(SPACE, 5, seed=1)


@dataclass
class Counting:
    """An evaluator of two at once that fails the third candidate, ends the fourth early, and may be killed."""

    cohort_size: int = 2
    asked: list[tuple[str, int]] = field(default_factory=list)
    closed: int = 0
    lives: int = 100

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        for position, one in reversed(list(enumerate(cohort))):
            self.lives -= 1
            if not self.lives:
                raise KeyboardInterrupt
            self.asked.append((one.candidate.fingerprint, one.replicate))
            if one.candidate == SAMPLE[2]:
                yield position, Failure(FailureKind.DIVERGED, "planted", seconds=1.0)
            elif one.candidate == SAMPLE[3] and one.replicate == 1:
                yield position, Evaluation({"ne": Metric(0.9)}, (Point(40, {}),), stopped_at=40, seconds=2.0)
            else:
                yield position, Evaluation({"ne": Metric(0.5 + one.replicate)}, (Point(100, {}),), seconds=2.0)

    def open(self) -> None: ...

    def close(self) -> None:
        self.closed += 1


def names(of: Sequence[Candidate]) -> list[str]:
    return [one.fingerprint for one in of]


def test_what_is_known_is_not_trained_again(tmp_path: Path) -> None:
    evaluator, path = Counting(), tmp_path / "a" / "seed-1.json"
    found = Scratch(evaluator, "ne", path).values(SAMPLE, replicate=1)
    assert found == dict.fromkeys(names([*SAMPLE[:2], SAMPLE[4]]), 1.5)
    again = Scratch(evaluator, "ne", path)
    assert again.values(SAMPLE, replicate=1) == found
    assert sorted(evaluator.asked) == sorted((name, 1) for name in names(SAMPLE))
    assert again.values(SAMPLE[:1], replicate=0) == {SAMPLE[0].fingerprint: 0.5}
    assert (again.trainings, again.rows, again.seconds) == (6, 440, 11.0)
    assert evaluator.closed >= 1


def test_what_ended_before_a_kill_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "seed-1.json"
    with pytest.raises(KeyboardInterrupt):
        Scratch(Counting(lives=4), "ne", path).values(SAMPLE, replicate=0)
    assert Scratch(Counting(), "ne", path).trainings == 2


def test_a_sample_follows_from_its_seed_and_has_nobody_twice() -> None:
    assert random_sample(SPACE, 5, seed=1) == SAMPLE != random_sample(SPACE, 5, seed=2)
    assert len(set(names(random_sample(SPACE, 100, seed=1)))) == len(random_sample(SPACE, 100, seed=1)) <= 16
