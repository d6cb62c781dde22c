from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl import Study
from automl._errors import StudyError
from automl._yaml import to_yaml
from automl.auditing import BASELINE_EVERY, audit, audit_candidates, audit_words, plan_of
from automl.fidelity import AUDIT_STAGE, Verdict, accepted, audit_of
from automl.opening import load_study
from evaluators import Suggestion, Trial
from searchspaces import zoo
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_data, planted_study

LADDER: dict[str, Any] = {"rungs": [{"faithfulness": 0.0}, {"noise": 0.005}, {}]}


def _audited_study(folder: Path, name: str = "s", **sections: Any) -> Study:
    settings = {"searcher": {"name": "random_search"}, "fidelity": LADDER, **sections}
    return planted_study(folder, name, **settings)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = _audited_study(tmp_path)
    yield made
    made.close()


def test_a_faithful_rung_passes_and_a_precise_but_wrong_one_does_not(study: Study) -> None:
    wrong, faithful = audit(study)
    assert (wrong.verdict, faithful.verdict) == (Verdict.REFUSED, Verdict.ACCEPTED)
    assert wrong.agreement is not None
    assert faithful.agreement is not None
    assert wrong.agreement.rung_reliability > 0.99
    assert faithful.agreement.tau > 0.7
    assert faithful.stderr == pytest.approx(0.005, rel=0.5)


def test_rung_and_full_training_are_measured_under_other_replicates(study: Study) -> None:
    audit(study)
    replicates = {(trial.suggestion.fidelity.is_full, trial.suggestion.replicate) for trial in study.trials}
    assert replicates == {(True, 1), (True, 2), (False, 3), (False, 4)}


def test_an_audit_uses_none_of_the_budget_and_stands_on_no_front(study: Study) -> None:
    audit(study)
    assert {trial.stage for trial in study.trials} == {AUDIT_STAGE}
    assert study.best_trials == []
    study.optimize(4)
    assert sum(trial.stage == "search" for trial in study.trials) == 4


def test_a_decided_rung_is_not_evaluated_any_further(study: Study) -> None:
    found = audit(study)
    at = [sum(trial.suggestion.fidelity == one.fidelity for trial in study.trials) for one in found]
    assert at == [2 * one.candidates for one in found]


def test_an_audit_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    whole, part = _audited_study(tmp_path, "whole"), _audited_study(tmp_path, "part")
    expected = audit(whole)
    ended: list[Trial] = []

    def stop_after_five(trial: Trial) -> None:
        ended.append(trial)
        if len(ended) == 5:
            part.stop()

    assert {one.verdict for one in audit(part, on_end=stop_after_five)} == {Verdict.UNDECIDED}
    part.close()
    again = load_study("part", storage=part.config.storage)
    assert audit(again) == expected
    identities = [trial.suggestion.identity for trial in again.trials]
    assert len(identities) == len(set(identities)) == len(whole.trials)
    for one in (whole, again):
        one.close()


def test_trials_that_a_killed_audit_held_are_evaluated_first(study: Study) -> None:
    plan = plan_of(study)
    lost = Suggestion(study.wiring.space.sample(np.random.default_rng(0)), plan.ladder.full, 1)
    study.store.begin(study.name, [lost], ask_number=0, stage=AUDIT_STAGE)
    audit(study)
    assert all(trial.state.is_finished for trial in study.trials)


def test_an_audit_is_a_function_of_its_record(study: Study) -> None:
    assert audit(study) == audit_of(study.trials, plan_of(study))


def test_candidates_that_fail_are_left_out_and_counted(tmp_path: Path) -> None:
    study = _audited_study(
        tmp_path, evaluator={"name": "planted", "fail_every": 12}, fidelity={"rungs": [{"noise": 0.001}, {}]}
    )
    (found,) = audit(study)
    assert found.failed > 0
    assert found.candidates + found.failed in plan_of(study).rule.steps
    study.close()


def test_where_nothing_can_be_evaluated_no_rung_passes(tmp_path: Path) -> None:
    study = _audited_study(tmp_path, evaluator={"name": "planted", "fail_every": 1})
    found = audit(study)
    assert accepted(found) == ()
    assert "only 0 of 36 candidates" in found[0].reason
    assert "no rung passes" in audit_words(found)[-1]
    study.close()


def test_one_in_four_candidates_is_a_baseline_and_none_comes_twice(study: Study) -> None:
    schema = study.wiring.dataset.schema
    baselines = [zoo(name, schema) for name in ("deepfm", "dlrm")]
    rng = np.random.default_rng(1)
    found = [one.fingerprint for one in audit_candidates(study.wiring.space, baselines, 12, rng)]
    assert [found.index(one.fingerprint) for one in baselines] == [0, BASELINE_EVERY]
    assert len(set(found)) == 12


def test_a_study_without_a_ladder_has_nothing_to_audit(tmp_path: Path) -> None:
    study = planted_study(tmp_path)
    with pytest.raises(StudyError, match="'s' has no 'fidelity' section"):
        audit(study)
    study.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the configuration of a planted study on a ladder."""
    planted_data(tmp_path / "data")
    content = {
        "schema_version": 1,
        "study": {"name": "s", "seed": 1},
        "data": "data",
        "searcher": {"name": "random_search"},
        "evaluator": {"name": "planted"},
        "budget": {"trials": 12},
        "baselines": ["deepfm"],
        "fidelity": {**LADDER, "promotion": {"name": "asha", "reduction": 2}},
    }
    (tmp_path / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run_cli(capsys, *arguments, "--format", "json").out)
    return rows


def test_audit_prints_cost_noise_tau_ceiling_and_verdict(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = _rows(capsys, "audit", "study.yaml")
    assert [row["rung"] for row in rows] == [-2, -1, 0]
    assert [row["verdict"] for row in rows] == ["refused", "accepted", "full training"]
    keys = {"settings", "rows", "seconds", "stderr", "reliability", "tau", "tau_low", "tau_high", "ceiling", "reason"}
    assert all(row.keys() >= keys for row in rows)
    assert rows[1]["tau_low"] <= rows[1]["tau"] <= rows[1]["tau_high"]


def test_audit_says_why_and_which_rung_to_use_on_stderr(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "audit", "study.yaml")
    assert done.code == 0
    assert "faithfulness=0.0" in done.out
    assert "rung -2 (faithfulness 0.0) is refused: its order is another one" in done.err
    assert "the cheapest rung that may rank is rung -1 (noise 0.005)" in done.err


def test_a_second_audit_repeats_the_verdicts_and_evaluates_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _rows(capsys, "audit", "study.yaml")
    done = run_cli(capsys, "audit", "study.yaml", "--format", "json")
    assert json.loads(done.out) == first
    assert "trial" not in done.err.replace("trials", "")


def test_a_search_goes_on_with_the_rungs_that_its_audit_accepted(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_cli(capsys, "audit", "study.yaml")
    assert run_cli(capsys, "search", "study.yaml").code == 0
    rows = _rows(capsys, "trials", "s")
    assert len(rows) == 12
    assert {row["rung"] for row in rows} == {-1, 0}
    front = _rows(capsys, "front", "s")
    assert front
    assert {row["rung"] for row in front} == {0}
    assert [row["rung"] for row in _rows(capsys, "trials", "s", "--stage", "baseline")] == [0]
    assert _rows(capsys, "trials", "s", "--stage", "audit")


def test_a_search_without_an_audit_says_so_and_trains_in_full(
    place: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run_cli(capsys, "search", "study.yaml")
    assert {row["rung"] for row in _rows(capsys, "trials", "s")} == {0}
    assert sum("run `automl audit CONFIG` first" in one for one in caplog.messages) == 1


def test_an_audit_measures_what_its_study_measures(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(capsys, "audit", "study.yaml")
    for verb in ("audit", "search"):
        done = run_cli(capsys, verb, "study.yaml", "--set", "evaluator.noise=0.1")
        assert (done.code, "has another evaluator" in done.err) == (2, True)
    done = run_cli(capsys, "search", "study.yaml", "--set", "fidelity.rungs=[{noise: 0.5}, {}]")
    assert "has another fidelity.rungs" in done.err


def test_a_searched_study_can_be_audited_and_searched_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(capsys, "search", "study.yaml", "--trials", "4")
    assert run_cli(capsys, "audit", "study.yaml").code == 0
    assert run_cli(capsys, "resume", "s", "--trials", "+6").code == 0
    rows = _rows(capsys, "trials", "s")
    assert [row["rung"] for row in rows[:4]] == [0] * 4
    assert {row["rung"] for row in rows[4:]} >= {-1}


def test_a_configuration_without_a_ladder_is_told_how_to_get_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run_cli(capsys, "audit", "study.yaml", "--set", "fidelity=null")
    assert (done.code, "add a ladder, such as" in done.err) == (2, True)


def test_a_budget_that_ends_before_the_first_full_training_is_warned_of(
    place: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run_cli(capsys, "search", "study.yaml", "--trials", "3")
    assert "the budget ends after 3 trials, but the first full training may be trial 7" in caplog.messages


def test_the_benchmark_of_audits_gives_rates_with_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run_cli(capsys, "bench", "audits", "--audits", "1", "--seed", "2").out)
    assert (found["audits"], found["seed"]) == (1, 2)
    assert {"rung", "accepted", "accepted_interval", "refused", "refused_interval"} <= found["rungs"][0].keys()


@pytest.mark.slow
def test_a_killed_audit_goes_on_and_repeats_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "automl", "audit", "study.yaml", "--set", "evaluator.seconds=0.05"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for _ in range(10):
            process.stderr.readline()
        process.kill()
    before = load_study("s", storage="sqlite:///automl.db")
    ended = {trial.number: trial for trial in before.trials if trial.state.is_finished}
    before.close()
    assert 9 <= len(ended) < 72
    assert run_cli(capsys, "audit", "study.yaml", "--set", "evaluator.seconds=0.05").code == 0
    after = load_study("s", storage="sqlite:///automl.db")
    assert {number: after.trials[number] for number in ended} == ended
    assert all(trial.state.is_finished for trial in after.trials)
    assert len({trial.suggestion.identity for trial in after.trials}) == len(after.trials)
    after.close()
