"""Where each setting comes from: flag, environment, file or default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl._finding import State
from automl._settings_origin import ENVIRONMENT, Setting, setting_findings, settings_of
from automl._yaml import to_yaml

ROOT = Path(__file__).resolve().parents[2]
INTERNAL = {"AUTOML_DRIVER", "AUTOML_PARENT", "AUTOML_WORKERS", "AUTOML_SHARED_DATA"}
"""What a driver tells its workers, and what tests read."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "synthetic",
        "evaluator": {"batch_size": 64},
        "objectives": [{"metric": "ne"}, {"metric": "flops", "bound": 5}],
        "tracker": {"name": "mlflow", "uri": "https://ann:secret@host/x"},
    }
    (tmp_path / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    return tmp_path / "study.yaml"


def _origins(file: Path, flags: dict[str, object] | None = None, **environment: str) -> dict[str, Setting]:
    return {one.key: one for one in settings_of(file, flags or {}, environment)}


def test_a_flag_beats_the_file_and_the_file_beats_the_default(file: Path) -> None:
    found = _origins(file, {"study.name": "t"})
    assert (found["study.name"].value, found["study.name"].origin) == ("t", "flag")
    assert found["evaluator.batch_size"].origin == "file, line 6"
    assert (found["evaluator.passes"].value, found["evaluator.passes"].origin) == ("1", "default")
    assert found["evaluator.name"] == Setting("evaluator.name", "train", "default")


def test_a_whole_section_may_come_from_a_flag(file: Path) -> None:
    found = _origins(file, {"evaluator": {"name": "planted", "noise": 0.5}})
    assert {found[key].origin for key in ("evaluator.name", "evaluator.noise")} == {"flag"}


def test_items_of_a_list_have_lines_of_their_own(file: Path) -> None:
    found = _origins(file)
    assert found["objectives.1.bound"].origin == "file, line 10"
    assert found["objectives.0.bound"].origin == "default"


def test_the_store_follows_flag_environment_file_default(file: Path) -> None:
    url = "sqlite:////tmp/env.db"
    with_flag = _origins(file, {"storage": "sqlite:////tmp/flag.db"}, AUTOML_STORAGE=url)["storage"]
    assert with_flag == Setting("storage", "sqlite:////tmp/flag.db", "flag")
    assert _origins(file, AUTOML_STORAGE=url)["storage"] == Setting("storage", url, "environment AUTOML_STORAGE")
    assert _origins(file)["storage"].origin == "default"
    with file.open("a") as stream:
        stream.write("storage: sqlite:////tmp/file.db\n")
    assert _origins(file)["storage"].origin == "file, line 14"
    assert _origins(file, AUTOML_STORAGE=url)["storage"].value == url


def test_what_only_the_environment_says_of_the_tracker_is_told(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("  uri: https://ann:secret@host/x\n", ""), encoding="utf-8")
    found = _origins(file, MLFLOW_TRACKING_URI="https://tok3n@other/x", MLFLOW_EXPERIMENT_NAME="mine")
    assert found["tracker.uri"] == Setting("tracker.uri", "https://***@other/x", "environment MLFLOW_TRACKING_URI")
    assert found["tracker.experiment"].origin == "environment MLFLOW_EXPERIMENT_NAME"


def test_secrets_are_masked(file: Path) -> None:
    environment = {"AUTOML_STORAGE": "postgresql://ann:secret@host/db", "MLFLOW_TRACKING_PASSWORD": "secret"}
    settings = settings_of(file, {}, environment)
    findings = setting_findings(settings, environment)
    assert "secret" not in "".join(f"{one.key}{one.value}" for one in settings)
    assert "secret" not in "".join(f"{one.name}{one.value}{one.way_out}" for one in findings)


def test_a_variable_that_the_file_overrules_is_told(file: Path) -> None:
    environment = {"MLFLOW_TRACKING_URI": "sqlite:///other.db"}
    (warning,) = [
        one for one in setting_findings(settings_of(file, {}, environment), environment) if one.state is not State.OK
    ]
    assert warning.value == "tracker.uri of the file is used, not MLFLOW_TRACKING_URI of the environment"
    assert warning.way_out == "take tracker.uri out of the file, or unset MLFLOW_TRACKING_URI"


def test_every_variable_of_ours_is_told() -> None:
    sources = [path for package in ("automl", "evaluators", "storage") for path in (ROOT / package).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r'"(AUTOML_[A-Z_]+)"', path.read_text(encoding="utf-8"))}
    assert named <= {*ENVIRONMENT, *INTERNAL}
