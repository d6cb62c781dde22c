from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from automl.tuning import TUNED_STAGE, TUNING_STAGE, TuningPlan, needed, still_to_measure, winner_of
from automl.tuning._course import FIRST_FRESH
from evaluators import Fidelity, Objective, Suggestion, TrialState
from searchspaces import Options
from tests.automl.tuning.races import contender, ended, place, plan, tuned

MODELS = [contender(name, base) for name, base in (("zoo:a", 0.0), ("zoo:b", 2.0), ("zoo:c", 4.0), ("zoo:d", 6.0))]


def _counts(trials: object) -> Counter[str]:
    return Counter(one.suggestion.origin for one in trials)  # type: ignore[attr-defined]


def test_the_better_half_of_the_models_has_the_rest_of_the_budget() -> None:
    """24 trials, 2 rounds of 12: three for each of four models, then six for each of the two that are left."""
    assert _counts(tuned(plan(24), MODELS, place)) == {"zoo:a": 9, "zoo:b": 9, "zoo:c": 3, "zoo:d": 3}


def test_no_model_is_judged_by_less_than_three_trials() -> None:
    """16 trials: half of them would be two for each of four models, so the first round takes twelve."""
    assert _counts(tuned(plan(16), MODELS, place)) == {"zoo:a": 5, "zoo:b": 5, "zoo:c": 3, "zoo:d": 3}


@pytest.mark.parametrize("budget", [4, 5, 9, 16, 40, 101])
def test_every_model_is_tuned_and_the_budget_is_kept(budget: int) -> None:
    counts = _counts(tuned(plan(budget), MODELS, place))
    assert len(counts) == 4
    assert budget - 3 <= sum(counts.values()) <= budget


def test_a_model_begins_with_its_own_setting() -> None:
    trials = tuned(plan(40), MODELS, place)
    first = {one.name: next(two for two in trials if two.suggestion.origin == one.name) for one in MODELS}
    assert [first[one.name].candidate for one in MODELS] == [one.first for one in MODELS]


def test_no_trial_comes_twice() -> None:
    trials = tuned(plan(60), MODELS, place, seeds=3)
    identities = [(one.stage, *one.suggestion.identity) for one in trials]
    assert len(identities) == len(set(identities))


def test_a_setting_with_one_lucky_seed_does_not_win() -> None:
    def loss(suggestion: Suggestion) -> float:
        is_lucky = place(suggestion) == 0.0 and suggestion.replicate == 0
        return -1.0 if is_lucky else 0.9 - place(suggestion) / 10 if place(suggestion) else 5.0

    (model,) = models = [contender("zoo:a")]
    trials = tuned(plan(30), models, loss)
    found = winner_of(trials, plan(30), model)
    assert found is not None
    assert found != model.first
    assert Counter(one.suggestion.replicate for one in trials)[1] >= 3


def test_what_is_promoted_is_the_best_third() -> None:
    trials = tuned(plan(8), [contender("zoo:a")], place)
    first = sorted(place(one.suggestion) for one in trials if one.suggestion.replicate == 0)
    second = sorted(place(one.suggestion) for one in trials if one.suggestion.replicate == 1)
    assert (len(first), len(second)) == (6, 2)
    assert second == first[:2]


def test_failures_count_and_are_not_promoted() -> None:
    def loss(suggestion: Suggestion) -> float | None:
        return None if place(suggestion) < 0.5 else place(suggestion)

    trials = tuned(plan(24), [contender("zoo:a")], loss)
    assert len(trials) == 24
    failed = {one.candidate.fingerprint for one in trials if one.state is TrialState.FAIL}
    assert failed
    assert not failed & {one.candidate.fingerprint for one in trials if one.suggestion.replicate}


def test_a_model_of_which_all_fails_has_no_winner_and_leaves_its_budget_to_the_others() -> None:
    models = [contender("zoo:a"), contender("zoo:b", 2.0)]
    trials = tuned(plan(20), models, lambda one: None if place(one) < 2.0 else place(one), seeds=2)
    assert winner_of(trials, plan(20), models[0]) is None
    assert {one.suggestion.origin for one in trials if one.stage == TUNED_STAGE} == {"zoo:b"}


def test_what_runs_is_not_asked_for_again() -> None:
    groups = needed([], plan(8), MODELS)
    waiting = [
        replace(ended(at, TUNING_STAGE, one, place), state=TrialState.WAITING, evaluation=None)
        for at, one in enumerate(groups[0])
    ]
    known = {one.suggestion.identity for one in waiting}
    again = needed(waiting, plan(8), MODELS)
    assert not known & {one.identity for group in again for one in group}


def test_winners_are_measured_under_replicates_that_nobody_chose_by() -> None:
    trials = tuned(plan(16), MODELS, place, seeds=3)
    fresh = [one for one in trials if one.stage == TUNED_STAGE]
    assert {one.suggestion.replicate for one in fresh} == {FIRST_FRESH + number for number in range(3)}
    assert _counts(fresh) == {one.name: 3 for one in MODELS}
    assert still_to_measure(trials, plan(16), MODELS, seeds=3) == ()
    more = still_to_measure(trials, plan(16), MODELS, seeds=4)
    assert [one.replicate for group in more for one in group] == [FIRST_FRESH + 3] * 4


def test_a_larger_budget_goes_on_from_what_is_there() -> None:
    model = [contender("zoo:a")]
    small = tuned(plan(10), model, place)
    more = needed(small, plan(20), model)
    assert sum(map(len, more)) <= 10
    assert not {one.suggestion.identity for one in small} & {one.identity for group in more for one in group}


def test_on_a_ladder_settings_climb_from_its_accepted_rungs() -> None:
    cheap = Fidelity(-1, Options(rows=10))
    on_ladder = TuningPlan(24, Objective("ne"), (cheap, Fidelity()))
    model = contender("zoo:a")
    trials = tuned(on_ladder, [model], place)
    assert trials[0].suggestion.fidelity.is_full
    assert trials[0].candidate == model.first
    rungs = Counter(one.suggestion.fidelity.rung for one in trials)
    assert rungs[-1] > rungs[0] > 1
    found = winner_of(trials, on_ladder, model)
    assert found in [one.candidate for one in trials if one.suggestion.fidelity.is_full]


def test_groups_share_kind_fidelity_and_replicate() -> None:
    for group in needed(tuned(plan(4), MODELS, place), plan(40), MODELS):
        assert len({(one.fidelity.rung, one.replicate) for one in group}) == 1
