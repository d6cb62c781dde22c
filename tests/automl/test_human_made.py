from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl.human_made import schema_of, spread_words, zoo_rows
from searchspaces import Candidate, zoo, zoo_names, zoo_paper
from searchspaces.cost import cost
from tests.automl.cli_runs import run_cli
from tests.evaluators.small_data import SCHEMA, write_small_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("zoo") / "small", rows=600).folder


def test_every_architecture_has_a_row_with_its_paper() -> None:
    rows = zoo_rows()
    assert [row["name"] for row in rows] == list(zoo_names())
    assert [row["paper"] for row in rows] == [zoo_paper(name) for name in zoo_names()]
    assert "flops" not in rows[0]


def test_with_fields_a_row_has_what_the_architecture_costs_there(folder: Path) -> None:
    rows = {row["name"]: row for row in zoo_rows(schema_of(folder))}
    architecture = zoo("deepfm", SCHEMA).architecture
    assert architecture is not None
    price = cost(architecture, SCHEMA)
    assert (rows["deepfm"]["params"], rows["deepfm"]["flops"]) == (price.parameters, 2 * price.macs)


def test_zoo_list_prints_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(run_cli(capsys, "zoo", "list", "--data", str(folder), "--format", "json").out)
    assert [row["name"] for row in rows] == list(zoo_names())
    assert all(row["params"] > 0 for row in rows)
    assert "DeepFM: A Factorization-Machine" in run_cli(capsys, "zoo", "list").out


def test_zoo_show_prints_a_candidate_that_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(run_cli(capsys, "zoo", "show", "dlrm").out)
    assert Candidate.from_dict(content) == zoo("dlrm")
    assert content["paper"] == zoo_paper("dlrm")


def test_an_unknown_name_gets_the_closest_one(capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "zoo", "show", "dcn_v2")
    assert (done.code, "did you mean 'dcnv2'" in done.err) == (2, True)


def test_the_spread_is_told_where_there_is_one() -> None:
    rows: list[dict[str, Any]] = [{"ne": 0.8}, {"ne": 0.9}, {"ne": None}]
    assert spread_words("fm", rows) == "fm: ne 0.8500 ± 0.0707 over 2 replicates on the validation part"
    assert spread_words("fm", rows[:1]) == "fm: ne 0.8000 (one replicate) on the validation part"


@pytest.mark.slow
def test_zoo_train_measures_replicates_on_the_validation_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("zoo", "train", "logistic_regression", "--data", str(folder), "--seeds", "2", "--threads", "1")
    done = run_cli(capsys, *arguments, "--format", "json")
    rows = json.loads(done.out)
    assert [row["replicate"] for row in rows] == [0, 1]
    assert rows[0]["ne"] != rows[1]["ne"]
    assert "over 2 replicates on the validation part" in done.err
