from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from automl._yaml import to_yaml
from automl.opening import load_study
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_data, planted_study

ROW_KEYS = {"number", "state", "fingerprint", "ne", "auc", "flops", "params", "seconds", "parents"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration of a planted study."""
    planted_data(tmp_path / "data")
    content = {
        "schema_version": 1,
        "study": {"name": "s", "seed": 1},
        "data": "data",
        "searcher": {"name": "random_search"},
        "evaluator": {"name": "planted"},
        "budget": {"trials": 6},
        "baselines": ["deepfm"],
    }
    (tmp_path / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def searched(place: Path) -> Path:
    """The same, after the search."""
    study = planted_study(place, budget={"trials": 6}, searcher={"name": "random_search"}, baselines=["deepfm"])
    study.optimize()
    study.close()
    return place


def test_search_runs_the_budget(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(capsys, "search", "study.yaml").code == 0
    rows = json.loads(run_cli(capsys, "trials", "s", "--format", "json").out)
    assert len(rows) == 6
    assert all(row.keys() >= ROW_KEYS for row in rows)


def test_search_tells_of_each_trial_on_stderr_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "search", "study.yaml")
    assert done.out == ""
    assert done.err.count("COMPLETE") == 7
    assert "see `automl front s`, `automl report s`" in done.err


def test_flags_override_the_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--trials", "2", "--name", "t", "--seed", "9", "--storage", "sqlite:///other.db", "--set", "baselines=[]")
    assert run_cli(capsys, "search", "study.yaml", *flags).code == 0
    rows = json.loads(run_cli(capsys, "studies", "--storage", "sqlite:///other.db", "--format", "json").out)
    assert [(row["name"], row["seed"], row["complete"]) for row in rows] == [("t", 9, 2)]


def test_a_study_begins_once(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "search", "study.yaml")
    assert (done.code, "'s'" in done.err) == (2, True)


@pytest.mark.parametrize(("trials", "total"), [("+3", 9), ("8", 8)])
def test_resume_enlarges_the_budget(
    trials: str, total: int, searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(capsys, "resume", "s", "--trials", trials).code == 0
    assert len(json.loads(run_cli(capsys, "trials", "s", "--format", "json").out)) == total


def test_a_refused_resume_leaves_the_budget_as_it_was(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = load_study("s")
    before = study.config.budget
    with study.driving():
        done = run_cli(capsys, "resume", "s", "--trials", "+3")
    assert (done.code, "is being worked on by process" in done.err) == (2, True)
    after = load_study("s")
    assert after.config.budget == before
    for one in (study, after):
        one.close()


def test_front_is_part_of_trials(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    front = json.loads(run_cli(capsys, "front", "s", "--format", "json").out)
    trials = json.loads(run_cli(capsys, "trials", "s", "--format", "json").out)
    assert front
    assert all(row in trials for row in front)


def test_baselines_are_listed_on_demand(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(run_cli(capsys, "trials", "s", "--stage", "baseline", "--format", "json").out)
    assert [row["origin"] for row in rows] == ["zoo:deepfm"]


def test_csv_has_a_line_a_trial(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(run_cli(capsys, "trials", "s", "--format", "csv").out)))
    assert [row["number"] for row in rows] == ["1", "2", "3", "4", "5", "6"]


def test_a_table_shows_the_numbers(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run_cli(capsys, "trials", "s").out
    assert out.splitlines()[0].split()[:3] == ["number", "state", "stage"]
    assert len(out.splitlines()) == 7


def test_status_counts(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [facts] = json.loads(run_cli(capsys, "status", "s", "--format", "json").out)
    assert (facts["complete"], facts["trials_left"], facts["best_baseline"]) == (6, 0, "zoo:deepfm")


def test_show_prints_everything(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(run_cli(capsys, "show", "s", "3").out)
    assert shown["suggestion"]["candidate"]["architecture"]["nodes"]


def test_show_names_the_known_numbers(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "show", "s", "99")
    assert (done.code, "has trials 0 to 6, but 99 was asked for" in done.err) == (2, True)


def test_the_environment_names_the_store(
    searched: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOML_STORAGE", f"sqlite:///{searched / 'automl.db'}")
    monkeypatch.chdir(searched / "data")
    assert run_cli(capsys, "status", "s").code == 0


def test_looking_never_makes_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_cli(capsys, "studies", "--storage", "sqlite:///nothing.db")
    assert (done.code, "nothing.db" in done.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_study_is_an_input_error(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "front", "nothing")
    assert (done.code, "'nothing'" in done.err) == (2, True)


def test_validate_tells_what_a_configuration_amounts_to(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [facts] = json.loads(run_cli(capsys, "validate", "study.yaml", "--format", "json").out)
    assert (facts["study"], facts["searcher"]) == ("s", "random_search")
    assert not (place / "automl.db").exists()


def test_a_wrong_override_is_a_usage_error(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "search", "study.yaml", "--set", "trials")
    assert (done.code, "key=value" in done.err) == (2, True)


def test_a_wrong_budget_is_a_usage_error(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "resume", "s", "--trials", "many")
    assert (done.code, "must be a positive number" in done.err) == (2, True)


def test_plugins_are_listed_by_room(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(run_cli(capsys, "plugins", "list", "--format", "json").out)
    found = {(row["room"], row["name"]): row for row in rows}
    assert found["tracker", "mlflow"]["origin"] == "ctr-automl"
    told = "AutoCTR: evolution that ages, guided by a learned ranking of its mutants."
    assert found["searcher", "autoctr"] == {"room": "searcher", "name": "autoctr", "origin": "ctr-automl", "what": told}


def test_init_writes_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "init", "movielens", "--out", str(tmp_path / "mine.yaml"))
    assert done.out.strip() == str(tmp_path / "mine.yaml")


def test_init_lists_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert "movielens" in run_cli(capsys, "init", "list").out.split()


def test_a_search_without_a_result_fails(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("--set", "evaluator={name: planted, fail_every: 1}", "--set", "baselines=[]")
    done = run_cli(capsys, "search", "study.yaml", *settings)
    assert (done.code, "no trial has a result" in done.err) == (1, True)
