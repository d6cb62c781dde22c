"""A search for the layout of a training: without data, with searchers that know nothing of clusters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl import ConfigError, Study, create_study
from automl.config import load_config, resolve_paths
from automl.templates import write_template
from evaluators import TrialState
from searchspaces import SpaceError
from tests.automl.cli_runs import run_cli

MODEL = {
    "tables": [{"rows": 40_000_000, "dim": 128, "hotness": 9.0}, {"rows": 900, "dim": 16}],
    "dense": {"macs": 10**7},
}
SPACE = {"name": "codesign", "model": MODEL, "cluster": {"device": ["A100", "H100"], "hosts": [1, 2]}}
OBJECTIVES = ("examples_per_second", "dollars_per_billion_examples")


def study(folder: Path, **sections: Any) -> Study:
    settings: dict[str, Any] = {
        "space": SPACE,
        "evaluator": {"name": "simulated_cluster"},
        "searcher": {"name": "random_search"},
        "objectives": OBJECTIVES,
        "baselines": [],
        **sections,
    }
    return create_study("s", data="none", storage=f"sqlite:///{folder / 'automl.db'}", **settings)


def test_every_trial_of_a_search_is_a_plan_that_fits(tmp_path: Path) -> None:
    made = study(tmp_path)
    made.optimize(12)
    assert [trial.state for trial in made.trials] == [TrialState.COMPLETE] * 12
    assert all(0.0 < (trial.value("peak_memory_bytes") or 0.0) < 0.85 * 80e9 for trial in made.trials)
    made.close()


@pytest.mark.slow
def test_tpe_finds_faster_plans_than_the_first_random_ones(tmp_path: Path) -> None:
    made = study(tmp_path, searcher={"name": "tpe"}, objectives=("examples_per_second",))
    made.optimize(60)
    speeds = [trial.value("examples_per_second") or 0.0 for trial in made.trials]
    assert max(speeds[20:]) > 1.2 * max(speeds[:10])
    made.close()


def test_the_front_is_listed_with_what_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = study(tmp_path)
    made.optimize(5)
    made.close()
    found = run_cli(capsys, "front", "s", "--storage", f"sqlite:///{tmp_path / 'automl.db'}")
    assert found.code == 0
    header = found.out.splitlines()[0].split()
    assert header[:3] == ["number", *OBJECTIVES]


def test_a_cluster_that_holds_no_plan_is_told_before_a_study_begins(tmp_path: Path) -> None:
    small = {
        **SPACE,
        "cluster": {"device": "A30", "devices_per_host": [1]},
        "knobs": {"tier": "hbm", "table_dtype": "fp32"},
    }
    with pytest.raises(SpaceError, match=r"no plan of this space fits: .* the smallest change that would fit: 'fp16'"):
        study(tmp_path, space=small)


def test_a_winners_file_is_found_beside_the_configuration() -> None:
    content = {"space": {"name": "codesign", "model": "w.yaml"}, "evaluator": {"coefficients": "own.json"}}
    found = resolve_paths(content, Path("/study"))
    assert found["space"]["model"] == "/study/w.yaml"
    assert found["evaluator"]["coefficients"] == "/study/own.json"
    described = resolve_paths({"space": {"name": "codesign", "model": MODEL}, "data": "none"}, Path("/study"))
    assert (described["space"]["model"], described["data"]) == (MODEL, "none")


def test_the_shipped_configuration_describes_a_cluster_that_fits(tmp_path: Path) -> None:
    [path] = write_template("codesign", tmp_path / "codesign.yaml")
    config = load_config(path, {"storage": f"sqlite:///{tmp_path / 'automl.db'}"})
    made = study(tmp_path, space=json.loads(json.dumps(config.space)), objectives=["examples_per_second"])
    made.optimize(2)
    assert len(made.trials) == 2
    made.close()


def test_a_space_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"space\.model: is required"):
        study(tmp_path, space={"name": "codesign", "cluster": {}})


def test_a_plan_is_exported_for_other_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = study(tmp_path)
    made.optimize(2)
    hosts = made.trials[1].candidate.system["hosts"]
    made.close()
    where = ("--storage", f"sqlite:///{tmp_path / 'automl.db'}", "--trial", "1")
    for target, name in (("torchrec", "plan.json"), ("torchrun", "launch.sh")):
        found = run_cli(capsys, "export", "s", *where, "--to", target, "--out", str(tmp_path / name))
        assert (found.code, found.out.strip()) == (0, str(tmp_path / name))
    constraints = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert set(constraints) == {"table_0", "table_1"}
    assert f"torchrun --nnodes={hosts} --nproc-per-node=8" in (tmp_path / "launch.sh").read_text(encoding="utf-8")


SEARCHERS: dict[str, dict[str, Any]] = {
    "random_search": {},
    "tpe": {},
    "wl_ehvi": {"initial": 8, "pool": 40},
    "cubicml": {"initial": 8, "steps": 20},
}


@pytest.mark.parametrize("objectives", [OBJECTIVES[:1], OBJECTIVES], ids=["one", "two"])
@pytest.mark.parametrize("name", SEARCHERS)
def test_every_searcher_of_systems_lays_a_model_out(tmp_path: Path, name: str, objectives: tuple[str, ...]) -> None:
    made = study(tmp_path, searcher={"name": name, **SEARCHERS[name]}, objectives=objectives)
    made.optimize(11)
    assert [trial.state for trial in made.trials] == [TrialState.COMPLETE] * 11
    assert len({trial.candidate.fingerprint for trial in made.trials}) == 11
    made.close()
