"""The verb as a whole: exit code 1 where there is a problem, and nothing heavy before it starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from automl import doctor as module
from automl._yaml import to_yaml
from tests.automl.cli_runs import Run, run_cli
from tests.automl.planted_study import planted_study

QUICK = ("version_findings", "stranger_findings", "device_findings", "plugin_findings")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration and the store of its search; slow checks are left out."""
    study = planted_study(tmp_path, budget={"trials": 3})
    study.optimize()
    study.close()
    content = {"schema_version": 1, "study": {"name": "s"}, "data": "data", "evaluator": {"name": "planted"}}
    (tmp_path / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in QUICK:
        monkeypatch.setattr(module, name, list)
    return tmp_path


def _rows(done: Run) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["area"], row["name"]): row for row in json.loads(done.out)}


def test_a_sound_study_has_no_problem(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "doctor", "study.yaml", "--format", "json")
    rows = _rows(done)
    assert (done.code, done.err) == (0, "")
    assert rows["setting", "evaluator.name"]["origin"] == "file, line 6"
    assert rows["store", "study s"]["value"] == "3 COMPLETE"


def test_without_a_configuration_the_usual_store_is_checked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ("study s", "fingerprints") in _rows(run_cli(capsys, "doctor", "--format", "json"))


def test_a_broken_configuration_is_a_problem(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "study.yaml").write_text("schema_version: 1\nstudi: {}\n", encoding="utf-8")
    done = run_cli(capsys, "doctor", "study.yaml")
    assert (done.code, "'studi'" in done.err or "studi" in done.err) == (1, True)


def test_a_store_that_is_named_must_be_there(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_cli(capsys, "doctor", "--storage", "sqlite:///none.db").code == 1
    monkeypatch.setenv("AUTOML_STORAGE", "sqlite:///none.db")
    done = run_cli(capsys, "doctor")
    assert (done.code, "is not there yet" in done.err) == (1, True)


def test_no_store_yet_is_fine_where_nobody_named_one(
    tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert run_cli(capsys, "doctor").code == 0
    assert os.listdir(empty) == []


def test_a_table_shows_state_and_origin(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run_cli(capsys, "doctor", "study.yaml").out.splitlines()
    assert lines[0].split() == ["area", "name", "state", "value", "origin"]
