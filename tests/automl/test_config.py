from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl import ConfigError
from automl.config import load_config, parse_config, resolve_paths
from automl.templates import template_names, write_template
from searchspaces import zoo_names


def _content(**changes: Any) -> dict[str, Any]:
    return {"schema_version": 1, "study": {"name": "s"}, "data": "d", **changes}


def _mistakes(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(_content(**changes), source="study.yaml")
    return str(caught.value)


def test_defaults_fill_a_minimal_configuration() -> None:
    config = parse_config(_content(), source="study.yaml")
    assert (config.searcher["name"], config.budget.trials) == ("wl_ehvi", 100)
    assert [one.metric for one in config.objective_list()] == ["ne", "flops"]


def test_a_study_that_names_no_baselines_has_a_few_quick_ones_as_its_controls() -> None:
    names = parse_config(_content(), source="study.yaml").baseline_names()
    assert names == ("dcnv2", "deepfm", "dlrm", "logistic_regression", "wide_and_deep")
    assert set(names) < set(zoo_names())
    assert parse_config(_content(baselines=["wukong"]), source="study.yaml").baseline_names() == ("wukong",)


def test_an_unknown_key_gets_a_hint() -> None:
    assert "buget: unknown key; did you mean 'budget'?" in _mistakes(buget={"trials": 3})


def test_an_unknown_key_of_a_section_gets_a_hint() -> None:
    assert "budget.trails: unknown key; did you mean 'trials'?" in _mistakes(budget={"trails": 3})


def test_an_unknown_plugin_gets_a_hint() -> None:
    assert "did you mean 'autoctr'?" in _mistakes(searcher={"name": "autocrt"})


def test_an_unknown_option_of_a_plugin_gets_a_hint() -> None:
    assert "searcher.populaton: unknown option; did you mean 'population'?" in _mistakes(
        searcher={"name": "autoctr", "populaton": 3}
    )


def test_an_ill_typed_option_names_its_value() -> None:
    assert "evaluator.rows: input should be a valid integer" in _mistakes(evaluator={"name": "train", "rows": "many"})


def test_an_unknown_operator_is_a_mistake_of_the_space() -> None:
    config = parse_config(_content(space={"name": "autoctr", "operators": ["mlp"]}), source="study.yaml")
    assert config.space["operators"] == ["mlp"]


def test_an_unknown_metric_gets_a_hint() -> None:
    assert "did you mean 'ne'?" in _mistakes(objectives=[{"metric": "nee"}])


def test_each_metric_is_one_objective() -> None:
    told = _mistakes(objectives=[{"metric": "ne"}, {"metric": "flops"}, {"metric": "ne"}])
    assert "objectives: each metric is one objective, but 'ne' is named 2 times; name it once" in told


def test_a_budget_of_endless_seconds_is_left_out_instead() -> None:
    assert "budget.seconds: input should be a finite number, but is inf" in _mistakes(budget={"seconds": float("inf")})


def test_the_tracker_has_a_database_of_its_own() -> None:
    told = _mistakes(storage="sqlite:///a.db", tracker={"name": "mlflow", "uri": "sqlite:///a.db"})
    assert "tracker.uri: the tracker needs a database of its own, but sqlite:///a.db is the store" in told


def test_an_unknown_baseline_gets_a_hint() -> None:
    assert "did you mean 'deepfm'?" in _mistakes(baselines=["deepfmm"])


def test_all_mistakes_come_at_once() -> None:
    text = _mistakes(budget={"trials": 0}, study={"name": ""}, colour="red")
    assert text.startswith("study.yaml has 3 mistakes:")


def test_another_schema_version_is_refused() -> None:
    assert "reads configurations of schema_version 1, but this one says 2" in _mistakes(schema_version=2)


def test_mistakes_have_lines(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: 1\nstudy: {name: s}\ndata: d\nbuget:\n  trials: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 4: buget: unknown key"):
        load_config(path)


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: 1\nstudy: {name: s\ndata: d\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 3, column \d+: not YAML"):
        load_config(path)


def test_a_missing_file_tells_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; `automl init NAME`"):
        load_config(tmp_path / "nothing.yaml")


def test_a_list_is_no_configuration(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("- 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="must hold a mapping of settings"):
        load_config(path)


def test_tags_run_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: !!python/object/apply:os.system ['touch x']\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(path)


def test_scientific_notation_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    text = "schema_version: 1\nstudy: {name: s}\ndata: d\nevaluator: {name: train, learning_rate: 1e-3}\n"
    path.write_text(text, encoding="utf-8")
    assert load_config(path).evaluator["learning_rate"] == 0.001


def test_paths_resolve_against_the_file(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: 1\nstudy: {name: s}\ndata: d\nstorage: sqlite:///a.db\n", encoding="utf-8")
    config = load_config(path)
    assert config.data == str(tmp_path / "d")
    assert config.storage == f"sqlite:///{tmp_path}/a.db"


def test_the_default_store_lies_beside_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: 1\nstudy: {name: s}\ndata: d\n", encoding="utf-8")
    assert load_config(path).storage == f"sqlite:///{tmp_path}/automl.db"


def test_overrides_win_and_resolve_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: 1\nstudy: {name: s}\ndata: d\nbudget: {trials: 3}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    config = load_config(path, {"data": "mine", "budget.trials": 7, "evaluator.rows": 100})
    assert (config.data, config.budget.trials) == (str(tmp_path / "here" / "mine"), 7)
    assert config.evaluator == {"name": "train", "rows": 100}


def test_the_file_of_a_table_of_trials_resolves_too() -> None:
    content = resolve_paths({"space": {"name": "table", "file": "trials.jsonl"}}, Path("/base"))
    assert content["space"]["file"] == "/base/trials.jsonl"


def test_a_table_of_trainings_is_found_by_space_and_evaluator() -> None:
    both = {"space": {"name": "tabled", "table": "t"}, "evaluator": {"name": "tabular", "table": "/made/t"}}
    content = resolve_paths(both, Path("/base"))
    assert (content["space"]["table"], content["evaluator"]["table"]) == ("/base/t", "/made/t")


def test_a_tracker_of_files_resolves_its_path() -> None:
    content = resolve_paths({"tracker": {"name": "jsonl", "path": "log.jsonl"}}, Path("/base"))
    assert content["tracker"]["path"] == "/base/log.jsonl"


@pytest.mark.parametrize("name", [name for name in template_names() if name != "table"])
def test_every_shipped_configuration_is_valid(name: str, tmp_path: Path) -> None:
    [path] = write_template(name, tmp_path / "study.yaml")
    assert load_config(path).schema_version == 1


def test_a_template_never_overwrites(tmp_path: Path) -> None:
    write_template("movielens", tmp_path / "study.yaml")
    with pytest.raises(ConfigError, match="exists already"):
        write_template("movielens", tmp_path / "study.yaml")


def test_an_unknown_template_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="did you mean 'movielens'"):
        write_template("movielen")


def test_an_external_trainer_starts_beside_the_file_that_names_it() -> None:
    near = resolve_paths({"evaluator": {"name": "external", "command": ["./train"]}}, Path("/study"))
    far = resolve_paths({"evaluator": {"name": "external", "working_folder": "/code"}}, Path("/study"))
    assert near["evaluator"]["working_folder"] == "/study"
    assert far["evaluator"]["working_folder"] == "/code"


def test_a_study_has_no_ladder_unless_said() -> None:
    assert parse_config(_content(), source="study.yaml").fidelity is None


def test_a_ladder_has_audits_by_default_and_promotion_on_request() -> None:
    config = parse_config(_content(fidelity={"rungs": [{"rows": 10, "batch_size": 256}, {}]}), source="study.yaml")
    assert config.fidelity is not None
    assert (config.fidelity.audit.steps, config.fidelity.promotion) == ((12, 24, 36), None)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"rungs": [{"rowz": 10}, {}]}, "fidelity.rungs.0.rowz: no training setting; did you mean 'rows'?"),
        ({"rungs": [{"rows": 0}, {}]}, "fidelity.rungs.0.rows: 'rows' must be a whole number of at least 1, but is 0"),
        ({"rungs": [{"rows": 10}, {"rows": 10}]}, "fidelity.rungs.1: each rung differs from the one before"),
        ({"rungs": [{}]}, "fidelity.rungs: tuple should have at least 2 items"),
        ({"rung": [{}, {}]}, "fidelity.rung: unknown key; did you mean 'rungs'?"),
        (
            {"rungs": [{"rows": 9}, {}], "promotion": {"name": "ahsa"}},
            "fidelity.promotion.name: no promotion 'ahsa'; did you mean 'asha'?",
        ),
        (
            {"rungs": [{"rows": 9}, {}], "promotion": {"reductoin": 3}},
            "fidelity.promotion.reductoin: unknown key; did you mean 'reduction'?",
        ),
        (
            {"rungs": [{"rows": 9}, {}], "audit": {"steps": [24, 12]}},
            "fidelity.audit.steps: each look needs more candidates than the one before, but they are [24, 12]",
        ),
        (
            {"rungs": [{"rows": 9}, {}], "audit": {"shares": 0.5}},
            "fidelity.audit.shares: unknown key; did you mean 'share'?",
        ),
    ],
)
def test_mistakes_of_a_ladder_say_where_they_are(section: dict[str, Any], words: str) -> None:
    assert words in _mistakes(fidelity=section)


def test_mistakes_of_a_ladder_come_with_the_others() -> None:
    told = _mistakes(fidelity={"rungs": [{"rowz": 1, "passes": 0}, {}]}, searcher={"name": "autocrt"})
    assert "has 3 mistakes" in told


def test_settings_of_a_rung_are_those_of_the_evaluator() -> None:
    ladder = {"rungs": [{"noise": 0.1}, {}]}
    assert parse_config(_content(fidelity=ladder, evaluator={"name": "planted"}), source="study.yaml").fidelity


def test_a_method_stands_in_place_of_a_searcher() -> None:
    config = parse_config(_content(method={"name": "one_shot", "keep": 4}), source="study.yaml")
    assert (config.search_name(), config.method) == ("one_shot", {"name": "one_shot", "keep": 4})
    assert parse_config(_content(), source="study.yaml").search_name() == "wl_ehvi"


def test_a_method_has_neither_a_searcher_nor_a_ladder_beside_it() -> None:
    ladder = {"rungs": [{"rows": 20}, {}]}
    told = _mistakes(method={"name": "one_shot"}, searcher={"name": "autoctr"}, fidelity=ladder)
    assert "searcher: a study with a method has none: leave one of the two out" in told
    assert "fidelity: a study with a method has none: what it reads out is trained in full; leave it out" in told


def test_a_wrong_option_of_a_method_gets_a_hint() -> None:
    assert "method.kep: unknown option; did you mean 'keep'?" in _mistakes(method={"name": "one_shot", "kep": 4})
    assert "did you mean 'one_shot'?" in _mistakes(method={"name": "oneshot"})
    assert "method: needs a 'name', one of" in _mistakes(method={"keep": 4})
