"""Draws against their probabilities, the gradient against differences, expected multiply-adds against enumeration."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from automl.methods._forks import Graphs, Prices
from automl.methods._relaxation import SUREST, Draw, Relaxed, Target, Vector, expected_loss, mixed_loss, slices
from automl.proposals import Policy
from searchspaces import OperatorChoice
from tests.automl.methods.dnas_parts import SCHEMA, SPACE, everything

DECISIONS = (OperatorChoice("one", ("a", "b")), OperatorChoice("two", ("c", "d", "e")))
RNG = np.random.default_rng(4)
LOGITS, OUTPUTS = RNG.normal(size=5), 2.0 * RNG.normal(size=(3, 40))
LABELS, MACS = (RNG.random(40) < 0.4).astype(float), np.array([100.0, 900.0, 400.0])


def relaxed_at(logits: Vector, *, temperature: float = 0.7) -> Relaxed:
    draw = Draw(DECISIONS, logits + NOISE, (0, int((logits + NOISE)[2:].argmax())))
    return draw.relaxed(1, temperature=temperature)


NOISE = RNG.gumbel(size=5)
Loss = Callable[[Relaxed, Vector, Vector, Vector, Target], tuple[float, Vector]]


@pytest.mark.parametrize("loss_of", [mixed_loss, expected_loss])
@pytest.mark.parametrize("target", [50.0, 600.0, 2000.0])
def test_the_gradient_is_that_of_finite_differences(target: float, loss_of: Loss) -> None:
    def loss(logits: Vector) -> float:
        return loss_of(relaxed_at(logits), OUTPUTS, LABELS, MACS, Target(target, 0.3))[0]

    gradient = loss_of(relaxed_at(LOGITS), OUTPUTS, LABELS, MACS, Target(target, 0.3))[1]
    step = 1e-6
    differences = [(loss(LOGITS + step * one) - loss(LOGITS - step * one)) / (2 * step) for one in np.eye(5)]
    np.testing.assert_allclose(differences, [0.0, 0.0, *gradient], atol=1e-8)


def test_a_mixture_has_the_loss_of_its_mixed_logits_and_the_expected_distance() -> None:
    shares = softmax((LOGITS + NOISE)[2:] / 0.7)
    clicks = 1.0 / (1.0 + np.exp(-shares @ OUTPUTS))
    loss, _ = mixed_loss(relaxed_at(LOGITS), OUTPUTS, LABELS, MACS, Target(300.0, 0.3))
    assert loss == pytest.approx(log_loss(LABELS, clicks) + 0.3 * shares @ abs(MACS / 300.0 - 1.0))


def test_at_the_end_each_choice_has_its_own_loss() -> None:
    shares = softmax((LOGITS + NOISE)[2:] / 0.7)
    losses = [log_loss(LABELS, 1.0 / (1.0 + np.exp(-own))) for own in OUTPUTS]
    loss, _ = expected_loss(relaxed_at(LOGITS), OUTPUTS, LABELS, MACS, Target(300.0, 0.3))
    assert loss == pytest.approx(shares @ (losses + 0.3 * abs(MACS / 300.0 - 1.0)))


def test_logits_beyond_all_sense_have_a_bounded_gradient() -> None:
    wild = OUTPUTS * np.array([[1.0], [1e6], [1.0]])
    for loss_of in (mixed_loss, expected_loss):
        loss, gradient = loss_of(relaxed_at(LOGITS), wild, LABELS, MACS, Target(300.0, 0.0))
        assert loss < SUREST + 1.0
        assert np.linalg.norm(gradient) < SUREST


def test_choices_that_say_and_cost_the_same_get_no_gradient() -> None:
    outputs, macs = np.tile(OUTPUTS[:1], (3, 1)), np.full(3, 500.0)
    gradient = mixed_loss(relaxed_at(LOGITS), outputs, LABELS, macs, Target(300.0, 0.3))[1]
    np.testing.assert_allclose(gradient, 0.0, atol=1e-15)


def test_a_lower_temperature_leaves_less_to_what_was_not_drawn() -> None:
    shares = [relaxed_at(LOGITS, temperature=one).shares.max() for one in (5.0, 1.0, 0.02)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.999


def test_draws_follow_the_probabilities_of_the_policy() -> None:
    policy = Policy(DECISIONS, LOGITS)
    rng = np.random.default_rng(1)
    places = np.array([Draw.of(policy, rng).places for _ in range(4000)])
    shares = np.bincount(places[:, 1], minlength=3) / 4000
    np.testing.assert_allclose(shares, softmax(LOGITS[2:]), atol=3 * math.sqrt(0.25 / 4000))


def test_multiply_adds_of_forks_are_in_the_mean_those_of_all_candidates() -> None:
    """E[macs] over a decision with the others drawn, averaged over what the others can be, is E[macs] over all."""
    rng, prices, graphs = np.random.default_rng(2), Prices(SCHEMA), Graphs(SPACE)
    policy = Policy(SPACE.decisions(), rng.normal(size=sum(len(one.choices) for one in SPACE.decisions())))
    own = slices(policy.decisions)
    forked, plain = 0.0, 0.0
    for one in everything():
        places = [decision.choices.index(one[decision.slot]) for decision in policy.decisions]
        chance = math.prod(policy.probabilities[where][at] for where, at in zip(own, places, strict=True))
        macs = [float(prices.of(way).macs) for way in graphs.fork(one, 2).architectures]
        forked += chance * float(policy.probabilities[own[2]] @ macs)
        plain += chance * prices.of(graphs.of(one)).macs
    assert forked == pytest.approx(plain)
    assert policy.decisions[2].slot == "second.operator"
    assert "second.operator" in graphs.counting(everything()[0])
