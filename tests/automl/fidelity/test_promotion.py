from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pytest

from automl.fidelity import PROMOTIONS, Promotion, promotable, ranked
from automl.front import losses_of, pareto_ranks
from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Objective, Trial
from tests.automl.fidelity.ladders import NE, at_rung, failed

RUNGS = (Fidelity(-2), Fidelity(-1), Fidelity())
ASHA, HALVING = (Promotion(name, reduction=2) for name in ("asha", "successive_halving"))
every_promotion = pytest.mark.parametrize("promotion", [ASHA, HALVING], ids=["asha", "halving"])


def _climbing(
    trials: Sequence[Trial], promotion: Promotion, *, pending: Collection[tuple[str, int, int]] = ()
) -> list[tuple[int, int]]:
    """(name, next rung) of what may climb."""
    begun = {trial.suggestion.identity for trial in trials} | set(pending)
    found = promotable(trials, RUNGS, begun, promotion=promotion, objectives=[NE])
    return [(int(str(one.candidate.training["name"])), one.fidelity.rung) for one in found]


def test_asha_promotes_as_soon_as_a_candidate_is_among_the_best() -> None:
    trials = [at_rung(0, 0.9, -2), at_rung(1, 0.8, -2), at_rung(2, 0.7, -2)]
    assert _climbing(trials[:1], ASHA) == []
    assert _climbing(trials[:2], ASHA) == [(1, -1)]
    assert _climbing(trials, ASHA) == [(2, -1)]


def test_asha_promotes_near_full_training_first() -> None:
    trials = [at_rung(at, 0.9 - 0.01 * at, -2) for at in range(6)]
    trials += [at_rung(6, 0.5, -1, name=5), at_rung(7, 0.6, -1, name=4)]
    assert _climbing(trials, ASHA) == [(5, 0), (3, -1)]


def test_asha_matches_a_table_by_hand_with_reduction_3() -> None:
    # 7 finished: the best 7 // 3 = 2 of them climb
    trials = [at_rung(at, ne, -2) for at, ne in enumerate((0.7, 0.3, 0.6, 0.2, 0.9, 0.8, 0.5))]
    assert _climbing(trials, Promotion("asha", 3)) == [(3, -1), (1, -1)]


def test_successive_halving_waits_for_the_whole_bracket() -> None:
    trials = [at_rung(at, 0.9 - 0.1 * at, -2) for at in range(4)]
    assert _climbing(trials[:3], HALVING) == []
    assert _climbing(trials, HALVING) == [(3, -1), (2, -1)]


def test_successive_halving_keeps_brackets_apart() -> None:
    first = [at_rung(at, 0.9 - 0.1 * at, -2) for at in range(4)]
    better = [at_rung(4 + at, 0.4 - 0.1 * at, -2) for at in range(3)]  # a bracket that is not whole yet
    assert _climbing([*first, *better], HALVING) == [(3, -1), (2, -1)]
    middle = [at_rung(7, 0.5, -1, name=2), at_rung(8, 0.4, -1, name=3)]
    assert _climbing([*first, *better, *middle], HALVING) == [(3, 0)]


def test_brackets_are_made_in_the_order_in_which_trials_end() -> None:
    late = at_rung(0, 0.1, -2)
    trials = [at_rung(at, 0.9 - 0.1 * at, -2) for at in range(1, 5)]
    assert _climbing([*trials, late], HALVING) == [(4, -1), (3, -1)]


@every_promotion
def test_what_is_pending_at_the_next_rung_does_not_climb_twice(promotion: Promotion) -> None:
    trials = [at_rung(at, 0.9 - 0.1 * at, -2) for at in range(4)]
    pending = at_rung(9, 0.0, -1, name=3).suggestion.identity
    assert _climbing(trials, promotion, pending=[pending]) == [(2, -1)]


@every_promotion
def test_failed_trials_count_as_tried_and_never_climb(promotion: Promotion) -> None:
    failure = Failure(FailureKind.DIVERGED, "the loss is not finite")
    trials = [at_rung(0, 0.9, -2), *(failed(at_rung(at, 0.0, -2), failure) for at in (1, 2, 3))]
    assert _climbing(trials, promotion) == [(0, -1)]


def test_what_climbs_keeps_origin_parents_and_memo() -> None:
    trials = [at_rung(at, 0.9 - 0.1 * at, -2) for at in range(2)]
    trials = [replace(one, suggestion=replace(one.suggestion, origin="mutation", parents=(7,))) for one in trials]
    [one] = promotable(trials, RUNGS, (), promotion=ASHA, objectives=[NE])
    assert (one.origin, one.parents) == ("mutation", (7,))


def test_the_best_are_those_that_fewest_beat_in_all_objectives() -> None:
    trials = [
        at_rung(0, 0.9, -1, flops=1.0),
        at_rung(1, 0.8, -1, flops=3.0),
        at_rung(2, 0.85, -1, flops=3.0),  # beaten by the one before
    ]
    assert [one.number for one in ranked(trials, [NE, Objective("flops")])] == [1, 0, 2]


@pytest.mark.parametrize("metrics", [("ne",), ("ne", "flops"), ("ne", "flops", "params")])
def test_the_order_is_that_of_pareto_ranks_then_of_losses(metrics: tuple[str, ...]) -> None:
    objectives = [Objective(metric) for metric in metrics]
    values = np.random.default_rng(1).random((60, 3))
    trials = [
        replace(
            at_rung(at, 0.0),
            evaluation=Evaluation(
                {name: Metric(value) for name, value in zip(("ne", "flops", "params"), row, strict=True)}
            ),
        )
        for at, row in enumerate(values)
    ]
    ranks = pareto_ranks(trials, objectives)
    expected = sorted(trials, key=lambda one: (ranks[one.number], *losses_of(one, objectives)))
    assert ranked(trials, objectives) == expected


def test_the_first_full_training_ends_after_every_lower_rung_has_had_its_share() -> None:
    assert [Promotion(reduction=3).first_full(rungs) for rungs in (1, 2, 3)] == [1, 4, 13]


def test_every_promotion_has_a_name_in_a_configuration() -> None:
    assert set(PROMOTIONS) == {"asha", "successive_halving"}
