"""Tables of the control as the first ones of a candidate."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluators import Evaluation, EvaluatorError, Failure
from evaluators._training.controls import Controls
from evaluators._training.search_data import SearchData
from evaluators._training.session import Asked, Session
from evaluators._training.settings import TrainingSettings
from evaluators._training.warm_tables import WarmTables
from evaluators._trial import Fidelity, Suggestion
from searchspaces import Candidate, Options
from searchspaces.build import RankingModel, build
from tests.evaluators.small_data import SCHEMA, mlp

SETTINGS = TrainingSettings(batch_size=32)
WARM = Fidelity(-1, Options(rows=64, warm_tables=True))


def _model(candidate: Candidate, seed: int) -> RankingModel:
    assert candidate.architecture is not None
    return build(candidate.architecture, SCHEMA, seed=seed)


def _weight(model: RankingModel) -> Tensor:
    ((_, table),) = [found for source in model.sources().values() for found in source.tables().items()]
    return table.module.weight


def test_tables_that_look_alike_begin_with_the_trained_weights_and_others_stay() -> None:
    trained, alike, wider = _model(mlp(dim=4), 1), _model(mlp(8, dim=4), 2), _model(mlp(dim=8), 2)
    warm, before = WarmTables.of(trained), _weight(wider).clone()
    assert warm.fill(alike) == 1
    assert torch.equal(_weight(alike), _weight(trained))
    assert warm.fill(wider) == 0
    assert torch.equal(_weight(wider), before)


def test_a_warm_rung_trains_otherwise_than_a_cold_one_and_repeats_itself(data: SearchData) -> None:
    cold = Fidelity(-1, Options(rows=64))
    found = []
    for fidelity in (WARM, WARM, cold):
        session = Session(SETTINGS, data, controls=Controls([mlp()], data, SETTINGS, 5, torch.float32))
        ((_, outcome),) = session.outcomes([Asked(Suggestion(mlp(8), fidelity), 5)])
        assert isinstance(outcome, Evaluation)
        found.append(outcome.value("ne"))
    assert found[0] == found[1] != found[2]


def test_without_a_control_there_is_nothing_to_begin_with(data: SearchData) -> None:
    ((_, outcome),) = Session(SETTINGS, data).outcomes([Asked(Suggestion(mlp(8), WARM), 5)])
    assert isinstance(outcome, Failure)
    assert "there is none that can be trained" in outcome.reason


def test_the_setting_is_on_or_off() -> None:
    with pytest.raises(EvaluatorError, match="'warm_tables' must be true or false, but is 1"):
        TrainingSettings(warm_tables=1)  # type: ignore[arg-type]
