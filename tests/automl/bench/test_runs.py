"""Tables of training runs: measured once, the best again, taken up where a kill left them, and served as others are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl._errors import AutomlError
from automl.bench.runs import Plan, runs
from evaluators import Evaluation, Failure, ObjectiveError
from evaluators._tabular.entries import SEARCH, TRIALS_FILE, TRUTH, Entry, read_entries, read_facts
from tests.automl.bench.system_runs import Law, plan, table
from tests.automl.cli_runs import run_cli


def of_role(folder: Path, role: str) -> list[Entry]:
    return [one for one in read_entries(folder) if one.role == role]


def test_each_setting_is_measured_once_and_the_fastest_again(tmp_path: Path) -> None:
    folder = table(tmp_path)
    seen, again = of_role(folder, SEARCH), of_role(folder, TRUTH)
    assert len({one.candidate.fingerprint for one in seen}) == len(seen) == 24
    speeds = {one.number: one.outcome.value("speed_ratio") for one in seen if isinstance(one.outcome, Evaluation)}
    assert {one.number for one in again} == set(sorted(speeds, key=lambda at: -speeds[at])[:4])
    assert sorted(one.replicate for one in again) == [1] * 4 + [2] * 4


def test_failures_are_rows(tmp_path: Path) -> None:
    failed = [one for one in of_role(table(tmp_path), SEARCH) if isinstance(one.outcome, Failure)]
    assert {one.candidate.system["batch_size"] for one in failed} == {4096}


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        runs(plan(tmp_path), evaluator=Law(breaks_after=9))
    assert not (tmp_path / "table" / TRIALS_FILE).exists()
    rest = Law()
    found = runs(plan(tmp_path), evaluator=rest)
    assert len(rest.asked) == 24 + 8 - 9
    assert found["trainings"] == {"search": 24, "truth": 8}


def test_runs_of_candidates_that_are_drawn_otherwise_now_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        runs(plan(tmp_path), evaluator=Law(breaks_after=9))
    part = next((tmp_path / "table" / "parts").glob("search-0-3-*.json"))
    part.write_text(part.read_text().replace('"number": 3', '"number": 7'))
    with pytest.raises(AutomlError, match=r"began with, but number 7 of .* choose a new folder"):
        runs(plan(tmp_path), evaluator=Law())


def test_a_folder_of_other_runs_is_refused(tmp_path: Path) -> None:
    table(tmp_path)
    with pytest.raises(AutomlError, match="has another space; choose a new folder"):
        runs(plan(tmp_path, space={"name": "run_settings", "knobs": {"ranks": [1]}}), evaluator=Law())


def test_compiled_runs_have_a_table_of_their_own(tmp_path: Path) -> None:
    folder = table(tmp_path, space={"name": "run_settings", "knobs": {"compiled": [True]}})
    assert {one.candidate.system["compiled"] for one in read_entries(folder)} == {True}


def test_an_unknown_metric_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ObjectiveError, match="'joy' is no known metric"):
        runs(plan(tmp_path, metric="joy"), evaluator=Law())


def test_the_facts_say_what_measured(tmp_path: Path) -> None:
    facts = read_facts(table(tmp_path))
    assert (facts["of"], facts["space"], facts["metric"]) == ("measured_run", {"name": "run_settings"}, "speed_ratio")


def test_searchers_race_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--table", str(table(tmp_path)), "--objectives", "speed_ratio", "--log", str(tmp_path / "log"))
    for source in (where, ("--metric", "speed_ratio", "--log", str(tmp_path / "other"))):
        trials = () if source is where else ("--trials", str(tmp_path / "table" / TRIALS_FILE))
        asked = ("bench", "race", "--searchers", "random_search", "--trials", "8", "--initial", "4", "--seeds", "2")
        assert run_cli(capsys, *asked, *source, *trials, "--format", "json").code == 0


def test_predictors_learn_from_its_file_as_from_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = table(tmp_path, count=60)
    asked = ("bench", "predictors", "--metric", "speed_ratio", "--train", "24", "--repeats", "2", "--format", "json")
    for source in (("--table", str(folder)), ("--trials", str(folder / TRIALS_FILE), "--where", "role=search")):
        done = run_cli(capsys, *asked, *source, "--predictors", "roofline")
        assert done.code == 0, done.err
        [row] = json.loads(done.out)["predictors"]
        assert row["tau"] > 0.7


def test_runs_of_a_simulated_cluster_need_no_data(tmp_path: Path) -> None:
    model = {"tables": [{"rows": 1_000_000, "dim": 64}], "dense": {"macs": 1_000_000}}
    space = {"name": "codesign", "model": model, "cluster": {"device": "H100", "hosts": [1, 2]}}
    made = Plan(tmp_path / "t", "none", space, {"name": "simulated_cluster"}, "qps", count=12, top=2, repeats=1)
    assert runs(made)["outcomes"] == {"complete": 14}
    assert read_facts(tmp_path / "t")["of"] == "simulated_cluster"
