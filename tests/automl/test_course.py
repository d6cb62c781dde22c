"""What a study's trials say together, against numbers worked out by hand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pytest

from automl.course import BOX_TRIALS, FEWEST_BLIND, FEWEST_GUIDED, StudyCourse, guide_readings
from automl.front import pareto_ranks
from evaluators import (
    Evaluation,
    Failure,
    FailureKind,
    Fidelity,
    Metric,
    Objective,
    Point,
    Suggestion,
    Trial,
    TrialState,
)
from searchspaces import Candidate, Options
from storage import StudyReading

OBJECTIVES = (Objective("ne"), Objective("flops"))


def _trial(
    number: int,
    metrics: Mapping[str, float] | None,
    *,
    stage: str = "search",
    memo: Mapping[str, object] | None = None,
    parents: tuple[int, ...] = (),
    rung: int = 0,
) -> Trial:
    """A trial that ended as number + 1st, failed where it has no metrics."""
    origin = "baseline" if stage == "baseline" else "mutation"
    suggestion = Suggestion(Candidate(), Fidelity(rung), 0, parents, origin, Options(dict(memo or {})))
    measured = {name: Metric(value) for name, value in (metrics or {}).items()}
    evaluation = Evaluation(measured, (Point(100, {}),), seconds=2.0) if metrics is not None else None
    failure = None if evaluation else Failure(FailureKind.CRASHED, "it died", seconds=1.0)
    state = TrialState.COMPLETE if evaluation else TrialState.FAIL
    ended = float(1000 + number)
    return Trial(number, stage, suggestion, state, evaluation, failure, number, number + 1, ended - 2, ended)


def _search(points: Sequence[tuple[float, float]], first: int = 0) -> list[Trial]:
    return [_trial(first + at, {"ne": ne, "flops": flops}) for at, (ne, flops) in enumerate(points)]


def _history(readings: Sequence[StudyReading], name: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in readings if one.name == name]


def _rounded(readings: Sequence[StudyReading], name: str) -> list[tuple[int, float]]:
    return [(step, round(value, 9)) for step, value in _history(readings, name)]


def test_a_number_is_given_when_it_changes_with_the_step_and_time_of_its_trial() -> None:
    readings = StudyCourse(OBJECTIVES).tell(_search([(0.9, 5), (0.95, 6), (0.8, 7)]))
    assert [one for one in readings if one.name == "best/ne"] == [
        StudyReading("best/ne", 0.9, 1, 1000.0),
        StudyReading("best/ne", 0.8, 3, 1002.0),
    ]
    assert _history(readings, "best/flops") == [(1, 5.0)]
    assert _history(readings, "front/size") == [(1, 1.0), (3, 2.0)]


def test_what_was_told_in_parts_is_what_is_told_at_once() -> None:
    trials = [
        _trial(0, {"ne": 1.0, "flops": 9}, stage="baseline"),
        *_search([(0.9 - 0.01 * (n % 7), 5 + n % 5) for n in range(30)], 1),
    ]
    at_once, in_parts = StudyCourse(OBJECTIVES), StudyCourse(OBJECTIVES)
    parts = [in_parts.tell([trial]) for trial in trials]
    assert list(itertools.chain.from_iterable(parts)) == at_once.tell(trials)
    assert at_once.latest == in_parts.latest


def test_a_failed_trial_costs_but_wins_nothing() -> None:
    readings = StudyCourse(OBJECTIVES).tell([_trial(0, None), *_search([(0.9, 5)], 1)])
    assert _history(readings, "trials/finished") == [(1, 1.0), (2, 2.0)]
    assert _history(readings, "trials/failed") == [(1, 1.0)]
    assert _history(readings, "cost/seconds") == [(1, 1.0), (2, 3.0)]
    assert _history(readings, "cost/rows") == [(1, 0.0), (2, 100.0)]
    assert _history(readings, "best/ne") == [(2, 0.9)]


def test_energy_is_added_up_where_trials_have_it() -> None:
    trials = [_trial(n, {"ne": 0.9, "flops": 1, "energy_joules": 5.0}) for n in range(2)]
    assert _history(StudyCourse(OBJECTIVES).tell(trials), "cost/energy_joules") == [(1, 5.0), (2, 10.0)]
    assert not _history(StudyCourse(OBJECTIVES).tell(_search([(0.9, 1)])), "cost/energy_joules")


def test_a_trial_beyond_a_bound_is_neither_best_nor_ranked() -> None:
    course = StudyCourse((Objective("ne"), Objective("flops", bound=6)))
    readings = course.tell(_search([(0.8, 9), (0.9, 5)]))
    assert _history(readings, "best/ne") == [(2, 0.9)]
    assert course.changed_tags(is_complete=True) == {1: {"pareto.rank": "1"}}


def test_the_gain_of_the_winner_is_over_the_control() -> None:
    control = _trial(0, {"ne": 0.8, "flops": 10.0}, stage="baseline")
    readings = StudyCourse(OBJECTIVES).tell([control, *_search([(0.84, 5), (0.76, 20), (0.9, 1)], 1)])
    assert _rounded(readings, "gain/ne") == [(2, -5.0), (3, 5.0)]
    assert _history(readings, "gain/flops") == [(2, 50.0), (3, -100.0)]
    assert _history(readings, "winner/ne") == [(2, 0.84), (3, 0.76)]


def test_the_winner_is_a_full_training() -> None:
    course = StudyCourse(OBJECTIVES)
    course.tell([_trial(0, {"ne": 0.9, "flops": 1.0}), _trial(1, {"ne": 0.1, "flops": 1.0}, rung=-1)])
    assert course.latest["winner/ne"] == 0.9
    assert course.latest["best/ne/rung-1"] == 0.1


def test_a_control_that_ends_late_changes_the_gain_from_then_on() -> None:
    control = _trial(1, {"ne": 0.8, "flops": 10.0}, stage="baseline")
    readings = StudyCourse(OBJECTIVES).tell([*_search([(0.84, 5)]), control])
    assert _rounded(readings, "gain/ne") == [(2, -5.0)]


def test_the_hypervolume_is_measured_in_the_box_of_the_first_trials() -> None:
    corner = [(1.0, 10.0), (2.0, 20.0)]  # the ideal of the box is its first point, the reference its second
    course = StudyCourse(OBJECTIVES)
    before = course.tell(_search([*corner, *[(2.0, 20.0)] * (BOX_TRIALS - 3)]))
    assert _history(before, "front/hypervolume") == []
    readings = course.tell(_search([(2.0, 20.0), (0.5, 15.0), (1.9, 30.0), (0.5, 5.0)], BOX_TRIALS - 1))
    assert _history(readings, "front/reference/ne") == [(BOX_TRIALS, 2.0)]
    assert _history(readings, "front/ideal/flops") == [(BOX_TRIALS, 10.0)]
    assert _history(readings, "front/hypervolume") == [
        (BOX_TRIALS, 1.0),
        (BOX_TRIALS + 1, 1.25),  # (0.5, 15) adds half a box's width by half its height
        (BOX_TRIALS + 3, 2.25),
    ]


def test_an_axis_without_extent_counts_in_its_own_unit() -> None:
    trials = _search([(1.0 + n / 10, 4.0) for n in range(BOX_TRIALS)])
    course = StudyCourse(OBJECTIVES)
    course.tell(trials)
    readings = course.tell(_search([(1.0, 3.5)], BOX_TRIALS))
    assert _rounded(readings, "front/hypervolume") == [(BOX_TRIALS + 1, 0.5)]


@pytest.mark.parametrize("objectives", [(Objective("ne"),), tuple(map(Objective, ("ne", "flops", "auc", "params")))])
def test_one_objective_or_four_have_no_hypervolume(objectives: tuple[Objective, ...]) -> None:
    trials = [_trial(n, {"ne": 1.0, "flops": 2.0, "auc": 0.7, "params": 5.0}) for n in range(BOX_TRIALS + 1)]
    assert _history(StudyCourse(objectives).tell(trials), "front/hypervolume") == []


def test_each_rung_has_a_best_and_ranks_of_its_own() -> None:
    course = StudyCourse(OBJECTIVES)
    trials = [_trial(0, {"ne": 0.9, "flops": 2}), _trial(1, {"ne": 0.8, "flops": 1}, rung=2)]
    readings = course.tell(trials)
    assert (_history(readings, "best/ne"), _history(readings, "best/ne/rung2")) == ([(1, 0.9)], [(2, 0.8)])
    assert {tags["pareto.rank"] for tags in course.changed_tags(is_complete=True).values()} == {"1"}


def _guided(shares: Sequence[int], worsenings: Sequence[float]) -> list[Trial]:
    """A parent, and mutants of it at these places among eleven, which turned out so much worse than it."""
    pairs = enumerate(zip(shares, worsenings, strict=True), 1)
    return [
        _trial(0, {"ne": 0.5, "flops": 1}),
        *(
            _trial(n, {"ne": 0.5 + worse, "flops": 1}, memo={"rank": place + 1, "mutants": 11}, parents=(0,))
            for n, (place, worse) in pairs
        ),
    ]


def test_a_guide_that_orders_its_mutants_rightly_correlates() -> None:
    places = [n % 11 for n in range(33)]
    readings = _history(StudyCourse(OBJECTIVES).tell(_guided(places, places)), "predictor/rank_correlation")
    assert (readings[0][0], round(readings[0][1], 9)) == (FEWEST_GUIDED + 1, 1.0)
    wrong = StudyCourse(OBJECTIVES)
    wrong.tell(_guided(places, [-one for one in places]))
    assert wrong.latest["predictor/rank_correlation"] == pytest.approx(-1.0)


def test_a_guide_whose_first_choice_is_always_taken_cannot_be_judged() -> None:
    worsenings = [n / 100 for n in range(50)]
    for blind in (0, FEWEST_BLIND - 1):
        places = [1] * blind + [0] * (50 - blind)
        assert not _history(StudyCourse(OBJECTIVES).tell(_guided(places, worsenings)), "predictor/rank_correlation")


def test_the_trust_that_a_searcher_tells_is_read_from_its_trials() -> None:
    memos = [{}, {"tau": 0.25, "tau_upper": 0.5}, {"tau": 0.25, "tau_upper": 0.5}, {"tau": 0.5, "tau_upper": 0.625}]
    trials = [_trial(n, {"ne": 0.5, "flops": 1}, memo=memo) for n, memo in enumerate(memos)]
    readings = StudyCourse(OBJECTIVES).tell(trials)
    assert _history(readings, "predictor/cross_validated") == [(2, 0.25), (4, 0.5)]
    assert _history(readings, "predictor/cross_validated_upper") == [(2, 0.5), (4, 0.625)]


def test_readings_of_the_guide_alone_are_those_of_the_course() -> None:
    trials = _guided([n % 11 for n in range(33)], [n % 7 / 10 for n in range(33)])
    of_course = dict(_history(StudyCourse(OBJECTIVES).tell(trials), "predictor/rank_correlation"))
    alone = dict(_history(guide_readings(reversed(trials), OBJECTIVES), "predictor/rank_correlation"))
    assert of_course.items() <= alone.items()
    assert min(of_course) == min(alone)


def test_ranks_are_told_completely_or_only_where_they_press() -> None:
    course = StudyCourse(OBJECTIVES)
    course.tell(_search([(3, 3), (4, 4), (5, 5)]))
    assert course.changed_tags(is_complete=False) == {
        number: {"pareto.rank": str(number + 1)} for number in range(3)
    }  # all are new
    trials = _search([(2, 2)], 3)
    course.tell(trials)
    assert course.changed_tags(is_complete=False) == {0: {"pareto.rank": "2"}, 3: {"pareto.rank": "1"}}
    assert course.changed_tags(is_complete=True) == {1: {"pareto.rank": "3"}, 2: {"pareto.rank": "4"}}
    assert course.changed_tags(is_complete=True) == {}


def test_ranks_told_are_those_of_the_front() -> None:
    trials = [*_search([(n * 7 % 11, n * 5 % 13) for n in range(40)]), _trial(40, None)]
    course = StudyCourse(OBJECTIVES)
    course.tell(trials)
    told = {number: int(tags["pareto.rank"]) for number, tags in course.changed_tags(is_complete=True).items()}
    assert told == pareto_ranks(trials, OBJECTIVES)
    assert 40 not in told
