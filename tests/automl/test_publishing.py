from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from automl import Study, StudyError, load_study
from automl.publishing import chosen_trial, publish, winner
from evaluators import Evaluation, Fidelity, Metric, Suggestion, Trial, TrialState
from searchspaces import Options
from storage import Summary
from tests.automl.planted_study import planted_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    made = planted_study(tmp_path_factory.mktemp("publishing"), evaluator={"name": "planted", "fail_every": 5})
    made.optimize(25)
    yield made
    made.close()


class _Listener:
    """Remembers what a mirror is given."""

    def drain(self, timeout_seconds: float) -> bool:
        return timeout_seconds > 0

    def summarize(self, summary: Summary, *, timeout_seconds: float) -> bool:
        self.summary = summary
        self.files = {file.name: file.read_bytes() for file in summary.files}
        self.leaderboard = next(parquet.read_table(file) for file in summary.files if file.suffix == ".parquet")
        self.winner = {file.name for file in summary.winner.files} if summary.winner else set()
        return timeout_seconds > 0


def test_the_best_is_chosen_by_the_first_objective(study: Study) -> None:
    best = min(value for trial in study.trials if (value := trial.value("ne")) is not None)
    assert chosen_trial(study).value("ne") == best


def test_a_searcher_with_a_model_declares_the_best(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = chosen_trial(study)
    worse = [trial for trial in study.trials if trial.evaluation and trial != measured][:2]
    monkeypatch.setattr(Study, "declared", lambda _: worse)
    assert chosen_trial(study) == worse[0]
    assert chosen_trial(study, max_flops=worse[1].value("flops")).value("flops") <= worse[1].value("flops")  # type: ignore[operator]
    assert chosen_trial(study, is_measured=True) == measured


def test_where_the_data_is_gone_the_best_measurement_is_chosen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = planted_study(tmp_path, searcher={"name": "wl_ehvi"})
    made.optimize(4)
    made.close()
    shutil.rmtree(tmp_path / "data")
    again = load_study("s", storage=f"sqlite:///{tmp_path / 'automl.db'}")
    assert chosen_trial(again).value("ne") == min(float(one.value("ne") or 9.0) for one in again.trials)
    assert "takes what was measured" in caplog.text


def test_a_bound_on_flops_is_kept(study: Study) -> None:
    flops = sorted(trial.value("flops") or 0.0 for trial in study.best_trials)
    assert chosen_trial(study, max_flops=flops[0]).value("flops") == flops[0]


def test_an_impossible_bound_names_the_cheapest(study: Study) -> None:
    with pytest.raises(StudyError, match="no feasible trial of at most 1 FLOPs; the cheapest on the front has"):
        chosen_trial(study, max_flops=1.0)


def test_a_failed_trial_cannot_be_chosen(study: Study) -> None:
    failed = next(trial.number for trial in study.trials if trial.failure)
    with pytest.raises(StudyError, match=f"trial {failed} is FAIL"):
        chosen_trial(study, number=failed)


def test_a_trial_of_a_cheap_rung_is_no_winner(tmp_path: Path) -> None:
    study = planted_study(tmp_path, fidelity={"rungs": [{"noise": 0.1}, {"noise": 0.01}]})
    cheap = Suggestion(study.wiring.space.sample(np.random.default_rng(0)), Fidelity(-1))
    study.store.begin(study.name, [cheap], ask_number=0, stage="search")
    study.store.finish(study.name, [(0, Evaluation({"ne": Metric(0.1), "flops": Metric(1.0)}))])
    with pytest.raises(StudyError, match="a winner is a full training, but trial 0 is of rung -1"):
        chosen_trial(study, number=0)
    study.optimize(1)
    assert chosen_trial(study).number == 1
    study.close()


def test_a_winner_is_trained_with_the_settings_of_full_training(tmp_path: Path) -> None:
    ladder = {"rungs": [{"rows": 100}, {"passes": 3}]}
    study = planted_study(tmp_path, evaluator={"name": "train"}, fidelity=ladder)
    full = Suggestion(study.wiring.space.sample(np.random.default_rng(0)), Fidelity(0, Options(passes=3)))
    trial = Trial(0, "search", full, TrialState.COMPLETE, Evaluation({"ne": Metric(0.8), "flops": Metric(1.0)}))
    assert winner(study, trial)["training"]["passes"] == 3
    study.close()


def test_an_unknown_number_is_refused(study: Study) -> None:
    with pytest.raises(StudyError, match="has trials 0 to 24, but 99 was asked for"):
        chosen_trial(study, number=99)


def test_the_tracker_gets_report_front_leaderboard_settings_and_winner(study: Study) -> None:
    listener = _Listener()
    vars(study)["mirror"] = listener
    publish(study)
    del vars(study)["mirror"]
    assert set(listener.files) == {"report.html", "config.yaml", "pareto.json", "leaderboard.parquet", "winner.yaml"}
    assert [row["number"] for row in json.loads(listener.files["pareto.json"])] == [
        trial.number for trial in study.best_trials
    ]
    assert listener.leaderboard.num_rows == 25


def test_the_tracker_gets_the_winner_with_its_files_and_facts(study: Study) -> None:
    listener = _Listener()
    vars(study)["mirror"] = listener
    publish(study, status="KILLED")
    del vars(study)["mirror"]
    summary, best = listener.summary, chosen_trial(study)
    assert summary.winner is not None
    assert (summary.winner.trial, summary.winner.objective) == (best, study.objectives[0])
    assert listener.winner == {"winner.yaml", "architecture.json"}
    assert summary.winner.facts == {
        "arch.fingerprint": best.candidate.fingerprint,
        "ne": repr(best.value("ne")),
        "flops": repr(best.value("flops")),
    }
    assert (summary.status, summary.ended_at) == ("KILLED", max(trial.finished_at or 0.0 for trial in study.trials))
