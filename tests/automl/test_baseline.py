"""The user's own model: what may be written, what is refused and why, and what a study makes of it."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from automl import ConfigError, ExportError, Study, create_study, load_study
from automl._wiring import wire
from automl._yaml import to_yaml
from automl.baseline import own_baseline
from automl.config import load_config, parse_config
from automl.control import control_of
from automl.export import write_winner
from automl.publishing import winner
from evaluators import TrialState
from searchspaces import Architecture, Candidate, FeatureSchema, Field, Kind, Node, Options, zoo
from tests.automl.planted_study import planted_data, planted_study

SCHEMA = FeatureSchema(
    (Field("age", Kind.NUMERIC), Field("user", Kind.CATEGORICAL, 20), Field("item", Kind.CATEGORICAL, 30))
)
NODES: list[dict[str, Any]] = [
    {"block": "numeric"},
    {"block": "full", "options": {"dim": 16}},
    {"block": "mlp", "inputs": [0, 1], "options": {"width": 64}},
    {"block": "logit", "inputs": [2]},
]
MODEL: dict[str, Any] = {"architecture": {"version": 1, "nodes": NODES}}


def read(path: Path | dict[str, Any], schema: FeatureSchema = SCHEMA, **evaluator: Any) -> Candidate:
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "d",
        "evaluator": {"name": "train", **evaluator},
        "baseline": str(path) if isinstance(path, Path) else path,
    }
    found = own_baseline(parse_config(content, source="study.yaml"), schema)
    assert found is not None
    return found


def written(folder: Path, content: dict[str, Any] | str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else to_yaml(content), encoding="utf-8")
    return path


def mistakes(content: Any, schema: FeatureSchema = SCHEMA) -> str:
    with pytest.raises(ConfigError) as caught:
        read(content, schema)
    return str(caught.value)


def nodes(*changed: dict[str, Any]) -> dict[str, Any]:
    return {"architecture": {"version": 1, "nodes": list(changed)}}


def test_yaml_and_json_of_the_form_of_the_zoo_are_models(tmp_path: Path) -> None:
    from_yaml = read(written(tmp_path, MODEL))
    from_json = read(written(tmp_path, json.dumps({**MODEL, "training": {}, "system": {}}), "mine.json"))
    alone = read(written(tmp_path, MODEL["architecture"], "alone.yaml"))
    assert from_yaml == from_json == alone
    assert from_yaml.architecture == Architecture.from_dict(MODEL["architecture"])


def test_every_model_of_the_zoo_can_be_a_baseline(tmp_path: Path) -> None:
    for name in ("dcnv2", "dlrm"):
        assert read(written(tmp_path, json.dumps(zoo(name).to_dict()), f"{name}.json")) == zoo(name)


def test_a_study_without_one_has_none() -> None:
    config = parse_config({"schema_version": 1, "study": {"name": "s"}, "data": "d"}, source="study.yaml")
    assert own_baseline(config, SCHEMA) is None


def test_settings_that_the_study_trains_with_anyway_do_not_make_another_candidate(tmp_path: Path) -> None:
    model = {**MODEL, "training": {"learning_rate": 0.002, "batch_size": 512, "weight_decay": 0.1}}
    assert read(model, learning_rate=2e-3).training == Options(weight_decay=0.1)
    assert read(model).training == Options(weight_decay=0.1, learning_rate=0.002)


def test_settings_of_another_evaluator_are_its_own() -> None:
    content = {"schema_version": 1, "study": {"name": "s"}, "data": "d", "evaluator": {"name": "planted"}}
    config = parse_config({**content, "baseline": {**MODEL, "training": {"shards": 3}}}, source="study.yaml")
    found = own_baseline(config, SCHEMA)
    assert found is not None
    assert found.training == Options(shards=3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nodes({"block": "numerik"}, *NODES[1:]), "did you mean 'numeric'?"),
        (nodes(*NODES[:2], {"block": "mpl", "inputs": [0]}, NODES[3]), "did you mean 'mlp'?"),
        (nodes(*NODES[:2], {**NODES[2], "options": {"widht": 3}}, NODES[3]), "architecture: node 2: "),
        (nodes(*NODES[:3]), "end with a 'logit'"),
        (nodes(NODES[0], {"block": "logit", "inputs": [3]}), "inputs must point to earlier nodes, but node 1"),
        ({"architecture": {"nodes": NODES}}, "reads architectures of version 1, but got version None"),
        ({"architecture": [1]}, "architecture: must be a mapping, but is list"),
        ({**MODEL, "training": 3}, "training: must be a mapping, but is int"),
        ({"training": {"passes": 2}}, "architecture: is required (version, nodes)"),
        ({**MODEL, "trainin": {}}, "trainin: unknown key of a model; did you mean 'training'?"),
        ({**MODEL, "training": {"passses": 2}}, "training: no training setting 'passses'; did you mean 'passes'?"),
        ({**MODEL, "training": {"passes": 0}}, "training: 'passes' must be a whole number of at least 1, but is 0"),
        ({**MODEL, "training": {"passes": {"a": 1}}}, "'passes'"),
    ],
)
def test_a_model_that_breaks_a_rule_is_refused_with_the_way_out(content: dict[str, Any], message: str) -> None:
    assert message in mistakes(content)


def test_a_source_that_the_data_cannot_feed_is_named() -> None:
    only_ids = FeatureSchema(SCHEMA.categorical)
    assert "node 0: the source 'numeric' needs a numeric field, but the schema has none" in mistakes(MODEL, only_ids)


def test_mistakes_name_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, nodes({"block": "numerik"}, *NODES[1:]))
    assert mistakes(path).startswith(f"{path} has one mistake:")


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path: Path) -> None:
    assert "the file of the baseline is not there; name a winner file" in mistakes(tmp_path / "gone.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    assert "the baseline cannot be read: " in mistakes(tmp_path / "bytes.yaml")
    assert "the baseline cannot be read: " in mistakes(tmp_path)


def test_a_file_that_is_no_yaml_names_its_line(tmp_path: Path) -> None:
    assert "line 2, column 1: not YAML" in mistakes(written(tmp_path, "architecture: {a: [\n"))
    assert "must hold a mapping of settings" in mistakes(written(tmp_path, "- 1\n"))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.baseline.MAX_BYTES", 10)
    assert "a model has at most 10 bytes, but this has " in mistakes(written(tmp_path, MODEL))


def test_a_configuration_takes_a_path_or_a_model_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    text = "schema_version: 1\nstudy: {name: s}\ndata: d\nbaseline: "
    path.write_text(text + "mine.yaml\n", encoding="utf-8")
    assert load_config(path).baseline == str(tmp_path / "mine.yaml")
    path.write_text(text + "3\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "line 4: baseline: must be the path of a model, or {architecture: ..., training: ...}, but is 3" in str(
        caught.value
    )


def test_an_overriding_path_resolves_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    path = tmp_path / "study.yaml"
    path.write_text("schema_version: 1\nstudy: {name: s}\ndata: d\nbaseline: a.yaml\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    assert load_config(path, {"baseline": "b.yaml"}).baseline == str(tmp_path / "here" / "b.yaml")


def exported(folder: Path, **sections: Any) -> Path:
    """The winner file of a small study."""
    study = planted_study(folder, "first", budget={"trials": 4}, searcher={"name": "random_search"}, **sections)
    study.optimize()
    path = write_winner(folder / "winner.yaml", winner(study, study.best_trials[0]))
    study.close()
    return path


def outcome(study: Study) -> list[tuple[str, str]]:
    return [(trial.stage, trial.suggestion.origin) for trial in study.trials if trial.stage == "baseline"]


def test_what_a_study_exports_is_the_control_and_a_start_of_the_next_one(tmp_path: Path) -> None:
    path = exported(tmp_path)
    study = planted_study(tmp_path, "next", baseline=str(path), baselines=["dcnv2"], budget={"trials": 6})
    study.optimize()
    control = control_of(study.trials, study.objectives)
    assert control is not None
    assert (control.number, control.suggestion.origin, control.state) == (0, "baseline", TrialState.COMPLETE)
    assert outcome(study) == [("baseline", "baseline"), ("baseline", "zoo:dcnv2")]
    assert study.record.facts["baseline"]["start_point"] is True
    assert control.candidate.fingerprint == study.record.facts["baseline"]["fingerprint"]
    mutants = [trial for trial in study.trials if trial.suggestion.parents == (0,)]
    assert len(mutants) == 3
    study.close()


def test_a_baseline_that_is_one_of_the_zoo_is_measured_once(tmp_path: Path) -> None:
    study = planted_study(tmp_path, baseline=zoo("dcnv2"), baselines=["dcnv2", "dlrm"], budget={"trials": 1})
    study.optimize()
    assert outcome(study) == [("baseline", "baseline"), ("baseline", "zoo:dlrm")]
    study.close()


def test_a_study_says_once_that_its_baseline_is_no_start_point_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="automl"):
        study = planted_study(tmp_path, baseline=zoo("dcnv2"), budget={"trials": 3})
        study.optimize()
        study.close()
        again = load_study("s", storage=f"sqlite:///{tmp_path / 'automl.db'}")
        again.optimize(1)
    told = [one.getMessage() for one in caplog.records if "start point" in one.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("the baseline is the control, but no start point, as it is no point of the space: ")
    assert again.record.facts["baseline"]["start_point"] is False
    assert sum(trial.state is TrialState.COMPLETE for trial in again.trials) == 5
    again.close()


@pytest.mark.parametrize("change", ["gone", "broken", "other"])
def test_a_study_goes_on_with_the_model_that_it_began_with(tmp_path: Path, change: str) -> None:
    path = written(tmp_path, MODEL)
    study = planted_study(tmp_path, baseline=str(path))
    study.close()
    path.unlink() if change == "gone" else written(tmp_path, "[" if change == "broken" else zoo("dlrm").to_dict())
    again = load_study("s", storage=f"sqlite:///{tmp_path / 'automl.db'}")
    again.optimize(1)
    assert again.trials[0].suggestion.origin == "baseline"
    assert again.trials[0].candidate.architecture == Architecture.from_dict(MODEL["architecture"])
    assert wire(again.record, load_live(tmp_path, path)).baselines[0] == again.trials[0].suggestion
    again.close()


def load_live(folder: Path, path: Path) -> Any:
    content = {"schema_version": 1, "study": {"name": "s"}, "data": str(planted_data(folder / "data"))}
    extra = {"evaluator": {"name": "planted"}, "baselines": [], "baseline": str(path)}
    return parse_config({**content, **extra}, source="study.yaml")


def test_an_architecture_and_a_path_are_taken_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = Architecture.from_dict(MODEL["architecture"])
    assert planted_study(tmp_path, "a", baseline=architecture).wiring.baselines[0].candidate == Candidate(architecture)
    written(tmp_path, MODEL)
    monkeypatch.chdir(tmp_path)
    study = planted_study(tmp_path, "b", baseline=Path("mine.yaml"))
    assert study.record.config["baseline"] == str(tmp_path / "mine.yaml")


def test_a_baseline_that_does_not_fit_leaves_no_study_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'mlp'"):
        planted_study(tmp_path, baseline=nodes(NODES[0], {"block": "mpl", "inputs": [0]}, NODES[3] | {"inputs": [1]}))
    assert not (tmp_path / "automl.db").exists()


def test_a_winner_of_data_with_other_fields_names_them(tmp_path: Path) -> None:
    path = exported(tmp_path)
    known = create_fields(tmp_path)
    kept = FeatureSchema((*known[2:], Field(known[1].name, Kind.NUMERIC), Field("new", Kind.NUMERIC)))
    text = mistakes(path, kept)
    assert f"the model reads the field {known[0].name!r}, but the data has none; " in text
    assert f"the model reads {known[1].name!r} as {known[1].kind.value}, but in the data it is numeric" in text
    assert "to measure the same blocks on the data's own fields, keep the file's 'architecture' alone" in text


def create_fields(folder: Path) -> tuple[Field, ...]:
    """The fields of the small data, categorical ones first."""
    study = load_study("first", storage=f"sqlite:///{folder / 'automl.db'}")
    schema = FeatureSchema.from_dict(study.record.facts["data"]["schema"])
    study.close()
    return (*schema.categorical, *schema.numeric)


def test_fields_that_a_winner_does_not_know_are_no_mistake(tmp_path: Path) -> None:
    path = exported(tmp_path)
    assert read(path, FeatureSchema((*create_fields(tmp_path), Field("new", Kind.NUMERIC)))).training == Options()


def test_a_winner_that_was_edited_by_hand_is_refused(tmp_path: Path) -> None:
    path = exported(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^  macs: (\d)", r"  macs: 1\1", text, flags=re.MULTILINE), encoding="utf-8")
    with pytest.raises(ExportError, match="MAC count must be that of its architecture"):
        read(path, FeatureSchema(create_fields(tmp_path)))


def test_a_node_is_a_node() -> None:
    assert read(MODEL).architecture == Architecture(
        (
            Node("numeric"),
            Node("full", (), Options(dim=16)),
            Node("mlp", (0, 1), Options(width=64)),
            Node("logit", (2,)),
        )
    )


def test_create_study_without_a_baseline_stays_as_it_was(tmp_path: Path) -> None:
    study = create_study("s", data=planted_data(tmp_path / "data"), storage=f"sqlite:///{tmp_path / 'a.db'}")
    assert study.record.config["baseline"] is None
    assert "baseline" not in study.record.facts
    study.close()


@pytest.mark.parametrize(("named", "there"), [({}, set()), ({"baselines": ["deepfm"]}, {"zoo:deepfm"})])
def test_a_space_without_models_has_no_human_made_ones_beside_it_unless_they_are_named(
    tmp_path: Path, named: dict[str, Any], there: set[str]
) -> None:
    study = create_study(
        "systems",
        data=planted_data(tmp_path / "data"),
        storage="memory://",
        space={"name": "run_settings"},
        evaluator={"name": "measured_run"},
        objectives=["speed_ratio"],
        **named,
    )
    assert {one.origin for one in study.wiring.baselines} == there
    study.close()
