"""Whole comparisons on planted evaluations; finals are planted too, but once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl import ConfigError, Study, StudyError
from automl.cli._app import run as run_command
from automl.comparing import Diagnosis, Plan, compare, entries_of
from automl.comparing._running import config_of
from automl.config import StudyConfig, parse_config
from automl.finals import Plan as FinalsPlan
from tests.automl.planted_study import planted_data

ONE_SHOT = "one_shot:candidates=6:keep=6:batch_size=10:calibration_rows=4:evaluation_rows=6:device=cpu:share=0.9"
ROWS = 150
NONE = Diagnosis(random=0, twice=0)
SPACE = {"name": "autoctr", "blocks": 2, "widths": [4, 8], "embedding_dim": 2}


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))


def config_in(folder: Path, **sections: Any) -> StudyConfig:
    content = {
        "schema_version": 1,
        "study": {"name": "c", "seed": 3},
        "data": str(planted_data(folder / "data")),
        "space": SPACE,
        "evaluator": {"name": "planted"},
        "baselines": ["deepfm"],
        "storage": f"sqlite:///{folder / 'automl.db'}",
        **sections,
    }
    return parse_config(content, source="c.yaml")


def plan_in(
    folder: Path,
    entries: str,
    *,
    seeds: int = 2,
    rows: int = ROWS,
    diagnosis: Diagnosis = NONE,
    **sections: Any,
) -> Plan:
    config = config_in(folder, **sections)
    return Plan(config, entries_of(entries), rows, seeds, folder / "out", diagnosis=diagnosis)


def planted_finals(study: Study, plan: FinalsPlan) -> dict[str, Any]:
    """The best trial wins; two trainings differ by a thousandth."""
    best = study.best_trials[0]
    ne, flops = best.value("ne"), best.value("flops")
    assert ne is not None
    assert flops is not None
    winner = {
        "name": f"trial {best.number}",
        "trial": best.number,
        "fingerprint": best.candidate.fingerprint,
        "macs": int(flops) // 2,
        "params": 7,
        **{name: {"mean": ne, "sd": 0.0} for name in ("valid_ne", "test_ne", "test_auc")},
        "by_seed": [{"valid_ne": ne + 0.001}, {"valid_ne": ne - 0.001}],
    }
    other = {"name": "deepfm", "by_seed": [{"valid_ne": 0.95}, {"valid_ne": 0.95}]}
    return {
        "data": {"name": "synthetic", "digest": "d"},
        "verdict": {"chosen": winner["name"], "kind": "not proven", "reference": "deepfm", "percent": -1.0},
        "entrants": [winner, other],
        "folder": str(plan.folder),
    }


@pytest.fixture
def without_finals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.comparing._running.finals", planted_finals)


@pytest.mark.usefixtures("without_finals")
def test_an_entry_that_the_rows_do_not_pay_for_is_refused_before_any_runs(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, f"random_search,{ONE_SHOT}", rows=20)
    with pytest.raises(ConfigError, match="must pay for training"):
        compare(plan)
    assert not (tmp_path / "automl.db").exists()


@pytest.mark.usefixtures("without_finals")
def test_a_method_and_a_searcher_are_compared_at_equal_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.comparing._judging.MOST_RANDOM", 4)
    plan = plan_in(tmp_path, f"{ONE_SHOT},random_search", rows=ROWS, diagnosis=Diagnosis(random=3, twice=5))
    found = compare(plan)
    assert found is not None
    left = [path.name for path in (tmp_path / "home" / "methods").glob("*/*")]
    assert left == ["checkpoint.json", "checkpoint.json"]  # weights are gone, what the runs have used is kept
    assert compare(plan) == found
    one_shot, random_search = found["entries"]
    assert (one_shot["kind"], random_search["kind"], found["seeds"]) == ("method", "searcher", [3, 4])
    assert one_shot["training_rows"] + one_shot["scoring_rows"] + one_shot["trials"] == one_shot["rows"] <= ROWS
    assert random_search["rows"] == random_search["trials"] <= ROWS
    assert [(one["score"], one["seeds"]) for one in found["duels"]] == [("test_ne", 2), ("flops", 2)]
    for one in found["agreement"]:
        assert (one["read_out"], one["random"], one["twice"]) == (6, 4, 5)
        assert 0.0 <= one["ceiling"] <= 1.0
        assert -1.0 <= one["low"] <= one["high"] <= 1.0
    assert found["diagnosis"]["trainings"] == found["diagnosis"]["rows"] == 2 * 5  # a planted one sees one row
    assert json.loads((tmp_path / "out" / "compare.json").read_text()) == found


@pytest.mark.usefixtures("without_finals")
def test_without_a_random_searcher_a_sample_is_drawn_trained_once_and_charged_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_in(tmp_path, ONE_SHOT, seeds=1, diagnosis=Diagnosis(random=7, twice=4))
    found = compare(plan)
    assert found is not None
    [one] = found["agreement"]
    assert (one["read_out"], one["random"], one["twice"]) == (6, 7, 4)
    assert found["diagnosis"]["trainings"] == 7 + 4
    assert found["entries"][0]["rows"] <= ROWS
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    assert "11 trainings over 11 rows tell how far these orders can be trusted; they are charged to no method" in page

    def evaluate(*_: object) -> None:
        raise AssertionError("what is kept is not trained again")

    monkeypatch.setattr("evaluators.planted.Planted.evaluate", evaluate)
    assert compare(plan) == found


@pytest.mark.usefixtures("without_finals")
def test_it_goes_on_where_it_stopped_and_repeats_nothing(tmp_path: Path) -> None:
    ended: list[str] = []

    def conduct(study: Study) -> None:
        study.optimize(callbacks=[lambda study, trial: ended.append(f"{study.name} {trial.number}")])
        if len(ended) > 30:
            study.stop()

    plan = plan_in(tmp_path, "random_search,regularized_evolution", rows=20)
    assert compare(plan, conduct=conduct) is None
    first = len(ended)
    found = compare(plan, conduct=lambda study: study.optimize(callbacks=[lambda *_: ended.append("more")]))
    assert found is not None
    assert 0 < ended[first:].count("more") == 4 * (20 + 1) - first
    assert compare(plan, conduct=lambda study: study.optimize(callbacks=[lambda *_: ended.append("again")])) == found
    assert "again" not in ended


@pytest.mark.usefixtures("without_finals")
def test_studies_that_began_with_other_settings_are_refused(tmp_path: Path) -> None:
    compare(plan_in(tmp_path, "random_search", rows=5, seeds=1))
    with pytest.raises(StudyError, match="study 'c-random_search-3' has another budget; restore it, or choose"):
        compare(plan_in(tmp_path, "random_search", rows=6, seeds=1))


@pytest.mark.usefixtures("without_finals")
def test_a_later_study_with_other_settings_is_refused_before_anything_runs(tmp_path: Path) -> None:
    compare(plan_in(tmp_path, "autoctr", rows=5, seeds=2))
    with pytest.raises(StudyError, match="study 'c-autoctr-3' has another budget"):
        compare(plan_in(tmp_path, "random_search,autoctr", rows=6, seeds=2), conduct=never)


def never(study: Study) -> None:
    raise AssertionError(f"{study.name} must not run")


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"evaluator": {"name": "external", "command": ["true"]}}, "has a trainer of its own"),
        (
            {"space": {"name": "codesign", "model": "m", "cluster": {}}},
            "candidates of the space .codesign. have none",
        ),
    ],
)
def test_what_finals_cannot_judge_is_refused_before_anything_runs(
    tmp_path: Path, sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(plan_in(tmp_path, "random_search", **{"baselines": [], **sections}), conduct=never)
    assert not (tmp_path / "automl.db").exists()


def test_data_without_a_test_part_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evaluators._datasets import open_dataset

    found = open_dataset(planted_data(tmp_path / "data"))
    without = replace(found, rows={name: rows for name, rows in found.rows.items() if name != "test"})
    monkeypatch.setattr("automl.comparing._running.open_dataset", lambda _: without)
    with pytest.raises(ConfigError, match="winners are judged on the test part by finals"):
        compare(plan_in(tmp_path, "random_search"), conduct=never)


@pytest.mark.usefixtures("without_finals")
def test_the_page_opens_without_a_network_and_has_every_entry(tmp_path: Path) -> None:
    compare(plan_in(tmp_path, "random_search,autoctr", rows=8, seeds=1))
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    for text in ("random_search", "autoctr", "not significant", "signed-rank test"):
        assert text in page


def test_finals_are_those_of_any_study_and_train_the_baselines_of_a_seed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOML_STORAGE", f"sqlite:///{tmp_path / 'automl.db'}")
    plan = plan_in(tmp_path, "random_search,autoctr", rows=4, seeds=1)
    found = compare(Plan(plan.config, plan.entries, 4, 1, plan.folder, top=1, final_seeds=2, device="cpu"))
    assert found is not None
    assert all(0.3 < one["test_ne"] < 3.0 and one["reference"] == "deepfm" for one in found["runs"])
    made = [path.stat().st_mtime_ns for path in sorted(plan.folder.glob("finals/*/trainings/baseline-*.json"))]
    assert len(made) == 4
    facts = [json.loads(path.read_text()) for path in sorted(plan.folder.glob("finals/*/trainings/baseline-*1-*.json"))]
    assert facts[0]["seconds"] == facts[1]["seconds"]


def test_a_study_has_a_name_of_its_own_and_rows_as_its_budget(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, "one_shot,random_search", rows=5000)
    method, searcher = (config_of(plan, one, 4) for one in plan.entries)
    assert (method.study.name, searcher.study.name, searcher.study.seed) == ("c-one_shot-4", "c-random_search-4", 4)
    assert (method.budget.rows, method.budget.trials, method.budget.seconds) == (5000, None, None)
    assert searcher.budget == method.budget  # a planted evaluation tells nobody what it will take


def test_a_searcher_knows_how_many_trainings_its_rows_pay_for(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, "wl_ehvi", rows=1000, evaluator={"name": "train", "rows": 300, "passes": 2})
    assert config_of(plan, plan.entries[0], 3).budget.trials == 2
    raced = plan_in(tmp_path, "wl_ehvi", rows=1000, evaluator={"name": "train", "rows": 300, "racing": True})
    assert config_of(raced, raced.entries[0], 3).budget.trials is None


def test_the_configuration_may_say_the_options_of_an_entry(tmp_path: Path) -> None:
    said = {"name": "one_shot", "candidates": 8, "keep": 4}
    plan = plan_in(tmp_path, "one_shot,one_shot:keep=2,random_search", method=said)
    plain, other, searcher = (config_of(plan, one, 3) for one in plan.entries)
    assert plain.method == said
    assert other.method == {"name": "one_shot", "keep": 2}
    assert (searcher.method, searcher.searcher) == (None, {"name": "random_search"})


@pytest.mark.usefixtures("without_finals")
def test_the_verb_prints_entries_and_what_is_significant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    from automl._yaml import to_yaml

    content = config_in(tmp_path).model_dump(mode="json", exclude_none=True)
    del content["searcher"]
    (tmp_path / "c.yaml").write_text(to_yaml(content), encoding="utf-8")
    code = run_command(["compare", "c.yaml", "--methods", "random_search,autoctr", "--rows", "6", "--seeds", "1"])
    told = capsys.readouterr()
    assert code == 0
    assert "2 of 2 differences are not significant at 0.05 after Holm's correction, over 1 seed" in told.out
    assert (tmp_path / "c-compare" / "compare.html").exists()
    assert "study 'c-random_search-3'" in told.err


@pytest.mark.usefixtures("without_finals")
def test_a_method_that_does_not_score_keeps_no_weights_and_the_page_says_why_there_is_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("_running", "_judging"):
        monkeypatch.setattr(f"automl.comparing.{module}.ScoresCandidates", Path)  # no method is one
    plan, kept = plan_in(tmp_path, ONE_SHOT, seeds=1), list[bool]()

    def conduct(study: Study) -> None:
        kept.append(study.keeps_files)
        study.optimize()

    found = compare(plan, conduct=conduct)
    assert kept == [False]
    assert found is not None
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    assert found["agreement"][0]["reason"] == "the method does not say what it thinks of candidates (`scores`)"
    assert "does not say what it thinks of candidates" in page


@pytest.mark.usefixtures("without_finals")
def test_weights_that_were_gone_before_are_told(tmp_path: Path) -> None:
    def conduct(study: Study) -> None:
        study.keeps_files = False
        study.optimize()

    found = compare(plan_in(tmp_path, ONE_SHOT, seeds=1), conduct=conduct)
    assert found is not None
    assert "gone before it was asked" in found["agreement"][0]["reason"]


@pytest.mark.usefixtures("without_finals")
def test_what_a_method_ended_at_is_on_the_page(tmp_path: Path) -> None:
    dnas = "dnas:candidates=6:keep=6:batch_size=10:asked_rows=10:calibration_rows=4:evaluation_rows=6:device=cpu"
    found = compare(plan_in(tmp_path, f"{dnas}:share=0.9:tolerance=9", seeds=1, rows=1500))
    assert found is not None
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    for word in found["runs"][0]["ended_at"]:
        assert word in page
    assert "multiply-adds, and the target is" in page
