"""What CubicML finds on a table: gaps by hand, failures that were foretold, and figures of the predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.bench.cubicml import Plan, cubicml, predicted, searcher_row
from automl.bench.predictors.pool import pool_of_table
from automl.bench.race.ground import course_on_table
from evaluators import Objective
from tests.automl.bench.race.grounds import run_of
from tests.automl.bench.system_runs import table
from tests.automl.cli_runs import run_cli

SPEED = Objective("speed_ratio")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("runs"), count=80)


def test_a_gap_is_the_share_that_the_best_measured_run_misses(folder: Path) -> None:
    course = course_on_table(folder, [SPEED])
    truth = course.ground.truth[:, 0]
    order = [int(at) for at in np.argsort(np.where(np.isnan(truth), np.inf, truth))]
    searches = [
        run_of([order[7], order[0]], [-1.0, -2.0]),
        run_of([order[7], order[3]], [-1.0, -2.0], seed=1),
        run_of([order[5], order[7]], [-2.0, -1.0], seed=2),
    ]
    expected = (truth[order[3]] - truth[order[0]]) / -truth[order[0]]
    assert searcher_row("a", searches, course)["median_gap"] == pytest.approx(expected)
    assert expected > 0


def test_a_failure_that_others_had_foretold_counts_and_the_first_ones_do_not(folder: Path) -> None:
    course = course_on_table(folder, [SPEED])
    candidates = {course.numbers[one.fingerprint]: one for one in course.space.candidates()}
    large = [at for at, one in candidates.items() if one.system["batch_size"] == 4096]
    small = [at for at, one in candidates.items() if one.system["batch_size"] == 256]
    told: list[float | None] = [*[None] * 11, *[-1.0] * 11, None]
    row = searcher_row("a", [run_of([*large[:11], *small[:11], large[11]], told)], course)
    assert row["failed"] == pytest.approx(12 / 23)
    assert row["foreseeable"] == pytest.approx(1 / 23)


def test_the_predictor_is_judged_on_runs_that_it_has_not_seen(folder: Path) -> None:
    found = predicted(pool_of_table(folder, "speed_ratio"), "roofline", Plan(folder, folder, train=40, repeats=2))
    assert found["train"] == 40
    assert found["tau"] > 0.8
    assert 0.0 < found["mape"] < 0.15


@pytest.mark.slow
def test_the_command_tells_what_the_table_is_of(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ("--seeds", "1", "--runs", "14", "--train", "24", "--log", str(tmp_path / "log"))
    done = run_cli(capsys, "bench", "cubicml", "--table", str(folder), *sizes, "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    assert found["of"] == "measured_run"
    assert [one["searcher"] for one in found["searchers"]] == ["cubicml", "random_search", "tpe"]
    assert found["searchers"][0]["foreseeable"] <= 0.02


@pytest.mark.slow
def test_a_search_is_not_made_again(folder: Path, tmp_path: Path) -> None:
    plan = Plan(folder, tmp_path / "log", seeds=1, runs=13, train=24, repeats=1)
    first = cubicml(plan)
    lines = (tmp_path / "log").read_text(encoding="utf-8")
    assert cubicml(plan)["searchers"] == first["searchers"]
    assert (tmp_path / "log").read_text(encoding="utf-8") == lines
