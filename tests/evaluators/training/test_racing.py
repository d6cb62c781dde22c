"""Racing by simulation: who is stopped, how often wrongly, and the quantiles against tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from evaluators import EvaluatorError
from evaluators._training.racing import Race, RacingRule, Spending, losers, student_bound
from tests.evaluators.training.labels.made_up import Matrix, ar1

CHUNKS = 100
RULE = RacingRule()


def _losses(rng: np.random.Generator, gaps: Matrix, correlation: float = 0.0) -> Matrix:
    """What makes chunks hard is shared and large; noise of a member has unit variance, [members, chunks]."""
    return gaps + 5.0 * rng.normal(size=CHUNKS) + ar1(rng, (len(gaps), CHUNKS), correlation)


def _raced(losses: Matrix, flops: Sequence[float], *, rule: RacingRule = RULE, control: int = -1) -> dict[int, float]:
    """Stopped members with the share of rows at which they were."""
    race, stopped = Race(tuple(flops), control % len(flops), rule), {}
    for chunks in range(1, CHUNKS + 1):
        seen = np.where(race.running[:, None], losses[:, :chunks], np.nan)
        stopped.update(dict.fromkeys(race.look(seen, chunks / CHUNKS), chunks / CHUNKS))
    return stopped


@pytest.mark.parametrize("spending", list(Spending))
@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_the_best_is_stopped_in_at_most_alpha_of_races(gap: float, correlation: float, spending: Spending) -> None:
    rng, rule, races, lost = np.random.default_rng(11), RacingRule(spending=spending), 120, 0
    gaps = np.array([[0.0]] + [[gap]] * 6)
    for _ in range(races):
        lost += 0 in _raced(_losses(rng, gaps, correlation), [1.0] * 7, rule=rule)
    assert lost <= races * rule.alpha


def _lost_overtakers(confidence: float) -> int:
    """Of 100 races, those that stop a member that is behind for 78 % of the rows, and best at the end."""
    rng, rule, share = np.random.default_rng(12), RacingRule(trend_confidence=confidence), np.arange(1, 101) / CHUNKS
    gaps = np.stack([-0.5 - 2.0 * np.log(share), np.zeros(CHUNKS)])
    return sum(0 in _raced(_losses(rng, gaps), [1.0, 1.0], rule=rule) for _ in range(100))


def test_a_member_that_is_behind_and_overtakes_is_mostly_kept_by_the_bound_on_the_end() -> None:
    assert _lost_overtakers(0.9) <= 15
    assert _lost_overtakers(0.5) >= 40


def test_a_clearly_worse_member_is_stopped_at_the_first_looks() -> None:
    rng = np.random.default_rng(13)
    gaps = np.array([[0.0], [3.0], [0.0]])
    shares = [_raced(_losses(rng, gaps), [1.0] * 3).get(1, 1.0) for _ in range(50)]
    assert np.mean(shares) <= 0.4
    assert max(shares) < 1.0


def test_a_cheap_member_is_not_stopped_by_a_better_one_that_costs_more() -> None:
    losses = _losses(np.random.default_rng(14), np.array([[5.0], [0.0], [9.0]]))
    assert _raced(losses, [1.0, 2.0, 2.0]) == {}
    assert list(_raced(losses, [2.0, 1.0, 2.0])) == [0]


def test_the_control_is_never_stopped() -> None:
    losses = _losses(np.random.default_rng(15), np.array([[9.0], [0.0], [9.0]]))
    assert list(_raced(losses, [1.0] * 3, control=0)) == [2]


def test_the_control_stops_others() -> None:
    losses = _losses(np.random.default_rng(16), np.array([[0.0], [9.0]]))
    assert list(_raced(losses, [1.0] * 2, control=0)) == [1]


def test_chunks_of_the_transient_do_not_count() -> None:
    losses = _losses(np.random.default_rng(17), np.zeros((2, CHUNKS)))
    losses[0, :15] += 1e6
    assert _raced(losses, [1.0, 1.0]) == {}


def test_nobody_is_stopped_before_the_first_look_or_on_few_chunks() -> None:
    losses = np.array([[9.0], [0.0]]) + 0.01 * np.random.default_rng(18).normal(size=(2, 40))
    running = np.ones(2, np.bool_)
    assert losers(losses, [1.0, 1.0], 1, running, 0.29, RULE) == ()
    assert losers(losses[:, :10], [1.0, 1.0], 1, running, 0.3, RULE) == ()
    assert losers(losses, [1.0, 1.0], 1, running, 0.3, RULE) == (0,)


def test_each_planned_look_is_taken_once() -> None:
    race = Race((1.0, 1.0), 1, RacingRule(looks=(0.3, 0.6)))
    taken = []
    for share in (0.2, 0.3, 0.35, 0.59, 0.6, 0.9):
        taken.append(race.is_due(share))
        race.look(np.zeros((2, 40)), share)
    assert taken == [False, True, False, False, True, False]


def test_a_member_that_failed_is_compared_with_nobody() -> None:
    race = Race((1.0, 1.0, 1.0), 2)
    losses = _losses(np.random.default_rng(19), np.array([[9.0], [9.0], [0.0]]))[:, :50]
    losses[0] = np.inf
    race.drop(0)
    assert race.look(losses, 0.5) == (1,)
    assert race.running.tolist() == [False, False, True]


@pytest.mark.parametrize("spending", list(Spending))
def test_all_looks_together_spend_alpha(spending: Spending) -> None:
    rule = RacingRule(spending=spending)
    assert sum(rule.level(look) for look in range(5)) == pytest.approx(0.05)
    assert min(rule.level(look) for look in range(5)) > 0.0


def test_the_spending_is_that_of_lan_and_demets() -> None:
    # alpha 0.05 at half of the rows: 0.05 log(1 + 0.5 (e - 1)) and 2 - 2 Phi(1.95996 / sqrt(0.5)), by hand
    pocock = RacingRule(looks=(0.45, 0.9), transient=0.0)
    fleming = RacingRule(looks=(0.45, 0.9), transient=0.0, spending=Spending.OBRIEN_FLEMING)
    assert pocock.level(0) == pytest.approx(0.03101, abs=1e-5)
    assert fleming.level(0) == pytest.approx(0.005575, abs=1e-5)


@pytest.mark.parametrize(
    ("level", "freedom", "table"),
    [(0.1, 4, 1.533), (0.05, 8, 1.860), (0.025, 10, 2.228), (0.001, 9, 4.297), (0.005, 19, 2.861)],
)
def test_student_bounds_are_those_of_tables(level: float, freedom: int, table: float) -> None:
    assert student_bound(level, freedom) == pytest.approx(table, rel=0.01)


def test_looks_that_do_not_grow_are_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"looks must grow from the transient to below 1, .* are \[0.5, 0.3\]"):
        RacingRule(looks=(0.5, 0.3))
    with pytest.raises(EvaluatorError, match=r"but the transient is 0.4 and the looks are \[0.3\]"):
        RacingRule(looks=(0.3,), transient=0.4)


def test_an_alpha_out_of_range_is_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"racing needs alpha in \(0, 0.5\], .* but has 0.0, 0.9 and 20"):
        RacingRule(alpha=0.0)


def test_other_members_and_losses_that_are_not_finite_are_refused() -> None:
    running = np.ones(2, np.bool_)
    with pytest.raises(EvaluatorError, match=r"of the same members, but they are \[3, 9\], 2 and 2"):
        losers(np.zeros((3, 9)), [1.0, 1.0], 0, running, 0.5, RULE)
    with pytest.raises(EvaluatorError, match="finite losses, but member 1 has one that is not"):
        losers(np.array([[0.0], [np.nan]]), [1.0, 1.0], 0, running, 0.5, RULE)
