from __future__ import annotations

import numpy as np

from automl.methods._reading_out import POPULATION, drawn, evolved, learned
from automl.proposals import Policy
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings

SPACE = Bitstrings(12)


def test_the_likeliest_candidate_comes_first_and_none_twice() -> None:
    policy = Policy.uniform(SPACE.decisions())
    policy = policy.moved(np.random.default_rng(3).standard_normal(len(policy.logits)))
    found = list(drawn(policy, SPACE, 20, np.random.default_rng(1)))
    assert found[0].fingerprint == SPACE.to_candidate(policy.likeliest()).fingerprint
    assert len({one.fingerprint for one in found}) == len(found) == 20


def test_a_policy_that_is_sure_gives_what_it_has() -> None:
    policy = Policy.uniform(SPACE.decisions())
    policy = policy.moved(np.tile([60.0, 0.0], len(policy.decisions)))
    assert len(list(drawn(policy, SPACE, 5, np.random.default_rng(1)))) == 1


def test_evolution_finds_better_ones_than_draws_do() -> None:
    def worth(candidate: Candidate) -> float:
        return float(np.sum(SPACE.encode(candidate)))

    policy, rng = Policy.uniform(SPACE.decisions()), np.random.default_rng(1)
    found = list(evolved(policy, SPACE, 120, worth, rng))
    assert len({one.fingerprint for one in found}) == 120
    assert max(map(worth, found[POPULATION:])) > max(map(worth, drawn(policy, SPACE, 120, np.random.default_rng(1))))


def test_a_policy_over_scores_draws_ever_better_ones_though_some_cannot_be_scored() -> None:
    def worth(candidate: Candidate) -> float:
        found = float(np.sum(SPACE.encode(candidate)))
        return found if found > 4 else -np.inf

    policy, gained = Policy.uniform(SPACE.decisions()), []
    for seed in range(5):
        found = list(learned(policy, SPACE, 80, worth, np.random.default_rng(seed)))
        assert len({one.fingerprint for one in found}) == len(found) == 80
        ones = [float(np.sum(SPACE.encode(one))) for one in found]
        gained.append(np.mean(ones[-20:]) - np.mean(ones[:20]))
    assert np.mean(gained) > 1.0
    assert not policy.logits.any()
