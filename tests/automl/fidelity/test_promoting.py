from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import pytest

from automl._searcher import Searcher
from automl.fidelity import Ladder, Promoting, Promotion, rechecks
from automl.fidelity._recheck import DRAWN, EVERY
from automl.searchers.random_search import RandomSearch
from automl.searchers.wl_ehvi import WLEHVI
from evaluators import Evaluation, Fidelity, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate, load_plugin, plugin_names
from tests.automl._bitstrings import Bitstrings, finished, generator
from tests.automl.fidelity.ladders import LADDER, NE, PLAN, audit_trials, drawn, told_on
from tests.automl.proposals.known_loss import KnownLoss

OBJECTIVES = (NE, Objective("flops"))
HALF = Promotion(reduction=2)
every_searcher = pytest.mark.parametrize("name", plugin_names("automl.searchers"))


def _promoting(name: str = "random_search", promotion: Promotion | None = HALF) -> Promoting:
    searcher: Searcher = load_plugin("automl.searchers", name)(Bitstrings(), OBJECTIVES)
    return Promoting(searcher, PLAN, (NE,), promotion)


def _search(
    searcher: Promoting,
    trials: int,
    *,
    audit: list[Trial] | None = None,
    answer: Callable[[list[Suggestion], int], Iterable[Trial]] = told_on,
) -> list[Trial]:
    """Runs a study in memory after its audit."""
    record = list(audit_trials() if audit is None else audit)
    searcher.tell(record)
    first = len(record)
    while len(record) < first + trials:
        asked = searcher.ask(1, generator(0, len(record)))
        ended = list(answer(asked, len(record)))
        record += ended
        searcher.tell(ended)
    return record[first:]


@every_searcher
def test_candidates_begin_at_the_cheapest_rung_and_the_best_reach_full_training(name: str) -> None:
    trials = _search(_promoting(name), 29)
    rungs = Counter(trial.suggestion.fidelity.rung for trial in trials)
    assert rungs[-2] > rungs[-1] > rungs[0] > 0
    at = {rung: [one.candidate.fingerprint for one in trials if one.suggestion.fidelity.rung == rung] for rung in rungs}
    assert set(at[0]) <= set(at[-1]) <= set(at[-2])


@every_searcher
def test_nothing_is_asked_twice_and_pending_trials_count(name: str) -> None:
    searcher = _promoting(name)
    record = _search(searcher, 20)
    pending: list[Suggestion] = []
    while len(pending) < 8:  # an ask gives fewer than four where few can climb, and the next one gives the rest
        asked = searcher.ask(4, generator(1, 0), pending)
        assert asked
        pending += asked[: 8 - len(pending)]
    identities = [one.identity for one in (*(trial.suggestion for trial in record), *pending)]
    assert len(set(identities)) == len(identities) == 28


@every_searcher
def test_a_resumed_search_asks_what_an_undisturbed_one_would(name: str) -> None:
    undisturbed, resumed = _promoting(name), _promoting(name)
    record = _search(undisturbed, 20)
    resumed.tell([*audit_trials(), *record])
    assert resumed.ask(3, generator(2, 0)) == undisturbed.ask(3, generator(2, 0))


def test_another_training_of_a_candidate_is_one_in_full() -> None:
    searcher = WLEHVI(Bitstrings(12), (NE,), None, 60, guide=KnownLoss(), initial=10, replicate_share=0.3)
    trials = _search(Promoting(searcher, PLAN, (NE,), HALF), 60, answer=_noisy)
    again = [one for one in trials if one.suggestion.replicate]
    assert len(again) >= 5
    assert {one.suggestion.fidelity for one in again} == {LADDER.full}
    assert min(one.number for one in again) >= 42
    held = again[-1].suggestion
    asked = Promoting(searcher, PLAN, (NE,), HALF).ask(1, generator(0, 0), [held])
    assert held.identity not in {one.identity for one in asked}


def _noisy(suggestions: list[Suggestion], first: int) -> Iterable[Trial]:
    for one in told_on(suggestions, first):
        assert one.evaluation is not None
        ne = Metric(one.evaluation.metrics["ne"].value + 1e-9 * one.number, 0.05)
        yield replace(one, evaluation=Evaluation({**one.evaluation.metrics, "ne": ne}))


def test_what_is_asked_at_once_can_share_a_data_pass() -> None:
    searcher = _promoting()
    searcher.tell(audit_trials())
    number = 1000
    for ask_number in range(12):
        asked = searcher.ask(5, generator(4, ask_number))
        assert len({one.fidelity for one in asked}) == 1
        searcher.tell(list(told_on(asked, number)))
        number += len(asked)


def test_asking_changes_nothing() -> None:
    searcher = _promoting()
    _search(searcher, 7)
    assert searcher.ask(3, generator(3, 0)) == searcher.ask(3, generator(3, 0))


def test_a_refused_rung_is_not_used() -> None:
    trials = _search(_promoting(), 12, audit=audit_trials(wrong=(-2,)))
    assert {trial.suggestion.fidelity.rung for trial in trials} == {-1, 0}


def test_settings_of_a_rung_go_with_its_suggestions() -> None:
    for trial in _search(_promoting(), 12):
        assert trial.suggestion.fidelity.settings == LADDER.fidelities[trial.suggestion.fidelity.rung + 2].settings


def test_without_an_audit_all_is_trained_in_full_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "automl"):
        trials = _search(_promoting(), 5, audit=[])
    assert {trial.suggestion.fidelity for trial in trials} == {Fidelity()}
    assert [one for one in caplog.messages if "run `automl audit CONFIG` first" in one] == caplog.messages[:1]


def test_where_no_rung_has_passed_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "automl"):
        _search(_promoting(), 2, audit=audit_trials(wrong=(-1, -2)))
    assert caplog.messages == ["no rung of the ladder has passed its audit, so all is trained in full"]


def test_without_promotion_all_is_trained_in_full_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    trials = _search(_promoting(promotion=None), 3)
    assert {trial.suggestion.fidelity for trial in trials} == {Fidelity()}
    assert caplog.messages == []


def test_two_candidates_that_stopped_are_trained_in_full_after_every_thirty_trials() -> None:
    trials = _search(_promoting(), EVERY + 12)
    asked = rechecks(trials, LADDER.cheap[0], LADDER.full, seed=PLAN.seed)
    assert len(asked) == DRAWN
    assert {one.identity for one in asked} <= {one.suggestion.identity for one in trials}


def test_a_rung_that_proves_wrong_in_the_search_is_used_no_more(caplog: pytest.LogCaptureFixture) -> None:
    def wrong_below(suggestions: list[Suggestion], first: int) -> list[Trial]:
        trials = list(told_on(suggestions, first))
        return [one if one.suggestion.fidelity.is_full else drawn(one) for one in trials]

    plan = replace(PLAN, ladder=Ladder.of([{"rows": 10}, {}]))
    searcher = Promoting(RandomSearch(Bitstrings(), OBJECTIVES), plan, (NE,), Promotion(reduction=3))
    with caplog.at_level(logging.WARNING, "automl"):
        trials = _search(searcher, 8 * EVERY, audit=audit_trials(plan), answer=wrong_below)
    assert "rung -1 orders this search's candidates wrongly after all; it is used no more" in caplog.messages
    assert {one.suggestion.fidelity.rung for one in trials[-10:]} == {0}


class _Reading(KnownLoss):
    """A guide that remembers the rungs of what it was fitted on last."""

    rungs: Counter[int]

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Counts."""
        self.rungs = Counter(trial.suggestion.fidelity.rung for trial in trials)
        return super().fit(trials, metric, rng=rng)


def _different(count: int) -> list[Candidate]:
    rng = generator(7, 7)
    return list({one.fingerprint: one for one in (Bitstrings().sample(rng) for _ in range(count))}.values())


class _Listening(RandomSearch):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(Bitstrings(), OBJECTIVES)
        self.told: list[Trial] = []

    def tell(self, trials: Sequence[Trial]) -> None:
        """Keeps the trials."""
        self.told += trials
        super().tell(trials)


def test_the_searcher_sees_full_trainings_as_results_and_the_rest_as_tried() -> None:
    inner = _Listening()
    record = _search(Promoting(inner, PLAN, (NE,), HALF), 21)
    results = [one.number for one in inner.told if one.stage == "search"]
    assert results == [one.number for one in record if one.suggestion.fidelity.is_full]
    assert {one.stage for one in inner.told} == {"search", "baseline"}
    assert {one.suggestion.fidelity for one in inner.told} == {Fidelity()}
    tried = [one.candidate.fingerprint for one in inner.told if one.stage == "baseline"]
    assert len(tried) == len(set(tried)) == sum(one.suggestion.fidelity.rung == -2 for one in record)


class _Learning(_Listening):
    """Has a model of rungs; remembers in which order it was told what."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[tuple[int, int]] = []

    def tell(self, trials: Sequence[Trial]) -> None:
        """Keeps results."""
        super().tell(trials)
        self.order += [(one.number, 0) for one in trials if one.stage == "search"]

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Keeps what stopped below."""
        self.order += [(one.number, one.suggestion.fidelity.rung) for one in trials]


def test_a_searcher_with_a_model_of_rungs_gets_every_trial_of_the_search_in_order_with_its_rung() -> None:
    inner, resumed = _Learning(), _Learning()
    record = _search(Promoting(inner, PLAN, (NE,), HALF), 21)
    assert inner.order == [(one.number, one.suggestion.fidelity.rung) for one in record]
    Promoting(resumed, PLAN, (NE,), HALF).tell([*audit_trials(), *record])
    assert resumed.order == inner.order
    assert resumed.told == inner.told


@pytest.mark.parametrize("name", ["autoctr", "predictor_rl", "wl_ehvi"])
def test_models_learn_from_cheap_rungs_and_tell_them_apart(name: str) -> None:
    guide = _Reading()
    searcher = load_plugin("automl.searchers", name)(Bitstrings(), OBJECTIVES, guide=guide)
    searcher.tell([finished(at, Suggestion(one)) for at, one in enumerate(_different(25))])
    searcher.tell_of_rungs(list(told_on([Suggestion(one, LADDER.fidelities[0]) for one in _different(50)[25:]], 25)))
    searcher.ask(1, generator(0, 0))
    assert guide.rungs == Counter({0: 25, -2: 25})


def test_the_published_guide_learns_from_full_trainings_alone() -> None:
    with_rungs, without = (
        load_plugin("automl.searchers", "autoctr")(Bitstrings(), OBJECTIVES, faithful=True) for _ in range(2)
    )
    for searcher in (with_rungs, without):
        searcher.tell([finished(at, Suggestion(one)) for at, one in enumerate(_different(25))])
    with_rungs.tell_of_rungs(list(told_on([Suggestion(_different(26)[-1], LADDER.fidelities[0])], 25)))
    assert with_rungs.ask(2, generator(0, 0)) == without.ask(2, generator(0, 0))


@pytest.mark.parametrize("name", ["predictor_rl", "wl_ehvi"])
def test_a_candidate_is_one_of_the_first_from_its_lowest_rung_on(name: str) -> None:
    searcher = load_plugin("automl.searchers", name)(Bitstrings(), OBJECTIVES, guide=_Reading(), initial=12)
    started = _different(12)
    searcher.tell_of_rungs(list(told_on([Suggestion(one, LADDER.fidelities[0]) for one in started[:11]], 0)))
    searcher.tell([finished(20 + at, Suggestion(one)) for at, one in enumerate(started[:5])])  # these have climbed
    assert "predicted" not in searcher.ask(1, generator(0, 0))[0].memo
    searcher.tell([finished(30, Suggestion(started[11]))])
    assert "predicted" in searcher.ask(1, generator(0, 0))[0].memo


def test_baselines_reach_the_searcher_as_they_are() -> None:
    inner = _Listening()
    own = finished(
        0, Suggestion(Bitstrings().sample(generator(0, 0)), LADDER.full, origin="baseline"), stage="baseline"
    )
    Promoting(inner, PLAN, (NE,)).tell([own])
    assert inner.told == [own]
