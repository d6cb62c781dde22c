from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import pytest
from scipy import stats

from automl.proposals import Trust, Watch, cross_validated_trust
from automl.proposals._trust import EVERY, FOLDS, MOST, NORMAL_90
from evaluators import Evaluation, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from predictors import HeldOut, Prediction, loss_ranks
from searchspaces import Candidate, Options

NE = Objective("ne")


class Guide:
    """Predicts a function of the candidate's number; remembers what it was fitted on and asked for."""

    def __init__(self, guess: Callable[[int], float]) -> None:
        self.guess = guess
        self.splits: list[tuple[set[int], set[int]]] = []
        self.fitted: set[int] = set()

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        self.fitted = {number(one.suggestion) for one in trials}
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        asked = [number(one) for one in suggestions]
        self.splits.append((self.fitted, set(asked)))
        return Prediction(np.array([self.guess(one) for one in asked], dtype=float), np.zeros(len(asked)))


def number(suggestion: Suggestion) -> int:
    found = suggestion.candidate.training["number"]
    assert isinstance(found, int)
    return found


def trial(at: int, ne: float, *, rung: int = 0, replicate: int = 0) -> Trial:
    suggestion = Suggestion(Candidate(training=Options(number=at)), Fidelity(rung), replicate)
    return Trial(at, "search", suggestion, TrialState.COMPLETE, Evaluation({"ne": Metric(ne)}))


def trust(guide: Guide, trials: Sequence[Trial], seed: int = 0) -> Trust | None:
    return cross_validated_trust(guide, trials, NE, np.random.default_rng(seed))


def ordered(count: int) -> list[Trial]:
    return [trial(at, 0.8 + 0.001 * at) for at in range(count)]


def test_a_guide_that_is_right_or_wrong_about_every_pair_has_tau_one_or_minus_one() -> None:
    assert trust(Guide(lambda at: at), ordered(20)) == Trust(1.0, 1.0)
    assert trust(Guide(lambda at: -at), ordered(20)) == Trust(-1.0, -1.0)


def test_no_candidate_is_asked_for_that_the_guide_was_fitted_on_and_each_is_asked_for_once() -> None:
    guide = Guide(lambda at: at)
    trust(guide, [*ordered(20), *(trial(at, 0.9, replicate=1) for at in range(5))])
    assert all(not fitted & asked for fitted, asked in guide.splits)
    assert sorted(one for _, asked in guide.splits for one in asked) == list(range(20))


def test_within_one_fold_it_is_kendalls_tau() -> None:
    from automl.proposals._trust import _agreements, _trust

    rng = np.random.default_rng(1)
    truth, guesses = rng.standard_normal(12), rng.standard_normal(12)
    trials = [trial(at, float(value)) for at, value in enumerate(truth)]
    found = _trust(_agreements(guesses, loss_ranks(trials, NE)))
    assert found is not None
    assert found.tau == pytest.approx(stats.kendalltau(truth, guesses).statistic)


def test_a_guess_has_a_bound_that_holds_zero_nine_times_in_ten() -> None:
    held = 0
    for seed in range(100):
        guesses = np.random.default_rng(seed).standard_normal(40)
        found = trust(Guide(lambda at, guesses=guesses: guesses[at]), ordered(40), seed)  # type: ignore[misc]
        assert found is not None
        held += found.upper >= 0
    assert 82 <= held <= 98  # 90 expected, standard deviation 3


def test_the_bound_is_that_of_a_u_statistic() -> None:
    from automl.proposals._trust import _trust

    agreements = np.array([[3.0, 3.0], [1.0, 3.0], [-1.0, 3.0], [1.0, 3.0]])
    spread = np.std([1, 1 / 3, -1 / 3, 1 / 3], ddof=1)
    found = _trust(agreements)
    assert found is not None
    assert (found.tau, found.upper) == pytest.approx((1 / 3, 1 / 3 + NORMAL_90 * 2 * spread / 2))


def test_trials_of_two_rungs_are_never_compared() -> None:
    trials = [trial(at, 0.8 + 0.001 * at + 0.1 * (at % 2), rung=-(at % 2)) for at in range(30)]
    assert trust(Guide(lambda at: at - 1000 * (at % 2)), trials) == Trust(1.0, 1.0)


def test_nothing_is_told_of_few_trials_or_equal_ones() -> None:
    assert trust(Guide(lambda at: at), ordered(19)) is None
    assert trust(Guide(lambda at: at), [trial(at, 0.9) for at in range(20)]) is None


def test_a_watch_looks_after_every_twenty_trials_and_at_those_alone() -> None:
    guide = Guide(lambda at: at)
    watch = Watch(guide, NE)
    assert watch.look(ordered(EVERY - 1)) is None
    found = [watch.look(ordered(count)) for count in range(EVERY, 2 * EVERY)]
    assert found == [Trust(1.0, 1.0)] * EVERY
    assert len(guide.splits) == FOLDS
    assert max(one for _, asked in guide.splits for one in asked) == EVERY - 1


class Checked(Guide):
    """Has cross-validated itself: right about all pairs of one fold, and wrong about those of another."""

    def __init__(self) -> None:
        super().__init__(lambda at: at)
        self.asked: list[int] = []

    def held_out(self, trials: Sequence[Trial], metric: str) -> list[HeldOut]:
        self.asked.append(len(trials))
        places = np.linspace(0.0, 1.0, len(trials) // 2)
        return [HeldOut(10 + places, places), HeldOut(-places, places)]


def test_a_guide_that_cross_validates_itself_is_asked_and_never_fitted() -> None:
    guide = Checked()
    watch = Watch(guide, NE)
    found = [watch.look(ordered(count)) for count in range(18, 43)]
    assert (guide.asked, guide.splits, found[:2]) == ([20, 40], [], [None, None])
    assert {one.tau for one in found[2:] if one is not None} == {0.0}


def test_what_is_known_of_few_candidates_is_not_told() -> None:
    class Young(Checked):
        def held_out(self, trials: Sequence[Trial], metric: str) -> list[HeldOut]:
            return super().held_out(trials[:16], metric)

    assert trust(Young(), ordered(20)) is None


def test_a_watch_that_begins_late_finds_what_one_that_was_there_from_the_beginning_found() -> None:
    guesses = np.random.default_rng(3).standard_normal(60)
    there, late = (Watch(Guide(lambda at: guesses[at]), NE) for _ in range(2))
    assert [there.look(ordered(count)) for count in range(60)][-1] == late.look(ordered(59))


def test_a_watch_looks_at_no_more_than_a_hundred_trials_of_the_whole_record() -> None:
    guide = Guide(lambda at: at)
    Watch(guide, NE).look(ordered(3 * MOST + EVERY))
    asked = sorted(one for _, held in guide.splits for one in held)
    assert len(asked) <= MOST
    assert asked[0] == 0
    assert asked[-1] >= 3 * MOST


def test_trust_is_lost_where_the_bound_is_below_a_tenth() -> None:
    assert Trust(-0.1, 0.1).is_earned
    assert not Trust(-0.1, 0.09).is_earned
