"""A study of architecture and system together, from its configuration to a winner's file; nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl import ConfigError, create_study
from automl._tables import table_digests
from automl.config import parse_config, resolve_paths
from automl.publishing import training_plan, winner
from evaluators import EvaluatorError
from evaluators.joint import Joint
from tests.evaluators.small_data import write_small_data

KNOBS = {
    "table_optimizer": ["rowwise_adagrad"],
    "groups": [1],
    "wire": ["fp32"],
    "dtype": ["fp32"],
    "batch_size": [256],
}
SPACE = {"name": "joint", "architecture": {"name": "autoctr"}, "system": {"name": "run_settings", "knobs": KNOBS}}
EVALUATOR: dict[str, Any] = {
    "name": "joint",
    "quality": {"name": "train", "weight_decay": 0.1, "cohort_size": 3},
    "speed": {"name": "measured_run", "windows": 2},
}


def sections(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"space": SPACE, "evaluator": EVALUATOR, "searcher": {"name": "random_search"}}
    return {"objectives": ("ne", "speed_ratio"), "baselines": [], **given, **changes}


def test_a_winners_file_trains_as_its_quality_was_measured(tmp_path: Path) -> None:
    data = write_small_data(tmp_path / "data", rows=100).folder
    study = create_study("s", data=data, storage=f"sqlite:///{tmp_path / 'automl.db'}", **sections())
    evaluator = study.wiring.evaluator
    assert isinstance(evaluator, Joint)
    assert evaluator.cohort_size == 3
    trial = study.tell(study.ask().number, {"ne": 0.9, "speed_ratio": 2.0})
    training = winner(study, trial)["training"]
    assert (training["batch_size"], training["weight_decay"]) == (256, 0.1)
    study.close()


def test_a_space_whose_quality_cannot_be_measured_leaves_no_study(tmp_path: Path) -> None:
    data = write_small_data(tmp_path / "data", rows=100).folder
    space = {**SPACE, "system": {"name": "run_settings"}}
    with pytest.raises(EvaluatorError, match=r"knobs: {'table_optimizer'"):
        create_study("s", data=data, storage=f"sqlite:///{tmp_path / 'automl.db'}", **sections(space=space))


def test_the_plan_of_a_model_that_is_laid_out_on_a_cluster_is_given_away(tmp_path: Path) -> None:
    tables = [{"name": "clicks", "rows": 40_000_000, "dim": 128}]
    cluster = {"device": ["H100"], "hosts": [2]}
    fixed = {"global_batch": [16384], "sharding": ["row"], "compute_dtype": ["fp32"], "table_dtype": ["fp32"]}
    system = {
        "name": "codesign",
        "model": {"tables": tables, "dense": {"macs": 10**7}},
        "cluster": cluster,
        "knobs": fixed,
    }
    space = {"name": "joint", "architecture": {"name": "autoctr"}, "system": system}
    neglected = [
        "groups",
        "sync_interval",
        "forward_dtype",
        "backward_dtype",
        "all_reduce_dtype",
        "towers",
        "compression",
    ]
    parts = {"quality": {"name": "train"}, "speed": {"name": "simulated_cluster"}, "neglected": neglected}
    made = sections(space=space, evaluator={"name": "joint", **parts}, objectives=("ne", "qps"))
    data = write_small_data(tmp_path / "data", rows=100).folder
    study = create_study("s", data=data, storage=f"sqlite:///{tmp_path / 'automl.db'}", **made)
    trial = study.tell(study.ask().number, {"ne": 0.9, "qps": 2.0})
    assert json.loads(training_plan(study, trial, is_launch=False))["clicks"]["sharding_types"] == ["row_wise"]
    assert "torchrun --nnodes=2 --nproc-per-node=8" in training_plan(study, trial, is_launch=True)
    study.close()


def test_mistakes_of_sides_and_parts_have_their_place() -> None:
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "d",
        "space": {**SPACE, "architecture": {"name": "autoctr", "block": 3}},
        "evaluator": {**EVALUATOR, "speed": {"name": "measured_runs"}},
    }
    with pytest.raises(ConfigError) as told:
        parse_config(content, source="s")
    assert "space.architecture.block: unknown option; did you mean 'blocks'" in str(told.value)
    assert "evaluator.speed.name: no 'measured_runs' in evaluators; did you mean 'measured_run'" in str(told.value)


def test_paths_of_sides_and_parts_are_found_beside_the_configuration() -> None:
    content = {
        "space": {"name": "joint", "architecture": {"table": "t"}, "system": {"model": "w.yaml"}},
        "evaluator": {"name": "joint", "quality": {"name": "external"}, "speed": {"coefficients": "own.json"}},
    }
    found = resolve_paths(content, Path("/study"))
    assert found["space"]["architecture"]["table"] == "/study/t"
    assert found["space"]["system"]["model"] == "/study/w.yaml"
    assert found["evaluator"]["quality"]["working_folder"] == "/study"
    assert found["evaluator"]["speed"]["coefficients"] == "/study/own.json"


def test_a_table_inside_is_one_of_the_studys_tables(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}", encoding="utf-8")
    side = {"name": "table", "file": str(tmp_path / "rows.jsonl")}
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "d",
        "space": {**SPACE, "architecture": side},
        "evaluator": EVALUATOR,
    }
    assert list(table_digests(parse_config(content, source="s"))) == ["space.architecture.file"]
