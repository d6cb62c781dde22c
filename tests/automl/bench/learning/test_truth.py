"""What is known of planted data without training, beside scipy, scikit-learn and sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from automl.bench.learning.truth import Truth


@pytest.fixture
def truth() -> Truth:
    rng = np.random.default_rng(3)
    return Truth(rng.dirichlet(np.ones(6)), rng.normal(size=6))


def test_one_effect_of_either_sign_has_the_entropy_of_its_probability_as_bayes_ne() -> None:
    p = expit(1.5)
    truth = Truth(np.full(2, 0.5), np.array([-1.5, 1.5]))
    assert truth.rate == pytest.approx(0.5)
    assert truth.ne(truth.log_odds) == pytest.approx(-(p * math.log(p) + (1 - p) * math.log(1 - p)) / math.log(2))
    assert truth.auc(truth.log_odds) == pytest.approx(p)


def test_expected_ne_and_auc_are_those_of_weighted_rows(truth: Truth) -> None:
    logits = np.array([0.3, -1.0, 0.3, 2.0, 0.0, -0.5])
    labels, scores = np.repeat([0, 1], 6), np.tile(logits, 2)
    p = expit(truth.log_odds)
    weights = np.concatenate([truth.weights * (1 - p), truth.weights * p])
    rate = truth.weights @ p
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    assert truth.ne(logits) == pytest.approx(log_loss(labels, expit(scores), sample_weight=weights) / entropy)
    assert truth.auc(logits) == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))


def test_nothing_has_less_ne_than_the_truth(truth: Truth) -> None:
    for seed in range(20):
        guess = truth.log_odds + np.random.default_rng(seed).normal(scale=0.1, size=6)
        assert truth.ne(guess) > truth.ne(truth.log_odds)


def test_the_best_sum_of_columns_is_what_an_optimiser_finds(truth: Truth) -> None:
    columns = np.random.default_rng(0).normal(size=(6, 3))
    found = minimize(lambda weights: truth.ne(columns @ weights), np.zeros(3), tol=1e-12)
    assert truth.ne(truth.best_sum(columns)) == pytest.approx(found.fun, abs=1e-9)
    assert truth.best_sum(np.eye(6)) == pytest.approx(truth.log_odds, abs=1e-6)


def test_columns_that_say_the_same_do_no_harm(truth: Truth) -> None:
    columns = np.ones((6, 2))
    assert truth.ne(truth.best_sum(columns)) == pytest.approx(1.0)


def test_states_of_one_group_share_their_rate() -> None:
    truth = Truth(np.array([0.25, 0.25, 0.5]), np.array([-1.0, 1.0, 0.5]))
    assert truth.best_of_groups(np.array([0, 0, 1])) == pytest.approx([0.0, 0.0, 0.5])
