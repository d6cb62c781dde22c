"""Batches that a pair takes: against the closed form, against each other, and where there is no right order."""

from __future__ import annotations

import numpy as np
import pytest

from automl.bench.order.benchmark import compared
from automl.bench.order.ordering import (
    PAIRED,
    RELATIVE,
    WITH,
    WITHOUT,
    Records,
    Resamples,
    batches_needed,
    orders,
    validation_gap,
)

BATCHES = 250
FEW = 200
"""Resamples."""


def planted(*, gap: float, hardness: float = 0.05, own: float = 0.01, models: int = 2, seed: int = 1) -> Records:
    """The first of each pair is better by `gap`; each batch is hard or easy for all, and has something for each."""
    rng = np.random.default_rng(seed)
    shift = hardness * rng.standard_normal(BATCHES)
    means = 0.6 + gap * (np.arange(models) % 2)
    batches = means[:, None] + shift + own * rng.standard_normal((models, BATCHES))
    valid = means[:, None] + 0.001 * rng.standard_normal((models, 100))
    return Records(batches, 0.6 + shift + own * rng.standard_normal(BATCHES), valid)


def drawn(seed: int = 3) -> Resamples:
    return Resamples.drawn(BATCHES, FEW, np.random.default_rng(seed))


def test_a_baseline_takes_out_what_is_hard_for_all_and_the_same_batch_takes_out_more() -> None:
    found = orders(planted(gap=0.01), 0, 1, 1.0, drawn())
    without, beside, relative, paired = (found[way].batches or 0 for way in (WITHOUT, WITH, RELATIVE, PAIRED))
    assert 60 < without < BATCHES
    assert 0 < paired <= beside < without / 6
    assert abs(relative - beside) <= 3
    # variances as planted: 2 (0.05^2 + 0.01^2) without, 2 (2 * 0.01^2) beside the baseline, 2 * 0.01^2 on one batch
    assert found[WITHOUT].noise / found[WITH].noise == pytest.approx(13.0, rel=0.3)
    assert found[WITH].noise / found[PAIRED].noise == pytest.approx(2.0, rel=0.3)


@pytest.mark.parametrize("way", [WITHOUT, WITH, RELATIVE, PAIRED])
def test_resampling_agrees_with_the_closed_form(way: str) -> None:
    found = orders(planted(gap=0.01, own=0.02), 0, 1, 1.0, drawn())[way]
    assert found.batches == pytest.approx(found.closed_form, rel=0.35, abs=3)


def test_the_sign_tells_which_one_is_better() -> None:
    records = planted(gap=-0.01)
    gap, error = validation_gap(records, 0, 1)
    assert gap == pytest.approx(-0.01, abs=5 * error)
    assert orders(records, 0, 1, -1.0, drawn())[WITH].batches == pytest.approx(11, abs=8)
    wrong = orders(records, 0, 1, 1.0, drawn())[WITH]
    assert (wrong.batches, wrong.closed_form) == (None, None)


def test_batches_count_from_where_no_later_mean_is_unsure() -> None:
    steps = np.ones((100, 5))
    assert batches_needed(steps) == 1
    steps[:6, 0] = -0.5  # 94 % are right after one batch, all after two
    assert batches_needed(steps) == 2
    steps[:6, 4] = -9.0  # and at the end of the record six are wrong again
    assert batches_needed(steps) is None


def test_pairs_without_a_right_order_are_counted_and_left_out() -> None:
    clear, close = planted(gap=0.01, models=4), planted(gap=0.0, models=2, seed=5)
    both = Records(
        np.concatenate([clear.batches, close.batches]), clear.baseline, np.concatenate([clear.valid, close.valid])
    )
    found = compared(both, seed=1, resamples=FEW)
    assert (found["pairs"], found["indistinguishable"], found["turned"]) == (3, 1, 0)
    assert [one["orders"] is None for one in found["of_pairs"]] == [False, False, True]
    assert [row["ordered"] for row in found["ways"]] == [2, 2, 2, 2]
    without, beside, _, paired = (row["fewer"] for row in found["ways"])
    assert without == 1.0 < beside < paired
    assert compared(close, seed=1, resamples=FEW)["ways"] == []


def test_a_pair_that_is_never_ordered_has_its_place_in_the_quartiles() -> None:
    records = planted(gap=0.01, models=4)
    records.batches[3] -= 0.02  # the record contradicts validation
    found = compared(records, seed=1, resamples=FEW)
    assert found["turned"] == 1
    assert [row["ordered"] for row in found["ways"]] == [1, 1, 1, 1]
    assert found["ways"][1]["batches"][0] is not None
    assert found["ways"][1]["batches"][2] is None
