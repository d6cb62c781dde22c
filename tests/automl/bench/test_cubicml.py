"""What CubicML finds on a table: gaps by hand, failures that were foretold, and figures of the predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.bench.cubicml import Plan, cubicml, predicted, searcher_row
from automl.bench.foresight import Foresight, _held_out
from automl.bench.predictors.pool import pool_of_table
from automl.bench.race.ground import Course, course_on_table
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
    assert searcher_row("a", searches, course, Foresight(course))["median_gap"] == pytest.approx(expected)
    assert expected > 0


def _of_batch(course: Course, size: int) -> list[int]:
    candidates = {course.numbers[one.fingerprint]: one for one in course.space.candidates()}
    return sorted(at for at, one in candidates.items() if one.system["batch_size"] == size)


def test_failures_count_as_foreseeable_from_the_table_and_as_foretold_from_the_runs_before(folder: Path) -> None:
    """The largest batch fails, whatever else is chosen; the first failures of a search nothing had foretold."""
    course = course_on_table(folder, [SPEED])
    large, small = _of_batch(course, 4096)[:10], _of_batch(course, 256)[:10]
    told: list[float | None] = [*[None] * 9, *[-1.0] * 10, None]
    row = searcher_row("a", [run_of([*large[:9], *small, large[9]], told)], course, Foresight(course))
    assert row["failed"] == pytest.approx(10 / 20)
    assert row["foreseeable"] == pytest.approx(10 / 20)
    assert row["foretold"] == pytest.approx(1 / 20)


def test_a_searchers_own_threshold_has_no_part_in_what_was_foreseeable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = course_on_table(folder, [SPEED])
    known = Foresight(course).in_hindsight
    monkeypatch.setattr("automl.proposals.SureFailures.foretells", lambda *_: False)
    assert (Foresight(course).in_hindsight == known).all()
    assert known.sum() == len(_of_batch(course, 4096))


def test_failures_without_a_pattern_are_not_foreseeable() -> None:
    """Every seventh of different rows, in whatever order."""
    codes = np.random.default_rng(1).normal(size=(210, 6))
    failed = np.arange(210) % 7 == 0
    assert (_held_out(codes, failed) & failed).mean() < 0.02
    assert not _held_out(codes, np.zeros(210, dtype=bool)).any()


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
    assert found["searchers"][0]["foretold"] <= found["searchers"][0]["failed"] <= 1.0


@pytest.mark.slow
def test_a_search_is_not_made_again(folder: Path, tmp_path: Path) -> None:
    plan = Plan(folder, tmp_path / "log", seeds=1, runs=13, train=24, repeats=1)
    first = cubicml(plan)
    lines = (tmp_path / "log").read_text(encoding="utf-8")
    assert cubicml(plan)["searchers"] == first["searchers"]
    assert (tmp_path / "log").read_text(encoding="utf-8") == lines
