from __future__ import annotations

import pytest

from automl import AutomlError, Budget
from automl.budget import Spent


def test_no_limit_allows_everything() -> None:
    assert Budget().allows(Spent(10**9, 1e9, 10**12))


@pytest.mark.parametrize("spent", [Spent(trials=3), Spent(seconds=9.0), Spent(rows=100)])
def test_each_limit_ends_a_study(spent: Spent) -> None:
    assert not Budget(trials=3, seconds=9.0, rows=100).allows(spent)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(AutomlError, match="must not be negative, but trials is -1"):
        Budget(trials=-1)
