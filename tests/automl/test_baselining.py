from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from automl import Study, StudyError
from automl._yaml import to_yaml
from automl.auditing import audit
from automl.baselining import Baselining, models_of, plan_of, tune_baselines
from automl.config import CONTROLS
from automl.finals._entrants import entrants_of
from automl.opening import load_study
from automl.tuning import TUNED_STAGE, TUNING_STAGE
from evaluators import Trial
from searchspaces import zoo, zoo_names
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_data, planted_study

ZOO = ["deepfm", "dcnv2", "logistic_regression"]
NOISY: dict[str, Any] = {"name": "planted", "noise": 0.002}
NETWORKS = Baselining(budget=15, seeds=2, with_trees=False)


def _study(folder: Path, name: str = "s", **sections: Any) -> Study:
    return planted_study(folder, name, **{"baselines": ZOO, "evaluator": NOISY, **sections})


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = _study(tmp_path)
    yield made
    made.close()


def _of(study: Study, stage: str) -> list[Trial]:
    return [one for one in study.trials if one.stage == stage]


def test_all_models_are_tuned_within_the_budget_and_measured_under_fresh_seeds(study: Study) -> None:
    rows = tune_baselines(study, NETWORKS)
    assert sorted(row["model"] for row in rows) == sorted(ZOO)
    assert [row["ne"] for row in rows] == sorted(row["ne"] for row in rows)
    assert 12 <= len(_of(study, TUNING_STAGE)) <= 15
    assert len(_of(study, TUNED_STAGE)) == 6
    assert all(row["ne_sd"] > 0 for row in rows)


def test_trees_stand_in_the_table_and_are_grown_by_their_own_evaluator(study: Study) -> None:
    rows = {row["model"]: row for row in tune_baselines(study, Baselining(budget=4, seeds=2))}
    assert rows.keys() == {*ZOO, "lightgbm"}
    assert rows["lightgbm"]["failed"] == 0
    assert 0.5 < rows["lightgbm"]["ne"] < 1.1
    assert rows["lightgbm"]["flops"] is None


def test_the_budget_is_by_default_that_of_the_search(study: Study) -> None:
    assert plan_of(study, Baselining()).budget == study.config.budget.trials


def test_tuning_uses_none_of_the_searchs_budget_and_stands_on_no_front(study: Study) -> None:
    tune_baselines(study, NETWORKS)
    assert study.best_trials == []
    study.optimize(3)
    assert len(_of(study, "search")) == 3


def test_a_finished_tuning_is_not_repeated(study: Study) -> None:
    rows = tune_baselines(study, NETWORKS)
    ended: list[Trial] = []
    assert tune_baselines(study, NETWORKS, on_end=ended.append) == rows
    assert ended == []


@pytest.mark.parametrize("after", [1, 4, 11, 16])
def test_tuning_goes_on_where_it_was_stopped_as_if_it_had_not_been(tmp_path: Path, after: int) -> None:
    whole, part = _study(tmp_path, "whole"), _study(tmp_path, "part")
    expected = tune_baselines(whole, NETWORKS)
    ended: list[Trial] = []

    def stop(trial: Trial) -> None:
        ended.append(trial)
        if len(ended) == after:
            part.stop()

    tune_baselines(part, NETWORKS, on_end=stop)
    assert len(ended) == after
    part.close()
    again = load_study("part", storage=part.config.storage)
    assert tune_baselines(again, NETWORKS) == expected
    assert [one.suggestion for one in again.trials] == [one.suggestion for one in whole.trials]
    for one in (whole, again):
        one.close()


def test_each_model_needs_a_trial(study: Study) -> None:
    with pytest.raises(StudyError, match="3 of them have 2 in all; enlarge --budget"):
        tune_baselines(study, Baselining(budget=2, with_trees=False))


def test_a_study_without_baselines_has_nothing_to_tune(tmp_path: Path) -> None:
    study = _study(tmp_path, baselines=[])
    with pytest.raises(StudyError, match="study 's' has no baselines to tune"):
        models_of(study, Baselining(with_trees=False))
    study.close()


def test_a_study_that_names_no_baselines_tunes_the_whole_zoo_beside_the_users_own(tmp_path: Path) -> None:
    study = _study(tmp_path, baselines=None, baseline=zoo("gdcn"))
    assert [one.origin for one in study.wiring.baselines] == ["baseline", *(f"zoo:{name}" for name in CONTROLS)]
    found = [one.name for one in models_of(study, NETWORKS)]
    assert found == ["baseline", *(f"zoo:{name}" for name in zoo_names() if name != "gdcn")]
    study.close()


def test_a_study_without_a_budget_in_trials_asks_for_one(tmp_path: Path) -> None:
    study = _study(tmp_path, budget={"seconds": 5.0})
    with pytest.raises(StudyError, match="has no budget in trials; name one with --budget"):
        plan_of(study, Baselining())
    study.close()


def test_a_trainer_of_the_users_own_is_refused(tmp_path: Path) -> None:
    study = _study(tmp_path, evaluator={"name": "external", "command": [sys.executable]})
    with pytest.raises(StudyError, match="has a trainer of its own"):
        models_of(study, Baselining())
    study.close()


def test_on_a_ladder_tuning_uses_the_rungs_that_passed_the_audit(tmp_path: Path) -> None:
    ladder = {"rungs": [{"noise": 0.001}, {}], "promotion": {"name": "asha", "reduction": 3}}
    study = _study(tmp_path, fidelity=ladder, evaluator={"name": "planted"})
    assert [one.rung for one in plan_of(study, NETWORKS).fidelities] == [0]
    audit(study)
    assert [one.rung for one in plan_of(study, NETWORKS).fidelities] == [-1, 0]
    tune_baselines(study, NETWORKS)
    assert {one.suggestion.fidelity.rung for one in _of(study, TUNING_STAGE)} == {-1, 0}
    assert {one.suggestion.fidelity.rung for one in _of(study, TUNED_STAGE)} == {0}
    study.close()


def test_finals_compare_with_the_tuned_winners_too(study: Study) -> None:
    study.optimize(4)
    rows = tune_baselines(study, NETWORKS)
    others = [row["model"] for row in rows if row["setting"] != "its own"]
    names = [one.name for one in entrants_of(study, top=1) if one.is_baseline]
    assert sorted(names) == sorted([*ZOO, *(f"{name}, tuned" for name in others)])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the configuration of a planted study."""
    planted_data(tmp_path / "data")
    content = {
        "schema_version": 1,
        "study": {"name": "s", "seed": 1},
        "data": "data",
        "searcher": {"name": "random_search"},
        "evaluator": NOISY,
        "budget": {"trials": 9},
        "baselines": ZOO,
    }
    (tmp_path / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run_cli(capsys, *arguments, "--format", "json").out)
    return rows


def test_baselines_prints_a_row_a_model_and_writes_the_same_to_a_file(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _rows(capsys, "baselines", "study.yaml", "--seeds", "2", "--no-trees", "--out", "out.json")
    written = json.loads((place / "out.json").read_text(encoding="utf-8"))
    assert written["models"] == rows
    assert (written["study"], written["budget"], len(rows)) == ("s", 9, 3)


def test_baselines_says_what_was_measured_where(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "baselines", "study.yaml", "--seeds", "2", "--no-trees")
    assert done.code == 0
    assert "deepfm" in done.out
    assert "trial 0 tuning" in done.err
    assert "the test part has not been opened" in done.err


def test_a_search_follows_and_its_trials_are_listed_by_stage(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(capsys, "baselines", "study.yaml", "--seeds", "2", "--no-trees")
    assert run_cli(capsys, "search", "study.yaml").code == 0
    assert len(_rows(capsys, "trials", "s")) == 9
    assert len(_rows(capsys, "trials", "s", "--stage", "tuned")) == 6
    tuning = _rows(capsys, "trials", "s", "--stage", "tuning")
    assert {row["origin"] for row in tuning} == {f"zoo:{name}" for name in ZOO}
    assert run_cli(capsys, "baselines", "study.yaml", "--seeds", "2", "--no-trees").code == 0


def test_baselines_are_measured_as_their_search_is(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(capsys, "baselines", "study.yaml", "--seeds", "1", "--no-trees")
    done = run_cli(capsys, "baselines", "study.yaml", "--set", "evaluator.noise=0.1", "--no-trees")
    assert (done.code, "has another evaluator" in done.err) == (2, True)


@pytest.mark.slow
def test_a_killed_tuning_goes_on_and_repeats_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["baselines", "study.yaml", "--seeds", "2", "--no-trees", "--set", "evaluator.seconds=0.05"]
    with subprocess.Popen(
        [sys.executable, "-m", "automl", *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        for _ in range(4):
            process.stderr.readline()
        process.kill()
    before = load_study("s", storage="sqlite:///automl.db")
    ended = {one.number: one for one in before.trials if one.state.is_finished}
    before.close()
    assert 3 <= len(ended) < 15
    assert run_cli(capsys, *arguments).code == 0
    after = load_study("s", storage="sqlite:///automl.db")
    assert {number: after.trials[number] for number in ended} == ended
    assert all(one.state.is_finished for one in after.trials)
    after.close()
