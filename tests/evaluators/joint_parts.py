"""Parts of a joint evaluator that answer at once, and write down what they were asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion


@dataclass(eq=False)
class Part:
    """Gives these metrics to every candidate, and takes `seconds`; fails those with a setting of this name."""

    metrics: dict[str, float]
    seconds: float = 2.0
    fails_on: str = ""
    cohort_size: int = 1
    asked: list[Suggestion] = field(default_factory=list)
    calls: int = 0

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome a member."""
        self.calls += 1
        for position, one in enumerate(cohort):
            self.asked.append(one)
            if self.fails_on in {*one.candidate.training, *one.candidate.system}:
                yield position, Failure(FailureKind.OUT_OF_MEMORY, "too large", self.seconds)
            else:
                found = {name: Metric(value) for name, value in self.metrics.items()}
                yield position, Evaluation(found, seconds=self.seconds)

    def open(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing is held."""
