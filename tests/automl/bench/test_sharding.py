from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from automl.bench.sharding import REFERENCE, Plan, sharding
from evaluators._distributed.launch import Training
from tests.evaluators.small_data import write_small_data


class Pretended:
    """Ranks whose NE is known: 0.8, and 0.01 more with several groups and a moment scale of one."""

    def __init__(self, training: Training) -> None:
        self._training = training

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def steps(self, count: int, **_: Any) -> SimpleNamespace:
        assert count == 2000 // 100
        return SimpleNamespace()

    def valid_nes(self, **_: Any) -> tuple[float, ...]:
        layout = self._training.layout
        is_naive = layout.groups > layout.moment_scale
        return (0.8 + 0.01 * is_naive + 0.001 * self._training.seed,)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    monkeypatch.setattr("automl.bench.sharding.Ranks", Pretended)
    data = write_small_data(tmp_path / "small").folder
    return sharding(Plan(str(data), ranks=2, seeds=3, batch_size=100))


def test_each_way_is_beside_one_group_seed_by_seed(found: dict[str, Any]) -> None:
    rows = {row["way"]: row for row in found["ways"]}
    assert rows[REFERENCE]["ne"] == pytest.approx(0.802)
    assert rows[REFERENCE]["percent_beside_one_group"] == 0.0
    assert rows["2 groups, c = 1"]["percent_beside_one_group"] == pytest.approx(100 * 0.01 / 0.802, rel=1e-3)
    assert rows["2 groups, c = 2"]["percent_beside_one_group"] == 0.0
    assert rows["2 groups, c = 1"]["percent_stderr"] < 0.001


def test_every_way_is_measured_with_every_seed(found: dict[str, Any]) -> None:
    assert [row["ne_sd"] == pytest.approx(0.001) for row in found["ways"]] == [True] * 7
