"""What `automl validate` says before a first trial."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl._rehearsing import NOT_TIMED
from automl._yaml import to_yaml
from searchspaces.blocks.fm import FM
from tests.automl.cli_runs import run_cli
from tests.evaluators.small_data import write_small_data

pytestmark = pytest.mark.slow
"""Each starts a training process."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration that trains for real."""
    write_small_data(tmp_path / "data", rows=3000)
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "data",
        "space": {"name": "autoctr", "blocks": 2, "widths": [8, 16]},
        "evaluator": {"name": "train", "threads": 1, "device": "cpu", "batch_size": 128},
        "budget": {"trials": 7},
        "baselines": ["deepfm"],
    }
    (tmp_path / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_hours_memory_and_disk_are_predicted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "validate", "study.yaml", "--format", "json")
    (found,) = json.loads(done.out)
    told = found["prediction"]
    assert done.code == 0
    assert (told["device"], told["trials"], told["limited_by"], told["rehearsed"]) == ("cpu", 7, "trials", 8)
    assert 0 < told["hours"]["low"] <= told["hours"]["expected"] <= told["hours"]["high"]
    assert told["hours"]["expected"] * 3600 > 7 * told["trial_seconds"]["low"]
    assert 2**26 < told["memory"]["own"] <= told["memory"]["largest"] < told["memory"]["has"]
    assert 500 < told["disk"]["store_per_trial"] < 20_000
    assert told["disk"]["budget"] == pytest.approx(8 * told["disk"]["store_per_trial"])
    assert set(found["operators"].values()) == {"ok"}
    # per block one of mlp at 2 widths, fm and dot_product, on any of 2 raw groups, the second on the first as well
    assert found["space"] == "autoctr, 9 decisions, 512 assignments"
    assert not (place / "automl.db").exists()


def test_a_quick_look_times_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "validate", "study.yaml", "--quick", "--format", "json")
    (found,) = json.loads(done.out)
    assert (found["prediction"], found["not_predicted"], found["operators"]["fm"]) == (None, [NOT_TIMED], "ok")


def test_a_table_tells_all_of_it_for_several_workers(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--workers", "2", "--set", "budget={trials: 7, seconds: 0.001}")
    done = run_cli(capsys, "validate", "study.yaml", *options)
    rows = {line.split("  ")[0].strip(): line for line in done.out.splitlines()[1:]}
    assert "1 by budget.seconds, 2 at once" in rows["trials"]
    assert "8 rehearsed" in rows["seconds a trial"]
    assert {"hours", "memory", "disk", "operator fm"} <= rows.keys()
    assert "automl: warning: 7 trials take about" in done.err


def test_a_device_that_is_not_there_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "validate", "study.yaml", "--set", "evaluator.device=cuda:99")
    assert (done.code, "'cuda:99'" in done.err) == (2, True)


def test_a_broken_operator_ends_with_code_one(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = FM.__module__.replace(".", "/")
    assert broken == "searchspaces/blocks/fm"
    (place / "sitecustomize.py").write_text(_BREAK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(place))
    done = run_cli(capsys, "validate", "study.yaml", "--quick", "--format", "json")
    (found,) = json.loads(done.out)
    assert done.code == 1
    assert found["operators"]["fm"].startswith("broken gives numbers that are not finite")
    assert {found["operators"][name] for name in ("mlp", "dot_product", "full")} == {"ok"}
    assert "automl: problem: operator 'fm' gives numbers that are not finite" in done.err


_BREAK = """
import sys
if any("rehearsal_child" in one for one in sys.orig_argv):
    from searchspaces.blocks.fm import FM
    forward = FM.forward
    FM.forward = lambda self, *inputs: forward(self, *inputs) / 0.0
"""


def test_an_evaluator_that_trains_nothing_here_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "validate", "study.yaml", "--set", "evaluator={name: planted}")
    assert done.code == 0
    assert "not predicted: operators, hours and memory are not known beforehand: the evaluator 'planted'" in done.err
