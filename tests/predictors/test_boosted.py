"""Trees beside another model: they get a share where held-out records speak for them, and none where they do not."""

from __future__ import annotations

import numpy as np

from predictors._boosted import Boosted

RNG = np.random.default_rng(0)
CODES = RNG.random((80, 3))
STEPS = np.where(CODES[:, 0] > 0.5, 1.0, -1.0) * np.where(CODES[:, 1] > 0.5, 1.0, -1.0)
GROUPS = [str(at) for at in range(80)]


def test_trees_take_over_from_a_model_that_knows_nothing() -> None:
    found = Boosted.beside(CODES, STEPS, STEPS, GROUPS, rng=np.random.default_rng(1))
    assert found is not None
    assert found.share > 0.5
    assert np.corrcoef(found.mixed(np.zeros(80), CODES), STEPS)[0, 1] > 0.9


def test_trees_have_no_share_beside_a_model_that_is_right() -> None:
    assert Boosted.beside(CODES, STEPS, np.zeros(80), GROUPS, rng=np.random.default_rng(1)) is None


def test_a_handful_of_records_is_not_shared() -> None:
    assert Boosted.beside(CODES[:10], STEPS[:10], STEPS[:10], GROUPS[:10], rng=np.random.default_rng(1)) is None


def test_replicates_are_held_out_together() -> None:
    # Each label is of its candidate alone: only a tree that has seen the replicate could know it.
    labels, codes = np.repeat(RNG.normal(size=20), 4), np.repeat(RNG.random((20, 3)), 4, axis=0)
    groups = [str(at // 4) for at in range(80)]
    apart = Boosted.beside(codes, labels, labels, [str(at) for at in range(80)], rng=np.random.default_rng(1))
    together = Boosted.beside(codes, labels, labels, groups, rng=np.random.default_rng(1))
    assert apart is not None
    assert apart.share > 2 * (together.share if together else 0.0)
