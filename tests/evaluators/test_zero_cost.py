from __future__ import annotations

from pathlib import Path

import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Suggestion
from evaluators.zero_cost import ZeroCost
from searchspaces import Options
from searchspaces.cost import cost
from tests.evaluators.small_data import SCHEMA, mlp, suggest, write_small_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small", rows=600).folder


def outcome(evaluator: ZeroCost, suggestion: Suggestion) -> Evaluation | Failure:
    ((_, found),) = evaluator.evaluate([suggestion])
    return found


def test_without_a_short_training_nothing_is_trained(data: Path) -> None:
    found = outcome(ZeroCost(data, 1), suggest(mlp(8)))
    assert isinstance(found, Evaluation)
    architecture = mlp(8).architecture
    assert architecture is not None
    price = cost(architecture, SCHEMA)
    assert (found.value("params"), found.value("flops")) == (price.parameters, price.flops)
    assert set(found.metrics) == {"params", "flops", "macs", "embedding_bytes", "grad_norm", "log_synflow"}


def test_a_short_training_begins_with_the_tables_of_the_control(data: Path) -> None:
    cold, warm = (
        outcome(
            ZeroCost(data, 1, short_steps=2, batch_size=64, warm=warm, learning_rate=0.01, controls=(mlp(16),)),
            suggest(mlp(8)),
        )
        for warm in (False, True)
    )
    assert isinstance(cold, Evaluation)
    assert isinstance(warm, Evaluation)
    assert cold.value("short_rows") == warm.value("short_rows") == 128
    assert warm.value("short_ne") != cold.value("short_ne")


def test_warm_tables_need_a_control(data: Path) -> None:
    found = outcome(ZeroCost(data, 1, short_steps=2), suggest(mlp(8)))
    assert isinstance(found, Failure)
    assert "set 'warm' to false" in found.reason


def test_a_fidelity_sets_nothing(data: Path) -> None:
    found = outcome(ZeroCost(data, 1), Suggestion(mlp(8), Fidelity(-1, Options(rows=5))))
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.INVALID
    assert "sets ['rows']" in found.reason


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"short_steps": -1}, "'short_steps' must be a whole number"), ({"cohort_size": 0}, "'cohort_size' must be")],
)
def test_options_keep_their_rules(data: Path, wrong: dict[str, int], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        ZeroCost(data, 1, **wrong)  # type: ignore[arg-type]  # the rule is what is tested
