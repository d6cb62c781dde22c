"""The verbs that look, on the command line: gains, their control, the ledger."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from searchspaces import zoo
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_study


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a study that has the user's own baseline, a human-made one and five trials."""
    study = planted_study(
        tmp_path,
        baseline=zoo("dcnv2"),
        baselines=["dlrm"],
        budget={"trials": 5},
        evaluator={"name": "planted", "seconds": 0.001},
        searcher={"name": "random_search"},
    )
    study.optimize()
    study.close()
    return f"sqlite:///{tmp_path / 'automl.db'}"


def test_trials_have_gains_over_the_control(capsys: pytest.CaptureFixture[str], url: str) -> None:
    found = run_cli(capsys, "trials", "s", "--stage", "all", "--storage", url, "--format", "json")
    rows = json.loads(found.out)
    control = rows[0]
    assert (control["origin"], control["gain_percent"]) == ("baseline", 0.0)
    for row in rows:
        assert row["gain_percent"] == pytest.approx(100 * (control["ne"] - row["ne"]) / control["ne"])
    assert found.err == ""


def test_a_table_says_below_which_control_its_gains_refer_to(capsys: pytest.CaptureFixture[str], url: str) -> None:
    for verb in ("trials", "front"):
        found = run_cli(capsys, verb, "s", "--storage", url)
        assert "gain_percent" in found.out
        assert "automl: gains over the control, your baseline (trial 0, ne 0." in found.err
        assert "single trainings have noise, so a small gain may be none" in found.err


def test_show_names_the_control_and_the_gain(capsys: pytest.CaptureFixture[str], url: str) -> None:
    shown = json.loads(run_cli(capsys, "show", "s", "0", "--storage", url).out)
    assert (shown["control"], shown["gain_percent"]) == (0, 0.0)


def test_status_tells_control_gain_and_best_baseline(capsys: pytest.CaptureFixture[str], url: str) -> None:
    [facts] = json.loads(run_cli(capsys, "status", "s", "--storage", url, "--format", "json").out)
    assert (facts["control"], facts["control_number"], facts["control_state"]) == ("baseline", 0, "COMPLETE")
    assert facts["gain_percent"] == pytest.approx(100 * (1 - facts["best_ne"] / facts["control_ne"]))
    assert facts["control_ne_stderr"] == 0.0
    assert facts["best_baseline"] in ("baseline", "zoo:dlrm")


def test_status_of_a_study_without_baselines_has_no_control(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    study = planted_study(tmp_path, budget={"trials": 1})
    study.optimize()
    study.close()
    storage = f"sqlite:///{tmp_path / 'automl.db'}"
    [facts] = json.loads(run_cli(capsys, "status", "s", "--storage", storage, "--format", "json").out)
    assert (facts["control"], facts["gain_percent"]) == (None, None)
    assert "automl: no gains: the study has no baseline yet" in run_cli(capsys, "front", "s", "--storage", storage).err


def test_the_ledger_has_a_row_a_stage_in_every_format(capsys: pytest.CaptureFixture[str], url: str) -> None:
    rows = json.loads(run_cli(capsys, "ledger", "s", "--storage", url, "--format", "json").out)
    assert [(row["stage"], row["complete"], row["rows"]) for row in rows] == [("baseline", 2, 2), ("search", 5, 5)]
    assert rows[1]["seconds"] == pytest.approx(0.005)
    text = run_cli(capsys, "ledger", "s", "--storage", url, "--format", "csv").out
    assert [row["stage"] for row in csv.DictReader(text.splitlines())] == ["baseline", "search"]
    table = run_cli(capsys, "ledger", "s", "--storage", url).out.splitlines()
    assert table[0].split()[:3] == ["stage", "complete", "pruned"]
    assert table[3].startswith(("each 0.01 % of ne gained has cost ", "no gain yet: "))
    assert table[-1].startswith("gains over the control, your baseline (trial 0, ne ")


def test_the_ledger_of_a_study_that_is_not_there_says_so(capsys: pytest.CaptureFixture[str], url: str) -> None:
    found = run_cli(capsys, "ledger", "other", "--storage", url)
    assert found.code == 2
    assert "other" in found.err


def test_the_closing_line_has_a_gain_to_tell(tmp_path: Path) -> None:
    from automl.summary import closing_gain

    study = planted_study(tmp_path, baseline=zoo("dcnv2"), budget={"trials": 3})
    assert closing_gain(study) == ""
    study.optimize()
    assert closing_gain(study).endswith(
        (
            "% better than the control, your baseline (single trainings)",
            "% worse than the control, your baseline (single trainings)",
        )
    )
    study.close()


def test_show_draws_a_trial_with_the_shapes_of_its_data(
    capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    file = tmp_path / "graph.svg"
    shown = run_cli(capsys, "show", "s", "0", "--graph", "--storage", url)
    written = run_cli(capsys, "show", "s", "0", "--graph", "--out", str(file), "--storage", url)
    assert (written.code, written.out.strip()) == (0, str(file))
    assert file.read_text(encoding="utf-8") == shown.out
    texts = {text.text for text in ElementTree.fromstring(shown.out).iter("{http://www.w3.org/2000/svg}text")}
    assert {"cross", "layers 2", "widths 256-128"} <= texts
    assert any(str(text).endswith("FLOPs per example") for text in texts)


def test_a_drawing_of_no_trial_and_a_file_without_drawing_are_told(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    absent = run_cli(capsys, "show", "s", "99", "--graph", "--storage", url)
    assert (absent.code, "but 99 was asked for" in absent.err) == (2, True)
    plain = run_cli(capsys, "show", "s", "0", "--out", "graph.svg", "--storage", url)
    assert (plain.code, "add --graph" in plain.err) == (2, True)
