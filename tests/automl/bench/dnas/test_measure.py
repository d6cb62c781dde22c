"""A tiny run tells what was found and what it cost; runs that are kept are not done again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.bench.dnas import measure
from automl.bench.dnas.measure import TARGET_MACS, Plan, _settings, dnas, run, summary
from tests.automl.cli_runs import run_cli

DATA = {"train": 50_000, "measured": 5_000}
TINY = Plan(("usual",), seeds=1, rows=2560, planted_rows=2000, measured_rows=400)


@pytest.fixture(scope="module")
def tiny() -> dict[str, Any]:
    return run(TINY, "usual", 1)


def test_a_run_tells_what_it_found_and_what_it_cost(tiny: dict[str, Any]) -> None:
    assert tiny["missed"] == pytest.approx(abs(tiny["macs"] / TARGET_MACS - 1.0), abs=1e-4)
    assert tiny["holds"] == (tiny["missed"] <= 0.1)
    assert tiny["finds"] == (sum(one.startswith("cross") for one in tiny["best"]) == 2)
    assert tiny["work"]["training"]["steps"] == 20
    assert tiny["work"]["training"]["ms_per_step"] > 0
    assert tiny["work"]["logits"]["rows"] > tiny["work"]["logits"]["steps"] * 256
    assert json.loads(json.dumps(tiny)) == tiny


def test_the_arm_without_guard_is_not_trained_evenly(tiny: dict[str, Any]) -> None:
    assert tiny["verdict"]["guard"]["even"] > 0
    assert run(TINY, "hasty, no guard", 1)["verdict"]["guard"]["even"] == 0


def test_kept_runs_of_the_same_plan_are_not_done_again(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def fake(plan: Plan, arm: str, seed: int) -> dict[str, Any]:
        done.append(seed)
        return {**tiny, "arm": arm, "seed": seed, "settings": _settings(plan, arm), "data": DATA}

    monkeypatch.setattr(measure, "run", fake)
    first = list(dnas(Plan(("usual",), seeds=2)))[-1]
    (tmp_path / "kept.json").write_text(json.dumps(first), encoding="utf-8")
    again = list(dnas(Plan(("usual",), seeds=3), kept=tmp_path / "kept.json"))[-1]
    assert done == [1, 2, 3]
    assert again["arms"]["usual"]["runs"] == 3
    list(dnas(Plan(("usual",), seeds=1, rows=9000), kept=tmp_path / "kept.json"))
    assert done == [1, 2, 3, 1]


@pytest.mark.parametrize("change", [{"adapt": 0}, {"refit": True}, {"recalibrate": False}, {"held_out_rows": 0}, {}])
def test_runs_that_were_scored_otherwise_are_done_again(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    done: list[int] = []

    def fake(plan: Plan, arm: str, seed: int) -> dict[str, Any]:
        done.append(seed)
        return tiny

    monkeypatch.setattr(measure, "run", fake)
    other = {**tiny, "settings": {**tiny["settings"], **change}}
    (tmp_path / "kept.json").write_text(json.dumps({"runs": [other]}), encoding="utf-8")
    list(dnas(TINY, kept=tmp_path / "kept.json"))
    assert done == ([1] if change else [])


def test_a_summary_counts_each_arm(tiny: dict[str, Any]) -> None:
    other = {**tiny, "arm": "hasty", "finds": True, "verdict": {**tiny["verdict"], "collapsed": True}}
    found = summary([tiny, other, other])
    assert found["usual"]["runs"] == 1
    assert found["hasty"]["find_the_planted_operators"] == found["hasty"]["report_collapse"] == 2


def test_the_command_takes_arms_by_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Plan] = []

    def fake(plan: Plan, *, kept: Path | None) -> Iterator[dict[str, Any]]:
        asked.append(plan)
        yield {"runs": []}

    monkeypatch.setattr(measure, "dnas", fake)
    out = tmp_path / "out.json"
    run_cli(capsys, "bench", "dnas", "--arms", "hasty;hasty, no guard", "--seeds", "2", "--out", str(out))
    assert asked == [Plan(("hasty", "hasty, no guard"), seeds=2)]
    assert json.loads(out.read_text(encoding="utf-8")) == {"runs": []}
    wrong = run_cli(capsys, "bench", "dnas", "--arms", "slow")
    assert wrong.code == 2
    assert "arms are usual" in wrong.err
