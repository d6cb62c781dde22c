from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl._errors import AutomlError
from automl.front import best, front, hypervolume, searched
from evaluators import Evaluation, Fidelity, Goal, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate

NE = Objective("ne")
FLOPS = Objective("flops")
AUC = Objective("auc")


def trial(number: int, metrics: Mapping[str, float], state: TrialState = TrialState.COMPLETE) -> Trial:
    evaluation = Evaluation({name: Metric(value) for name, value in metrics.items()})
    return Trial(number, "search", Suggestion(Candidate()), state, evaluation)


def numbers(trials: list[Trial]) -> list[int]:
    return [one.number for one in trials]


def test_the_front_holds_what_no_trial_beats_best_first_objective_first() -> None:
    points = [(0.9, 1.0), (0.8, 3.0), (0.85, 2.0), (0.86, 2.5), (0.95, 0.5)]
    trials = [trial(number, {"ne": ne, "flops": flops}) for number, (ne, flops) in enumerate(points)]
    assert numbers(front(trials, [NE, FLOPS])) == [1, 2, 0, 4]


def test_cheap_rungs_and_other_stages_do_not_compare_with_full_trainings() -> None:
    full = trial(0, {"ne": 0.9})
    cheap = replace(trial(1, {"ne": 0.1}), suggestion=Suggestion(Candidate(), Fidelity(-1)))
    audited = replace(trial(2, {"ne": 0.1}), stage="audit")
    assert searched([full, cheap, audited]) == [full]


def test_equal_points_leave_the_lowest_number() -> None:
    trials = [trial(number, {"ne": 0.9, "flops": 1.0}) for number in (5, 2, 9)]
    assert numbers(front(trials, [NE, FLOPS])) == [2]


def test_a_larger_auc_is_better() -> None:
    trials = [trial(0, {"auc": 0.7, "flops": 2.0}), trial(1, {"auc": 0.8, "flops": 2.0})]
    assert numbers(front(trials, [AUC, FLOPS])) == [1]


def test_trials_that_break_a_bound_are_left_out() -> None:
    trials = [trial(0, {"ne": 0.7, "flops": 9.0}), trial(1, {"ne": 0.9, "flops": 2.0})]
    assert numbers(front(trials, [NE, Objective("flops", bound=5.0)])) == [1]


def test_unfinished_failed_pruned_and_partly_measured_trials_are_left_out() -> None:
    states = [TrialState.RUNNING, TrialState.FAIL, TrialState.PRUNED]
    trials = [trial(number, {"ne": 0.1, "flops": 1.0}, state) for number, state in enumerate(states)]
    trials += [trial(3, {"ne": 0.1}), trial(4, {"ne": 0.9, "flops": 1.0})]
    assert numbers(front(trials, [NE, FLOPS])) == [4]


def test_one_objective_gives_its_best_trial() -> None:
    trials = [trial(0, {"ne": 0.9}), trial(1, {"ne": 0.8}), trial(2, {"ne": 0.8})]
    assert numbers(front(trials, [NE])) == [1]


def test_no_trials_give_an_empty_front() -> None:
    assert front([], [NE]) == []


def test_a_front_without_objectives_is_refused() -> None:
    with pytest.raises(AutomlError, match="a front needs at least one objective, but got none"):
        front([], [])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_front_agrees_with_the_definition_of_dominance(count: int) -> None:
    metrics = ["ne", "flops", "params", "logloss"][:count]
    points = np.random.default_rng(count).integers(0, 6, size=(120, count)).astype(float)
    trials = [trial(n, dict(zip(metrics, map(float, point), strict=True))) for n, point in enumerate(points)]
    beaten = [((points <= point).all(axis=1) & (points < point).any(axis=1)).any() for point in points]
    repeats = [any((points[:n] == point).all(axis=1)) for n, point in enumerate(points)]
    expected = {n for n in range(len(points)) if not beaten[n] and not repeats[n]}
    assert set(numbers(front(trials, [Objective(metric) for metric in metrics]))) == expected


def test_best_follows_the_goal_and_the_bound() -> None:
    trials = [trial(0, {"auc": 0.7}), trial(1, {"auc": 0.9}), trial(2, {"auc": 0.8}), trial(3, {"auc": 0.8})]
    chosen = best(trials, AUC)
    assert chosen is not None
    assert chosen.number == 1
    assert best(trials, Objective("auc", bound=0.95)) is None
    assert best(trials, Objective("auc", Goal.MINIMIZE, bound=0.75)) == trials[0]


def test_best_of_nothing_is_none() -> None:
    assert best([trial(0, {"auc": 0.7})], NE) is None


def test_hypervolume_of_a_staircase_is_the_sum_of_its_boxes() -> None:
    assert hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4]) == pytest.approx(3 * 1 + 2 * 1 + 1 * 1)


def test_hypervolume_of_one_box_in_three_dimensions() -> None:
    assert hypervolume([[1, 2, 3]], [4, 4, 4]) == pytest.approx(3 * 2 * 1)


def test_hypervolume_of_two_overlapping_boxes_in_three_dimensions() -> None:
    assert hypervolume([[0, 0, 1], [1, 1, 0]], [2, 2, 2]) == pytest.approx(4 + 2 - 1)


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=8))
def test_hypervolume_counts_the_dominated_cells_of_a_grid(points: list[tuple[int, int, int]]) -> None:
    cells = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    covered = np.zeros(len(cells), dtype=bool)
    for point in points:
        covered |= (cells >= np.array(point)).all(axis=1)
    assert hypervolume(points, [5, 5, 5]) == pytest.approx(covered.sum())


def test_hypervolume_ignores_points_beyond_the_reference() -> None:
    assert hypervolume([[1, 1], [5, 0]], [2, 2]) == 1.0
    assert hypervolume([], [2, 2]) == 0.0
    assert hypervolume([[2.0]], [5.0]) == 3.0


def test_hypervolume_refuses_points_of_another_width() -> None:
    with pytest.raises(AutomlError, match=r"points have shape \(1, 3\) and the reference has \(2,\)"):
        hypervolume([[1, 2, 3]], [4, 4])
