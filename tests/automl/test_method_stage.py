"""Studies with a method: its run is one trial, and what it reads out becomes the trials of the search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl import Study, StudyError, load_study
from automl._checkpoint import Advance, Checkpoint
from automl._method_stage import checkpoint_folder
from automl._read_out import METHOD_STAGE
from automl.budget import Budget, Spent, spent
from automl.ledger import ledger_of, ledger_rows
from automl.summary import status_of, study_rows, trial_of
from evaluators import TrialState
from searchspaces import Candidate
from tests.automl.planted_study import planted_study

METHOD = {
    "name": "one_shot",
    "baseline": "logistic_regression",
    "rows": 60,
    "batch_size": 20,
    "candidates": 4,
    "keep": 3,
    "calibration_rows": 20,
    "evaluation_rows": 20,
    "device": "cpu",
}
SPACE = {"name": "autoctr", "blocks": 1, "widths": [4], "embedding_dim": 2}


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))


def study_in(folder: Path, name: str = "s", **sections: Any) -> Study:
    return planted_study(folder, name, **{"method": METHOD, "space": SPACE, "baselines": ["deepfm"], **sections})


def test_what_is_read_out_is_trained_best_first_beside_the_baselines(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    told: list[Advance] = []
    study.optimize(on_advance=told.append)
    run, *others = study.trials
    assert (run.stage, run.state, run.suggestion.origin) == (METHOD_STAGE, TrialState.COMPLETE, "one_shot")
    assert [one.stage for one in others] == ["baseline", "search", "search", "search"]
    assert run.candidate.fingerprint == others[1].candidate.fingerprint
    assert {one.phase for one in told} == {"training", "scoring"}
    assert len(study.best_trials) >= 1


def test_the_ledger_has_the_rows_of_training_and_scoring_and_the_price_of_the_gain_too(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.optimize()
    ledger = ledger_of(study.trials, study.objectives)
    row = next(one for one in ledger_rows(ledger) if one["stage"] == METHOD_STAGE)
    training, scoring = 60 * (2 + 1), (4 + 1) * (20 + 2 * 20)
    assert row["rows"] == training + scoring
    assert row["seconds"] > 0.0
    assert row["peak_memory_bytes"] > 10**7
    assert row["seconds_per_step"] > 0.0
    assert ledger.search is not None
    assert ledger.paid.rows == ledger.search.cost.rows + training + scoring


def test_the_rows_of_a_method_count_for_the_budget_and_its_trial_does_not(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.optimize()
    used = spent(study.trials)
    assert (used.trials, used.rows) == (3, 3 + 480)  # a planted evaluation sees one row
    assert not Budget(rows=480).allows(spent(study.trials[:1]))


def test_a_budget_that_the_method_has_spent_leaves_the_baselines_alone(tmp_path: Path) -> None:
    study = study_in(tmp_path, budget={"rows": 480})
    study.optimize()
    assert [one.stage for one in study.trials] == [METHOD_STAGE, "baseline"]


def test_its_share_of_the_budget_decides_its_rows(tmp_path: Path) -> None:
    method = {name: value for name, value in METHOD.items() if name != "rows"}
    study = study_in(tmp_path, method={**method, "share": 0.5}, budget={"rows": 1200})
    study.optimize()
    scoring = 5 * 60
    assert study.trials[0].value("training_rows") == 600 - scoring
    assert spent(study.trials[:1]) == Spent(0, spent(study.trials[:1]).seconds, 600)


def test_a_budget_that_does_not_pay_for_its_scores_is_told(tmp_path: Path) -> None:
    method = {name: value for name, value in METHOD.items() if name != "rows"}
    with pytest.raises(ValueError, match=r"5 scores take 300 of them; enlarge budget\.rows"):
        study_in(tmp_path, method=method, budget={"rows": 500}).optimize()


def test_a_stopped_method_goes_on_and_decides_the_same(tmp_path: Path) -> None:
    whole = study_in(tmp_path, "whole")
    whole.optimize()
    stopped = study_in(tmp_path, "stopped")
    stopped.read_out(on_advance=lambda advance: stopped.stop())
    assert stopped.trials == []
    assert "training 1 steps, 60 rows" in status_of(load_study("stopped", storage=stopped.config.storage))["method"]
    again = load_study("stopped", storage=stopped.config.storage)
    again.optimize()
    assert fingerprints(again) == fingerprints(whole)


def fingerprints(study: Study) -> list[tuple[str, str]]:
    return [(one.stage, one.candidate.fingerprint) for one in study.trials]


def test_a_finished_run_is_never_repeated(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.optimize(1)
    told: list[Advance] = []
    study.optimize(on_advance=told.append)
    assert told == []
    assert [one.stage for one in study.trials].count(METHOD_STAGE) == 1
    assert [one.stage for one in study.trials].count("search") == 3


def test_a_run_that_was_begun_in_the_store_and_not_ended_is_ended_by_its_memo(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.read_out()
    [run] = study.trials
    other = study_in(tmp_path, "other")
    other.store.begin("other", [run.suggestion], ask_number=0, stage=METHOD_STAGE)
    other.read_out()
    [ended] = other.trials
    assert ended.state is TrialState.COMPLETE
    assert ended.evaluation is not None
    assert run.evaluation is not None
    assert ended.evaluation.metrics == run.evaluation.metrics


def test_nothing_is_asked_before_the_method_has_run(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    with pytest.raises(StudyError, match="nothing to ask before its method has read out its candidates; run it with"):
        study.ask()
    assert study.trials == []
    study.read_out()
    first, second = study.ask(), study.ask()
    assert (first.stage, second.stage, second.suggestion.origin) == ("baseline", "search", "one_shot")


def test_status_and_studies_name_the_method(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    assert status_of(study)["method"] == "has not begun here"
    study.read_out()
    facts = status_of(study)
    assert (facts["searcher"], facts["method"], facts["rows"]) == ("one_shot", "has read out 3 candidates", 480)
    assert [one["searcher"] for one in study_rows(study.config.storage)] == ["one_shot"]


class Fixed:
    """Reads out what it is given."""

    def __init__(self, *found: Candidate) -> None:
        self._found = found

    def run(self, checkpoint: Checkpoint) -> Any:
        yield from self._found


@pytest.mark.parametrize(
    ("copies", "message"), [(0, "has read out none"), (2, "has read one out twice")], ids=["none", "twice"]
)
def test_a_broken_read_out_is_told_and_leaves_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: int, message: str
) -> None:
    study = study_in(tmp_path)
    candidate = study.wiring.space.sample(np.random.default_rng(1))
    monkeypatch.setitem(vars(study), "wiring", replace(study.wiring, method=Fixed(*[candidate] * copies)))
    with pytest.raises(ValueError, match=message):
        study.read_out()
    assert study.trials == []


def test_a_checkpoint_has_a_place_of_its_own_for_each_study(tmp_path: Path) -> None:
    assert checkpoint_folder("one") != checkpoint_folder("other")
    assert checkpoint_folder("one").is_relative_to(tmp_path / "home")


@pytest.mark.parametrize("keeps_files", [False, True])
def test_weights_go_when_the_read_out_is_in_the_store(tmp_path: Path, *, keeps_files: bool) -> None:
    study = study_in(tmp_path)
    study.keeps_files = keeps_files
    study.optimize()
    folder = checkpoint_folder(study.record.uid)
    assert bool(list(folder.rglob("*.safetensors"))) is keeps_files
    assert (Checkpoint(folder).kept() is not None) is keeps_files
    assert set(Checkpoint(folder).accounts) == {"training", "scoring"}
    study.keeps_files = False
    study.optimize()
    assert list(folder.rglob("*.safetensors")) == []


def test_what_a_method_says_of_its_end_is_in_its_trial_the_status_and_nowhere_else(tmp_path: Path) -> None:
    method = {name: value for name, value in METHOD.items() if name != "baseline"} | {"name": "dnas", "asked_rows": 20}
    study = study_in(tmp_path, method=method)
    study.optimize(1)
    shown = trial_of(study, 0)["verdict"]
    assert shown["guard"]["even"] > 0
    assert status_of(study)["method_verdict"] == "; ".join(shown["words"])
    assert "multiply-adds, and the target is" in shown["words"][0]
    assert "verdict" not in trial_of(study, 1)
