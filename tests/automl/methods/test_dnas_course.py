"""Steps of a search on a supernet that answers from a table: what is liked becomes likely, unless it costs too much."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from automl.methods._dnas_course import CLIP, DnasCourse, LogitSettings, clipped
from automl.methods._even_draws import EvenDraws
from automl.methods._forks import Prices
from automl.methods._relaxation import Target
from automl.methods._turns import Turns
from evaluators import Sampler, Sampling
from searchspaces import Architecture
from tests.automl.methods.dnas_parts import SCHEMA, SPACE, Told

TURNS = Turns(120, weights_first=0.0, weight_slice=1, logit_slice=1)


def course(
    liked: str = "linear", *, macs: float = 1000.0, weight: float = 0.0, floor: float | None = None, seed: int = 1
) -> DnasCourse:
    how = LogitSettings(Target(macs, weight), 0.2, forks=2, floor=floor)
    return DnasCourse(Told(liked), SPACE, Prices(SCHEMA), TURNS, how, seed=seed)


def ended(one: DnasCourse) -> DnasCourse:
    while one.step < one.turns.steps:
        one.advance()
    return one


def likeliest(one: DnasCourse) -> list[object]:
    found = one.policy.likeliest()
    return [found["first.operator"], found["second.operator"]]


@pytest.mark.parametrize("liked", ["linear", "cross", "layer_norm"])
def test_what_the_labels_like_becomes_likely(liked: str) -> None:
    assert likeliest(ended(course(liked))) == [liked, liked]


def test_a_price_keeps_the_likeliest_candidate_at_its_target() -> None:
    one = course("linear", macs=600.0, weight=50.0)  # one linear layer and the logit have 24 * 24 + 24
    assert one.macs_of(ended(one).policy.likeliest()) == 600


def test_without_any_preference_the_decay_keeps_choices_equal() -> None:
    one = ended(course("nothing"))
    np.testing.assert_allclose(one.policy.logits, 0.0, atol=1e-8)


def test_steps_follow_from_the_seed() -> None:
    one, same, other = ended(course()), ended(course()), ended(course(seed=2))
    assert np.array_equal(one.policy.logits, same.policy.logits)
    assert not np.array_equal(one.policy.logits, other.policy.logits)


def test_rows_count_once_for_each_model() -> None:
    one = course()
    one.turns = Turns(2, weights_first=0.0, weight_slice=1, logit_slice=1)
    asked, trained = one.advance(), one.advance()
    assert trained == 4
    assert asked % 4 == 0
    assert asked // 4 > 2


def test_weights_are_trained_evenly_while_they_are_guarded() -> None:
    one = course("linear", floor=0.9)
    while one.turns.is_guarded(one.step):
        one.advance()
    assert one.record.even == sum(not TURNS.is_on_logits(step) for step in range(one.step))
    ended(one)
    assert one.record.even < one.net.steps


def test_a_fair_sampling_has_each_operator_equally_often_until_the_policy_decides() -> None:
    even = EvenDraws(SPACE, Sampling.FAIR, 3)
    net = Recording("linear")
    how = LogitSettings(Target(1000.0, 0.0), 0.2, floor=0.9)
    one = DnasCourse(net, SPACE, Prices(SCHEMA), TURNS, how, seed=1, even=even)
    while one.turns.is_guarded(one.step):
        one.advance()
    assert net.trained == [even.at(number) for number in range(len(net.trained))]
    firsts = Counter(each.nodes[1].block for each in net.trained if len(each.nodes) == 4)
    assert len(net.trained) % 4 == 0
    assert one.record.even == len(net.trained)
    assert all(firsts[block] >= 3 for block in ("layer_norm", "linear", "cross"))


@pytest.mark.parametrize("sampling", Sampling)
def test_even_draws_are_those_of_a_step_of_the_evaluator_in_turn(sampling: Sampling) -> None:
    even, sampler = EvenDraws(SPACE, sampling, 3), Sampler(SPACE, sampling)
    found = [even.at(number) for number in range(2 * sampler.per_step)]
    assert found == [one for round_ in (0, 1) for one in sampler.draw(np.random.default_rng([3, round_, 5]))]
    assert EvenDraws(SPACE, sampling, 3).at(1) == found[1]


def test_the_guard_acts_on_a_taste_for_the_identity_and_says_when() -> None:
    one = course(floor=0.9)
    one.net = Bare("")
    ended(one)
    assert one.record.acts > 0
    assert one.record.first is not None
    assert one.record.last is not None
    assert one.record.first <= one.record.last < round(0.4 * 120)


def test_a_gradient_beyond_the_usual_is_cut() -> None:
    np.testing.assert_allclose(np.linalg.norm(clipped(np.array([3.0, 4.0]))), CLIP)
    assert clipped(np.array([0.01, 0.02])).tolist() == [0.01, 0.02]


class Recording(Told):
    """Remembers what it was trained on."""

    def __init__(self, liked: str) -> None:
        super().__init__(liked)
        self.trained: list[Architecture] = []

    def train(self, architecture: Architecture) -> int:
        self.trained.append(architecture)
        return super().train(architecture)


class Bare(Told):
    """Whose answers are the better the fewer blocks there are."""

    def logit_of(self, architecture: Architecture) -> float:
        return -float(len(architecture.nodes))
