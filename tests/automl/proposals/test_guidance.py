"""A guide that picks mutants, and what is left of it where it orders no better than chance."""

from __future__ import annotations

import numpy as np

from automl.proposals import Guidance, Mutants
from evaluators import Suggestion, Trial
from searchspaces import Candidate, Options
from tests.automl._bitstrings import Bitstrings, finished, loss
from tests.automl.proposals.known_loss import KnownLoss
from tests.automl.searchers._oracle import Oracle

SPACE = Bitstrings()


def record(count: int) -> list[Trial]:
    rng = np.random.default_rng(5)
    return [finished(number, Suggestion(SPACE.sample(rng))) for number in range(count)]


def drawn(guidance: Guidance | None, told: int, *, seed: int = 0) -> tuple[Candidate, Options]:
    mutants = Mutants(SPACE, 30, guidance)
    found = mutants.drawn(record(told)[0], record(told), set(), np.random.default_rng(seed))
    assert found is not None
    return found


def test_a_guide_that_has_lost_trust_leaves_what_would_be_drawn_without_one() -> None:
    for seed in range(5):
        alone, _ = drawn(None, 20, seed=seed)
        mutant, memo = drawn(Guidance(Oracle(-1.0), "ne", exploration=0.5), 20, seed=seed)
        assert mutant == alone
        assert (memo["guided"], memo["tau"]) == (False, -1.0)
        assert memo["predicted"] == -loss(mutant)


def test_a_guide_is_followed_before_it_can_be_judged() -> None:
    mutant, memo = drawn(Guidance(Oracle(-1.0), "ne"), 19)
    assert memo["rank"] == 1
    assert "guided" not in memo
    assert loss(mutant) > loss(record(1)[0].candidate)


def test_a_guide_that_orders_well_is_followed() -> None:
    _, memo = drawn(Guidance(Oracle(), "ne"), 20)
    assert (memo["rank"], memo["guided"], memo["tau"], memo["tau_upper"]) == (1, True, 1.0, 1.0)


def test_the_memo_has_the_prediction_with_its_spread() -> None:
    mutant, memo = drawn(Guidance(KnownLoss(std=0.3), "ne"), 5)
    assert memo["predicted"] == 0.8 + loss(mutant)
    assert memo["spread"] == 0.3


def test_a_guide_that_nobody_watches_is_followed_whatever_it_says() -> None:
    guide = Oracle(-1.0)
    _, memo = drawn(Guidance(guide, "ne", watched=False), 20)
    assert memo["rank"] == 1
    assert "guided" not in memo
    assert guide.fits == 1


def test_what_was_looked_at_when_told_is_not_looked_at_when_asked() -> None:
    guide = Oracle()
    guidance = Guidance(guide, "ne")
    Mutants(SPACE, 30, guidance).told(record(20))
    assert guide.fits == 5
    drawn(guidance, 20)
    assert guide.fits == 6


def test_the_guide_is_cross_validated_once_in_twenty_trials() -> None:
    guide = Oracle()
    guidance, fits = Guidance(guide, "ne"), []
    for told in range(18, 43):
        drawn(guidance, told)
        drawn(guidance, told, seed=1)
        fits.append(guide.fits)
    assert np.diff([0, *fits]).tolist() == [1, 1, 6, *[1] * 19, 6, 1, 1]
