"""Rows as bytes: near to what they stand for, and right on average after steps that are smaller than a byte tells."""

from __future__ import annotations

import pytest
import torch

from evaluators._distributed.kept import LARGEST, Bytes, Floats, Kept

VALUES = torch.randn(50, 8, generator=torch.Generator().manual_seed(1))
EVERY = torch.arange(50)


def _kept(is_int8: bool) -> Kept:
    return Bytes(VALUES, members=2, seed=1) if is_int8 else Floats(VALUES)


def test_a_byte_is_off_by_half_a_code_at_most() -> None:
    halves = VALUES.view(50, 2, 4)
    most = halves.abs().amax(2, keepdim=True) / LARGEST / 2
    off = (Bytes(VALUES, members=2, seed=1).all().view(50, 2, 4) - halves).abs()
    assert (off <= most * 1.001).all()
    assert off.max() > 0


def test_steps_below_a_code_are_right_on_average() -> None:
    """A thousand steps, of a hundredth of a code each: to the nearest code nothing would move."""
    kept = Bytes(VALUES, members=2, seed=1)
    before, step = kept.all(), torch.full_like(VALUES, 0.01 / LARGEST)
    for _ in range(1000):
        kept.move(EVERY, step, 1.0)
    assert (before - kept.all()).mean() == pytest.approx(10 / LARGEST, rel=0.1)


@pytest.mark.parametrize("is_int8", [False, True])
def test_rows_are_read_moved_and_replaced(is_int8: bool) -> None:
    kept = _kept(is_int8)
    assert torch.equal(kept.read(EVERY[3:5]), kept.all()[3:5])
    kept.move(EVERY[:1], torch.ones(1, 8), 2.0)
    torch.testing.assert_close(kept.all()[0], VALUES[0] - 2.0, atol=0.05, rtol=0)
    torch.testing.assert_close(kept.all()[1:], VALUES[1:], atol=0.02, rtol=0)
    kept.replace(VALUES)
    kept.move_all(torch.ones_like(VALUES), 1.0)
    torch.testing.assert_close(kept.all(), VALUES - 1.0, atol=0.05, rtol=0)


def test_copies_with_one_seed_stay_equal() -> None:
    one, other = _kept(True), _kept(True)
    for kept in (one, other):
        kept.move(EVERY, torch.full_like(VALUES, 0.1), 0.1)
    assert torch.equal(one.all(), other.all())


def test_a_row_of_zeros_stays_one() -> None:
    assert torch.equal(Bytes(torch.zeros(2, 4), members=1, seed=1).all(), torch.zeros(2, 4))
