from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Suggestion
from evaluators.weight_sharing import WeightSharing
from searchspaces import Options
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, mlp, write_small_data

SPACE = AutoCTR(SCHEMA, blocks=2, widths=(4, 8), embedding_dim=4)
POINT = SPACE.sample(np.random.default_rng(0))
ROWS = 200


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small", rows=400).folder


def evaluator(data: Path, **options: object) -> WeightSharing:
    return WeightSharing(data, SPACE, 1, **{"rows": ROWS, "batch_size": 50, "device": "cpu", **options})  # type: ignore[arg-type]


def outcome(one: WeightSharing, suggestion: Suggestion) -> Evaluation | Failure:
    ((_, found),) = one.evaluate([suggestion])
    return found


def test_its_measure_is_never_called_ne(data: Path) -> None:
    found = outcome(evaluator(data, evaluation_rows=100, calibration_rows=60), Suggestion(POINT))
    assert isinstance(found, Evaluation)
    assert not {"ne", "auc", "logloss"} & set(found.metrics)
    assert found.value("supernet_rows") == ROWS
    assert found.value("scoring_rows") == 100 + 2 * 60


def test_rows_are_those_of_the_score_and_once_those_of_the_training(data: Path, tmp_path: Path) -> None:
    scoring, uneven = 100 + 2 * 60, {"rows": 90, "sampling": "sandwich", "checkpoint": tmp_path}
    one = evaluator(data, evaluation_rows=100, calibration_rows=60, **uneven)
    found = [outcome(one, Suggestion(SPACE.sample(np.random.default_rng(at)))) for at in range(2)]
    trained = [int(each.value("supernet_rows") or 0) for each in found if isinstance(each, Evaluation)]
    assert trained[0] == trained[1]
    assert trained[0] > 90
    assert trained[0] % 90 == 0  # every row for as many candidates
    used = [each.curve[-1].rows for each in found if isinstance(each, Evaluation)]
    assert used == [scoring + trained[0], scoring]
    again = outcome(evaluator(data, evaluation_rows=100, calibration_rows=60, **uneven), Suggestion(POINT))
    assert isinstance(again, Evaluation)
    assert (again.value("supernet_rows"), again.curve[-1].rows) == (trained[0], scoring)


def test_what_nobody_has_trained_has_no_score(data: Path) -> None:
    found = outcome(evaluator(data), Suggestion(mlp(12)))
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.INVALID
    assert "a supernet has weights for candidates of its space, but this is none" in found.reason


def test_it_goes_on_from_a_checkpoint(data: Path, tmp_path: Path) -> None:
    first, again = (outcome(evaluator(data, checkpoint=tmp_path), Suggestion(POINT)) for _ in range(2))
    assert isinstance(first, Evaluation)
    assert isinstance(again, Evaluation)
    assert first.metrics == again.metrics
    assert len(list(tmp_path.glob("seed-*/supernet.json"))) == 1


def test_a_fidelity_sets_nothing(data: Path) -> None:
    found = outcome(evaluator(data), Suggestion(POINT, Fidelity(-1, Options(rows=5))))
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.INVALID


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampling": "greedy"}, "'sampling' must be one of uniform, fair, sandwich"),
        ({"device": "tpu"}, "'device' must be"),
        ({"cohort_size": 0}, "'cohort_size' must be at least 1"),
        ({"ridge": -1.0}, "'ridge' must be more than zero"),
    ],
)
def test_options_keep_their_rules(data: Path, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        evaluator(data, **wrong)
