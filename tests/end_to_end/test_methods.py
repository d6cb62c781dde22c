"""A method in a process of its own, killed without a word, and the study that goes on from its checkpoint."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl import Study, load_study
from automl._checkpoint import FACTS_FILE
from automl._yaml import to_yaml
from automl.config import load_config
from automl.opening import open_new
from automl.validation import prepare

STEPS = 40
METHODS: dict[str, dict[str, object]] = {"one_shot": {}, "dnas": {"asked_rows": 20}}


def _write_config(place: Path, name: str, method: str) -> Path:
    content = {
        "schema_version": 1,
        "study": {"name": name, "seed": 1},
        "data": "data",
        "space": {"name": "autoctr", "blocks": 2, "widths": [8], "embedding_dim": 4},
        "method": {
            "name": method,
            "rows": 20 * STEPS,
            "batch_size": 20,
            "candidates": 4,
            "keep": 2,
            "calibration_rows": 50,
            "evaluation_rows": 50,
            "checkpoint_seconds": 0.05,
            "device": "cpu",
            **METHODS[method],
        },
        "evaluator": {"name": "planted"},
        "baselines": ["deepfm"],
    }
    (place / f"{name}.yaml").write_text(to_yaml(content), encoding="utf-8")
    return place / f"{name}.yaml"


def _steps(home: Path) -> int:
    for path in home.glob(f"methods/*/{FACTS_FILE}"):
        steps: int = json.loads(path.read_text(encoding="utf-8"))["facts"]["steps"]
        return steps
    return 0


def _decisions(study: Study) -> list[tuple[str, str]]:
    return [(one.stage, one.candidate.fingerprint) for one in study.trials]


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_killed_method_goes_on_from_its_checkpoint_and_decides_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("AUTOML_HOME", str(home))
    prepare("synthetic", out=tmp_path / "data", options={"rows": 2000})
    command = [sys.executable, "-m", "automl", "search", str(_write_config(tmp_path, "killed", method))]
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"AUTOML_HOME": str(home)})
    ends_at = time.monotonic() + 120
    while _steps(home) < 5:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < ends_at, "it has kept no checkpoint within two minutes"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 5 <= _steps(home) < STEPS
    storage = f"sqlite:///{tmp_path / 'automl.db'}"
    killed, whole = (
        load_study("killed", storage=storage),
        open_new(load_config(_write_config(tmp_path, "whole", method))),
    )
    assert killed.trials == []
    killed.optimize()
    whole.optimize()
    assert _decisions(killed) == _decisions(whole)
    assert killed.trials[0].value("training_steps") == whole.trials[0].value("training_steps") == STEPS
