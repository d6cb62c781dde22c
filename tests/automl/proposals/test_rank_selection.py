from __future__ import annotations

import numpy as np
import pytest

from automl.proposals import rank_probabilities, select_parent
from evaluators import Objective, Suggestion
from tests.automl._bitstrings import Bitstrings, finished, loss

NE = Objective("ne")


def test_the_published_parent_probabilities_come_out() -> None:
    first = rank_probabilities(20, 10)[:6]
    np.testing.assert_allclose(first, [0.3667, 0.2402, 0.1544, 0.0972, 0.0598, 0.0359], atol=5e-5)


@pytest.mark.parametrize(("population", "selection_size"), [(20, 10), (1, 10), (7, 1), (100, 30)])
def test_probabilities_sum_to_one_and_fall_with_the_rank(population: int, selection_size: int) -> None:
    probabilities = rank_probabilities(population, selection_size)
    assert probabilities.shape == (population,)
    assert probabilities.sum() == pytest.approx(1)
    assert (np.diff(probabilities) < 0).all()


def test_the_best_five_of_twenty_take_nine_tenths() -> None:
    assert rank_probabilities(20, 10)[:5].sum() == pytest.approx(0.918, abs=5e-4)


def test_parents_are_drawn_as_often_as_their_rank_says() -> None:
    rng = np.random.default_rng(0)
    trials = [finished(number, Suggestion(Bitstrings().sample(rng))) for number in range(5)]
    by_loss = sorted(trials, key=lambda trial: loss(trial.candidate))
    drawn = [select_parent(trials, NE, 10, rng).number for _ in range(4000)]
    shares = [drawn.count(trial.number) / len(drawn) for trial in by_loss]
    np.testing.assert_allclose(shares, rank_probabilities(5, 10), atol=0.03)
