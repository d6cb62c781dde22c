"""The options of the differentiable method: their rules, where the target comes from, what the budget pays for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl import ConfigError
from automl._checkpoint import Checkpoint
from automl.methods.dnas import DNAS
from evaluators import Objective
from searchspaces import zoo
from searchspaces.cost import cost
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, write_small_data

SPACE = AutoCTR(SCHEMA, blocks=2, widths=(4, 8), embedding_dim=4)
DEEPFM = zoo("deepfm", SCHEMA)


def method(folder: Path, **options: Any) -> DNAS:
    settings: dict[str, Any] = {"objectives": (Objective("ne"),), "controls": (DEEPFM,), "device": "cpu", **options}
    return DNAS(SPACE, SCHEMA, dataset=folder, study_seed=1, **settings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"forks": 0}, "forks"),
        ({"sampling": "best"}, "sampling must be one of uniform, fair, sandwich, but is 'best'"),
        ({"guarded": 1.5}, "guarded"),
        ({"keep": 80}, "only what is scored can be read out, but keep is 80 and candidates 64"),
        ({"floor": 1.0}, "floor must lie between zero and one, but is 1.0"),
        ({"last_temperature": 0.0}, "last_temperature must be more than zero, but is 0.0"),
        ({"target_macs": -1.0}, "target_macs must be more than zero, but is -1.0"),
        ({"penalty": -0.1}, "penalty must be zero or more, but is -0.1"),
        ({"controls": ()}, "there must be a target: give target_macs, a bound to the objective flops, or controls"),
    ],
)
def test_options_keep_their_rules(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        method(tmp_path, **wrong)


def test_the_target_is_given_or_a_bound_or_that_of_the_first_control(tmp_path: Path) -> None:
    bounded = (Objective("ne"), Objective("flops", bound=5000.0))
    assert DEEPFM.architecture is not None
    assert method(tmp_path, target_macs=70.0, objectives=bounded)._how.target.macs == 70.0
    assert method(tmp_path, objectives=bounded)._how.target.macs == 2500.0
    assert method(tmp_path)._how.target.macs == cost(DEEPFM.architecture, SCHEMA).macs
    assert cost(DEEPFM.architecture, SCHEMA).flops == 2 * cost(DEEPFM.architecture, SCHEMA).macs


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small", rows=200).folder


SMALL = {"batch_size": 20, "asked_rows": 20, "candidates": 3, "keep": 1, "calibration_rows": 40, "evaluation_rows": 60}


def test_all_that_a_run_uses_is_about_its_share_of_the_budget(data: Path, tmp_path: Path) -> None:
    one = method(data, budget_rows=8000, share=0.5, **SMALL)
    list(one.run(Checkpoint(tmp_path)))
    used = sum(account.rows for account in Checkpoint(tmp_path).accounts.values())
    assert used == pytest.approx(4000, rel=0.15)


def test_a_budget_that_pays_for_no_step_is_refused(data: Path) -> None:
    rule = r"a share 0.5 of the 500 rows of the budget must pay for training, but 3 scores take 420"
    with pytest.raises(ConfigError, match=rule):
        method(data, budget_rows=500, **SMALL)


def test_rows_that_are_given_must_be_within_the_budget(data: Path) -> None:
    rule = "the 2000 rows of the budget must pay .* but 1500 rows of its training count .* and 3 scores take 420 more"
    with pytest.raises(ConfigError, match=rule):
        method(data, budget_rows=2000, rows=1500, **SMALL)
    assert method(data, budget_rows=20_000, rows=1500, **SMALL)._weights_rows == 1500


def test_forks_are_not_counted_where_the_budget_pays_for_as_many_as_there_can_be(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    count = DNAS._asked_for_one

    def counting(one: DNAS) -> float:
        counted.append(1)
        return count(one)

    monkeypatch.setattr(DNAS, "_asked_for_one", counting)
    one = method(data, budget_rows=8000, **SMALL)
    assert counted == []
    assert one._weights_rows == one._weights_rows > 0
    assert counted == [1]


def test_another_sampling_ends_elsewhere(data: Path, tmp_path: Path) -> None:
    scores = []
    for sampling in ("uniform", "fair"):
        checkpoint = Checkpoint(tmp_path / sampling)
        list(method(data, rows=400, sampling=sampling, **SMALL).run(checkpoint))
        kept = checkpoint.kept()
        assert kept is not None
        scores.append(kept.facts["scores"])
    assert scores[0] != scores[1]


def test_the_guard_can_be_switched_off(tmp_path: Path) -> None:
    assert method(tmp_path)._how.floor == 0.5
    assert method(tmp_path, guard=False)._how.floor is None
