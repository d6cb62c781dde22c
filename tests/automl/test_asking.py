from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from automl import Study
from automl.cli.asking import Kind
from automl.opening import load_study
from evaluators import FailureKind, TrialState, training_seed
from searchspaces import Architecture, Candidate
from tests.automl.cli_runs import Run, run_cli
from tests.automl.planted_study import planted_study


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a study that nobody runs."""
    monkeypatch.chdir(tmp_path)
    planted_study(tmp_path, seed=4, budget={"trials": 3}, searcher={"name": "random_search"}).close()
    return tmp_path


def ask(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `automl ask s` prints."""
    done = run_cli(capsys, "ask", "s")
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads(done.out)
    return document


def tell(capsys: pytest.CaptureFixture[str], number: int, metrics: object) -> Run:
    """Tells metrics from a file."""
    Path("metrics.json").write_text(metrics if isinstance(metrics, str) else json.dumps(metrics))
    return run_cli(capsys, "tell", "s", str(number), "--metrics", "metrics.json")


def loaded() -> Study:
    """The study as its store has it."""
    return load_study("s")


def test_ask_prints_a_candidate_that_can_be_built(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = ask(capsys)
    candidate = document["candidate"]
    assert (document["study"], document["number"], document["stage"]) == ("s", 0, "search")
    assert (candidate["format"], candidate["format_version"]) == ("ctr-automl candidate", 1)
    assert (candidate["study_seed"], candidate["seed"]) == (4, training_seed(4, 0))
    assert candidate["fidelity"] == {"rung": 0, "settings": {}}
    assert Candidate(Architecture.from_dict(candidate["architecture"])).fingerprint == candidate["fingerprint"]
    assert candidate["cost"].keys() == {"params", "macs", "flops", "embedding_bytes"}
    assert candidate["objectives"][0] == {"metric": "ne", "goal": "minimize", "bound": None}
    assert len(candidate["schema"]["fields"]) > 1


def test_an_asked_trial_is_held_though_its_asker_has_ended(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [ask(capsys)["number"], ask(capsys)["number"]] == [0, 1]
    assert [trial.state for trial in loaded().trials] == [TrialState.RUNNING] * 2


def test_ask_keeps_to_the_budget_with_what_is_held(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [ask(capsys)["number"] for _ in range(3)] == [0, 1, 2]
    done = run_cli(capsys, "ask", "s")
    assert (done.code, done.out) == (3, "")
    assert "has spent its budget, running trials counted, or tried every candidate" in done.err
    assert len(loaded().trials) == 3


def test_a_lost_trial_is_given_first(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = [ask(capsys) for _ in range(3)][1]
    study = loaded()
    holder = study.store.workers("s")[0]
    study.store.requeue_lost("s", worker=holder)
    again = ask(capsys)
    assert again["number"] == 0
    assert ask(capsys) == first


def test_ask_can_print_a_row(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "ask", "s", "--format", "table")
    assert done.out.splitlines()[0].split()[:3] == ["number", "stage", "fingerprint"]


def test_baselines_are_asked_for_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    planted_study(tmp_path, baselines=["deepfm"]).close()
    assert [ask(capsys)["stage"], ask(capsys)["stage"]] == ["baseline", "search"]


def test_tell_ends_a_trial_with_its_costs_filled_in(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cost = ask(capsys)["candidate"]["cost"]
    done = tell(capsys, 0, {"metrics": {"ne": [0.81, 0.01]}, "curve": [[100, {"ne": 0.9}]], "seconds": 2})
    assert (done.code, done.out) == (0, "")
    assert "trial 0 COMPLETE: ne 0.8100" in done.err
    (trial,) = loaded().trials
    assert trial.evaluation is not None
    assert (trial.value("ne"), trial.value("flops"), trial.evaluation.seconds) == (0.81, cost["flops"], 2.0)


def test_without_seconds_the_time_since_the_ask_counts(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys)
    tell(capsys, 0, {"ne": 0.8})
    (trial,) = loaded().trials
    assert trial.evaluation is not None
    assert 0.0 < trial.evaluation.seconds < 60.0


def test_metrics_may_come_from_standard_input(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(capsys)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"ne": 0.8}')))
    assert run_cli(capsys, "tell", "s", "0", "--metrics", "-").code == 0


def test_a_number_that_is_not_finite_is_a_failure(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys)
    done = tell(capsys, 0, '{"ne": NaN}')
    assert (done.code, "trial 0 FAIL diverged: metric 'ne' is nan" in done.err) == (0, True)


def test_a_failure_may_be_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys)
    done = run_cli(capsys, "tell", "s", "0", "--failure", "out_of_memory", "--reason", "too\nwide\0")
    assert done.code == 0
    (trial,) = loaded().trials
    assert trial.failure is not None
    assert (trial.failure.kind, trial.failure.reason) == (FailureKind.OUT_OF_MEMORY, "too wide")


def test_a_trial_is_told_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys)
    tell(capsys, 0, {"ne": 0.8})
    before = loaded().trials
    for done in (
        tell(capsys, 0, {"ne": 0.1}),
        run_cli(capsys, "tell", "s", "0", "--failure", "crashed", "--reason", "late"),
    ):
        assert (done.code, "a finished trial never changes, but trial 0 of study 's' is COMPLETE" in done.err) == (
            2,
            True,
        )
    assert loaded().trials == before


@pytest.mark.parametrize("number", [1, 99])
def test_an_unknown_trial_is_refused(place: Path, capsys: pytest.CaptureFixture[str], number: int) -> None:
    ask(capsys)
    done = tell(capsys, number, {"ne": 0.8})
    assert (done.code, f"has trials 0 to 0, but {number} was told of" in done.err) == (2, True)


def test_a_study_without_trials_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "has no trials yet, but 0 was told of; `automl ask` gives" in tell(capsys, 0, {"ne": 0.8}).err


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ("", "the file is empty"),
        ("[1]", "metrics must be a JSON object, but are [1]"),
        ({"auc": 0.7}, "every objective needs its metric, but ne is missing"),
        ({"metrics": {"ne": 0.8}, "failure": {"kind": "crashed", "reason": "x"}}, "has both"),
    ],
)
def test_metrics_that_break_a_rule_change_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], metrics: object, message: str
) -> None:
    ask(capsys)
    before = loaded().trials
    done = tell(capsys, 0, metrics)
    assert (done.code, message in done.err) == (2, True), done.err
    assert loaded().trials == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one of --metrics and --failure"),
        (("--metrics", "a", "--failure", "crashed", "--reason", "b"), "name one of --metrics and --failure"),
        (("--failure", "crashed"), "a failure has a reason"),
        (("--metrics", "nowhere.json"), "nowhere.json cannot be read (No such file"),
        (("--failure", "sulked", "--reason", "b"), "sulked"),
    ],
)
def test_wrong_usage_of_tell_is_told(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    done = run_cli(capsys, "tell", "s", "0", *arguments)
    assert (done.code, message in " ".join(done.err.replace("│", " ").split())) == (2, True), done.err


def test_create_begins_a_study_and_runs_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = [{"name": "user", "kind": "categorical", "vocabulary_size": 40}]
    Path("columns.yaml").write_text(json.dumps({"fields": [*fields, {"name": "price", "kind": "numeric"}]}))
    content = {"schema_version": 1, "study": {"name": "s"}, "data": "columns.yaml", "baselines": []}
    Path("study.yaml").write_text(json.dumps(content))
    done = run_cli(capsys, "create", "study.yaml", "--name", "mine", "--set", "study.seed=9")
    assert (done.code, done.out) == (0, "mine\n")
    study = load_study("mine")
    assert (study.record.seed, study.trials) == (9, [])
    document = json.loads(run_cli(capsys, "ask", "mine").out)
    assert [one["name"] for one in document["candidate"]["schema"]["fields"]] == ["user", "price"]


def test_a_search_goes_on_beside_an_asked_trial(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys)
    assert run_cli(capsys, "resume", "s").code == 0
    assert [trial.state.value for trial in loaded().trials] == ["RUNNING", "COMPLETE", "COMPLETE"]
    assert tell(capsys, 0, {"ne": 0.8}).code == 0


def test_the_kinds_of_failure_are_all_there() -> None:
    assert [kind.value for kind in Kind] == [kind.value for kind in FailureKind]
