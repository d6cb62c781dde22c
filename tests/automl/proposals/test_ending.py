from __future__ import annotations

from typing import Any

import pytest

from automl.proposals import Ending
from evaluators import Evaluation, Metric, Suggestion, Trial
from evaluators._evaluation import Point
from searchspaces import Candidate, Options
from tests.automl._bitstrings import finished


def trials(count: int, *, stage: str = "search") -> list[Trial]:
    """Each takes two seconds and a thousand rows."""
    outcome = Evaluation({"ne": Metric(0.9)}, (Point(1000, {}),), seconds=2.0)
    return [finished(at, Suggestion(Candidate(training=Options(at=at))), outcome, stage=stage) for at in range(count)]


@pytest.mark.parametrize("budget", [{"trials": 20}, {"seconds": 40.0}, {"rows": 20_000}])
def test_the_last_share_begins_with_the_same_trial_whatever_the_budget_is_in(budget: dict[str, Any]) -> None:
    ending = Ending(0.2, **budget)
    ending.tell(trials(15))
    assert not ending.has_begun(0)
    assert ending.has_begun(1)
    assert ending.length() == 4
    ending.tell(trials(5))
    assert not ending.has_begun(0)  # the budget is spent: what a person asks for beyond it is as before


def test_the_limit_that_is_reached_first_counts() -> None:
    ending = Ending(0.2, trials=1_000_000, seconds=40.0)
    ending.tell(trials(16))
    assert ending.has_begun(0)
    assert ending.length() == 4


def test_without_a_limit_there_is_no_end() -> None:
    ending = Ending(0.2)
    ending.tell(trials(16))
    assert not ending.has_begun(0)
    assert ending.length() == 0


def test_baselines_use_nothing() -> None:
    ending = Ending(0.2, trials=20)
    ending.tell(trials(18, stage="baseline"))
    assert not ending.has_begun(0)
