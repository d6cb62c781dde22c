from __future__ import annotations

from pathlib import Path

import pytest

from automl import Study, StudyError
from automl.finals._entrants import best_candidates, entrants_of
from automl.tuning import TUNED_STAGE
from evaluators import Evaluation, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options, zoo
from tests.automl.planted_study import planted_study

NE = (Objective("ne"),)


def trial(number: int, ne: float, *, rate: float, rung: int = 0, replicate: int = 0) -> Trial:
    suggestion = Suggestion(Candidate(None, Options(learning_rate=rate)), Fidelity(rung), replicate)
    return Trial(number, "search", suggestion, TrialState.COMPLETE, Evaluation({"ne": Metric(ne)}))


def test_candidates_come_best_first_and_once() -> None:
    trials = [trial(0, 0.9, rate=0.1), trial(1, 0.8, rate=0.2), trial(2, 0.8, rate=0.2, replicate=1)]
    assert [one.number for one in best_candidates(trials, NE)] == [1, 0]


def test_replicates_count_with_their_mean() -> None:
    trials = [trial(0, 0.80, rate=0.1), trial(1, 0.90, rate=0.1, replicate=1), trial(2, 0.84, rate=0.2)]
    assert [one.number for one in best_candidates(trials, NE)] == [2, 0]


def test_only_the_highest_rung_counts() -> None:
    assert [one.number for one in best_candidates([trial(0, 0.7, rate=0.1), trial(1, 0.8, rate=0.2, rung=1)], NE)] == [
        1
    ]


def test_a_candidate_out_of_bounds_is_no_finalist() -> None:
    bounded = (Objective("ne", bound=0.85),)
    assert [one.number for one in best_candidates([trial(0, 0.9, rate=0.1), trial(1, 0.8, rate=0.2)], bounded)] == [1]


def test_finalists_come_before_the_baselines_of_the_study(tmp_path: Path) -> None:
    study = planted_study(tmp_path, baselines=["deepfm"])
    study.optimize(4)
    found = entrants_of(study, top=2)
    assert [one.is_baseline for one in found] == [False, False, True]
    assert found[-1].name == "deepfm"
    assert (
        found[0].trial.number
        == min((one for one in study.trials if one.stage == "search"), key=lambda one: one.value("ne") or 9.0).number
    )


def test_what_the_searcher_declares_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = planted_study(tmp_path)
    study.optimize(4)
    measured = best_candidates(study.trials, study.objectives)
    monkeypatch.setattr(Study, "declared", lambda _: [measured[2], measured[1]])
    assert [one.trial for one in entrants_of(study, top=4)] == [measured[2], measured[1], measured[0], measured[3]]


def test_a_study_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match="finals compare at least two models, but study 's' has not been searched and has 0"
    ):
        entrants_of(planted_study(tmp_path), top=2)


def test_a_search_that_found_nothing_feasible_is_refused(tmp_path: Path) -> None:
    objectives = [{"metric": "ne", "bound": 1e-6}]
    study = planted_study(tmp_path, objectives=objectives, baselines=["deepfm", "dcnv2"])
    study.optimize(2)
    with pytest.raises(StudyError, match="finals need a finalist, but study 's' has no feasible candidate"):
        entrants_of(study, top=2)


def tuned(study: Study, *candidates: tuple[str, Candidate]) -> None:
    """Writes complete tuned winners into the study."""
    for number, (origin, candidate) in enumerate(candidates):
        begun = study.store.begin(
            study.name,
            [Suggestion(candidate, replicate=101, origin=origin)],
            ask_number=number,
            stage=TUNED_STAGE,
            worker=study.worker,
            lease_seconds=60.0,
        )
        study.store.finish(study.name, [(begun[0].number, Evaluation({"ne": Metric(0.8)}))])


TREES = ("lightgbm", Candidate(None, Options(max_rounds=5)))


def test_tuned_trees_are_a_baseline_of_a_study_that_nobody_searched(tmp_path: Path) -> None:
    study = planted_study(tmp_path)
    tuned(study, TREES, ("zoo:deepfm", zoo("deepfm", study.wiring.dataset.schema)))
    found = entrants_of(study, top=3)
    assert [(one.name, one.is_baseline, one.is_trees) for one in found] == [
        ("lightgbm, tuned", True, True),
        ("deepfm, tuned", True, False),
    ]


def test_tuned_winners_of_another_study_come_without_those_that_are_there(tmp_path: Path) -> None:
    study, other = planted_study(tmp_path, baselines=["deepfm"]), planted_study(tmp_path, "other")
    schema = study.wiring.dataset.schema
    study.optimize(2)
    tuned(other, TREES, ("zoo:deepfm", zoo("deepfm", schema)), ("zoo:dcnv2", zoo("dcnv2", schema)))
    found = entrants_of(study, top=1, tuned_in=other)[1:]
    assert [one.name for one in found] == ["deepfm", "lightgbm, tuned in other", "dcnv2, tuned in other"]
    assert [one.home and one.home.name for one in found] == [None, "other", "other"]
    assert len({one.slug for one in found}) == 3


def test_another_study_must_have_tuned_baselines(tmp_path: Path) -> None:
    study, other = planted_study(tmp_path), planted_study(tmp_path, "other")
    with pytest.raises(StudyError, match="--baselines names another study with tuned baselines, but 'other' has none"):
        entrants_of(study, top=1, tuned_in=other)


def test_a_study_is_not_another_one_of_itself(tmp_path: Path) -> None:
    study = planted_study(tmp_path)
    tuned(study, TREES)
    with pytest.raises(StudyError, match="'s' is the study of the finals"):
        entrants_of(study, top=1, tuned_in=study)
