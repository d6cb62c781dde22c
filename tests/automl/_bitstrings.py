"""A problem with a known optimum: strings of bits, some of which matter more, some only together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from automl import _searcher
from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion, Trial, TrialState
from searchspaces import Assignment, Candidate, CandidateError, OptionChoice, Options

Outcome = Evaluation | Failure


class Bitstrings:
    """Candidates without an architecture: each bit is a training option."""

    def __init__(self, bits: int = 24) -> None:
        self._slots = tuple(f"bit{index:02d}" for index in range(bits))

    def decisions(self) -> tuple[OptionChoice, ...]:
        return tuple(OptionChoice(slot, (0, 1)) for slot in self._slots)

    def to_candidate(self, assignment: Assignment) -> Candidate:
        return self._candidate([int(assignment[slot]) for slot in self._slots])

    def to_assignment(self, candidate: Candidate) -> Assignment:
        return {slot: int(bit) for slot, bit in zip(self._slots, self.encode(candidate), strict=True)}

    def sample(self, rng: np.random.Generator) -> Candidate:
        return self._candidate(rng.integers(2, size=len(self._slots)).tolist())

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        bits = self.encode(parent).astype(int)
        bits[rng.integers(len(bits))] ^= 1
        return self._candidate(bits.tolist())

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        takes_one = rng.integers(2, size=len(self._slots)).astype(bool)
        return self._candidate(np.where(takes_one, self.encode(one), self.encode(other)).astype(int).tolist())

    def validate(self, candidate: Candidate) -> None:
        if tuple(candidate.training) != self._slots or not {*candidate.training.values()} <= {0, 1}:
            raise CandidateError(f"a candidate has {len(self._slots)} bits, but this one is {candidate.training}")

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        self.validate(candidate)
        return np.array([candidate.training[slot] for slot in self._slots], dtype=np.float64)

    def _candidate(self, bits: Sequence[int]) -> Candidate:
        return Candidate(training=Options(dict(zip(self._slots, bits, strict=True))))


def loss(candidate: Candidate) -> float:
    """0 for the string of ones: falling weights of single bits, and of neighbours that are wrong together."""
    return float(losses(np.array([list(candidate.training.values())], dtype=np.float64))[0])


def losses(strings: NDArray[np.float64]) -> NDArray[np.float64]:
    """That of each row, [strings, bits] to [strings]."""
    wrong = 1 - strings
    weight = 0.9 ** np.arange(wrong.shape[1])
    found: NDArray[np.float64] = (wrong @ weight + (wrong[:, 1:] * wrong[:, :-1]) @ weight[1:]) / wrong.shape[1]
    return found


def measured(candidate: Candidate) -> Outcome:
    """NE is 0.8 and the loss; FLOPs grow with the ones, so that the objectives disagree."""
    value = 0.8 + loss(candidate)
    ones = sum(int(str(bit)) for bit in candidate.training.values())
    return Evaluation({"ne": Metric(value), "auc": Metric(-value), "flops": Metric(ones), "params": Metric(ones)})


def failing(kinds: Callable[[int], bool]) -> Callable[[Candidate], Outcome]:
    """Measures, except where `kinds` says that the call fails; calls count from 0."""
    calls = count()
    failure = Failure(FailureKind.DIVERGED, "the loss is not finite")
    return lambda candidate: failure if kinds(next(calls)) else measured(candidate)


def finished(number: int, suggestion: Suggestion, outcome: Outcome | None = None, *, stage: str = "search") -> Trial:
    """The trial that the suggestion ends as; measured where no outcome is given."""
    ended = measured(suggestion.candidate) if outcome is None else outcome
    if isinstance(ended, Failure):
        return Trial(number, stage, suggestion, TrialState.FAIL, failure=ended)
    return Trial(number, stage, suggestion, TrialState.COMPLETE, evaluation=ended)


def generator(seed: int, ask_number: int) -> np.random.Generator:
    """The generator of one ask, as a study derives it."""
    return np.random.default_rng([seed, ask_number])


def search(
    searcher: _searcher.Searcher,
    trials: int,
    *,
    seed: int = 0,
    evaluate: Callable[[Candidate], Outcome] = measured,
    first: int = 0,
) -> list[Trial]:
    """Runs a study in memory, one trial at a time, numbered from `first`; shorter where nothing is left to ask."""
    record: list[Trial] = []
    for number in range(first, first + trials):
        for suggestion in searcher.ask(1, generator(seed, number - first)):
            record.append(finished(number, suggestion, evaluate(suggestion.candidate)))
            searcher.tell(record[-1:])
    return record
