"""Quick scores count as far as they tell what a guide does not know, and no further."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from automl.proposals import Probes
from automl.searchers.wl_ehvi import WLEHVI
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from predictors import Prediction
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings, finished, generator, loss, search
from tests.automl.proposals.known_loss import KnownLoss

NE = Objective("ne")
FIRST = 12
"""Bits that the guide sees; the others are told by the score alone."""


def seen(candidate: Candidate) -> float:
    """The loss that the bits would have which the guide sees."""
    bits = np.array([list(candidate.training.values())], dtype=np.float64)
    bits[:, FIRST:] = 1.0
    return float(loss(Bitstrings()._candidate(bits[0].astype(int).tolist())))


class HalfKnown(KnownLoss):
    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        mean = np.array([0.8 + seen(one.candidate) for one in suggestions])
        return Prediction(mean, np.full(len(mean), self.std))


@dataclass
class Scored:
    """An evaluator that tells something in no time, and whom it was asked about."""

    score: Callable[[Candidate], float]
    cohort_size: int = 4
    asked: list[str] = field(default_factory=list)

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        for at, one in enumerate(cohort):
            self.asked.append(one.candidate.fingerprint)
            value = self.score(one.candidate)
            if np.isnan(value):
                yield at, Failure(FailureKind.DIVERGED, "the score is not finite")
            else:
                yield at, Evaluation({"score": Metric(value), "always": Metric(1.0)})

    def open(self) -> None: ...

    def close(self) -> None: ...


def unseen(candidate: Candidate) -> float:
    return 100.0 * (loss(candidate) - seen(candidate))


def noise(candidate: Candidate) -> float:
    return float(int(candidate.fingerprint[-6:], 16))


def record(count: int, *, seed: int = 0) -> list[Trial]:
    rng = np.random.default_rng(seed)
    return [finished(at, Suggestion(Bitstrings().sample(rng))) for at in range(count)]


def probes(score: Callable[[Candidate], float]) -> Probes:
    return Probes(Scored(score), HalfKnown(), NE)


def test_what_the_guide_does_not_know_is_added_to_what_it_expects() -> None:
    one = probes(unseen)
    one.learn(record(40))
    assert one.is_earned
    fresh = [trial.candidate for trial in record(50, seed=1)]
    errors = np.array([loss(each) - seen(each) for each in fresh])
    left = errors - one.shift(fresh)
    assert left.std() < 0.6 * errors.std()
    gain = one.memo()["probe_gain"]
    assert isinstance(gain, float)
    assert gain > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_noise_earns_nothing(seed: int) -> None:
    one = probes(noise)
    one.learn(record(60, seed=seed))
    assert not one.is_earned
    assert (one.shift([trial.candidate for trial in record(5, seed=9)]) == 0.0).all()
    assert one.memo()["probed"] is False


def test_what_the_guide_knows_already_earns_nothing() -> None:
    one = probes(seen)
    one.learn(record(60))
    assert not one.is_earned


def test_scores_of_too_few_trials_say_nothing() -> None:
    one = probes(unseen)
    one.learn(record(19))
    assert not one.is_earned
    assert one.memo() == {}


def test_nobody_is_scored_twice() -> None:
    scored = Scored(unseen)
    one = Probes(scored, HalfKnown(), NE)
    for count in (20, 40, 41):
        one.learn(record(count))
    one.shift([trial.candidate for trial in record(41)])
    assert len(scored.asked) == len(set(scored.asked)) == 41


def test_who_cannot_be_scored_is_left_as_the_guide_sees_it() -> None:
    def score(candidate: Candidate) -> float:
        return float("nan") if int(candidate.fingerprint[-1], 16) % 4 == 0 else unseen(candidate)

    one = probes(score)
    one.learn(record(60))
    assert one.is_earned
    fresh = [trial.candidate for trial in record(30, seed=1)]
    lacking = np.array([np.isnan(score(each)) for each in fresh])
    assert lacking.any()
    assert (one.shift(fresh)[lacking] == 0.0).all()
    assert (one.shift(fresh)[~lacking] != 0.0).all()


def best(score: Callable[[Candidate], float] | None, seed: int) -> float:
    probe = None if score is None else Scored(score)
    searcher = WLEHVI(Bitstrings(), (NE,), guide=HalfKnown(), initial=20, probe=probe)
    return min(loss(one.candidate) for one in search(searcher, 60, seed=seed))


def test_a_search_with_scores_that_tell_something_finds_more() -> None:
    with_them, without = (np.mean([best(score, seed) for seed in range(3)]) for score in (unseen, None))
    assert with_them < 0.8 * without


def test_the_best_of_a_pool_alone_are_scored_and_what_they_told_is_kept_with_the_suggestion() -> None:
    scored = Scored(unseen)
    searcher = WLEHVI(Bitstrings(), (NE,), guide=HalfKnown(), initial=20, probe=scored, probed=5)
    searcher.tell(record(40))
    (suggestion,) = searcher.ask(1, generator(0, 0))
    assert len(scored.asked) == 45
    assert suggestion.candidate.fingerprint in scored.asked[40:]
    assert suggestion.memo["probed"] is True
    assert "shift" in suggestion.memo
    (again,) = searcher.ask(1, generator(0, 0))
    assert again == suggestion
    assert len(scored.asked) == 45
