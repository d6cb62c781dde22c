"""A search by parts of a supernet has a measure of its own, which human-made models outside the space do not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl import create_study
from evaluators import FailureKind
from tests.automl.planted_study import planted_data


@pytest.mark.slow
def test_a_search_ranks_sub_networks_by_a_measure_of_their_own(tmp_path: Path) -> None:
    study = create_study(
        "s",
        data=planted_data(tmp_path / "data"),
        storage=f"sqlite:///{tmp_path / 'automl.db'}",
        space={"name": "autoctr", "blocks": 2, "widths": [4, 8], "embedding_dim": 4},
        searcher={"name": "wl_ehvi", "initial": 4},
        evaluator={"name": "weight_sharing", "rows": 300, "batch_size": 100, "calibration_rows": 200, "device": "cpu"},
        objectives=[{"metric": "supernet_ne"}, {"metric": "flops"}],
        baselines=["deepfm"],
    )
    study.optimize(6)
    study.close()
    control, *searched = study.trials
    assert control.failure is not None
    assert control.failure.kind is FailureKind.INVALID
    assert {trial.value("supernet_rows") for trial in searched} == {300}
    assert study.best_trials[0].value("supernet_ne") == min(trial.value("supernet_ne") or 9.0 for trial in searched)
    assert not any("ne" in trial.evaluation.metrics for trial in searched if trial.evaluation)
