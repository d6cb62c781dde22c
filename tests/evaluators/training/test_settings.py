"""Training settings: what is allowed, and who overrides whom."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators import EvaluatorError
from evaluators._training.settings import TrainingSettings
from searchspaces import Options


def test_the_last_layer_wins() -> None:
    settings = TrainingSettings(rows=100, passes=2).overridden(Options(rows=50, batch_size=8), Options(rows=10))
    assert (settings.rows, settings.passes, settings.batch_size) == (10, 2, 8)


def test_a_layer_may_lift_a_cap() -> None:
    assert TrainingSettings(rows=100).overridden({"rows": None}).rows is None


def test_tables_learn_at_five_times_the_common_rate_unless_they_have_their_own() -> None:
    assert TrainingSettings(learning_rate=0.5).table_learning_rate == 2.5
    assert TrainingSettings(learning_rate=0.5, embedding_learning_rate=0.1).table_learning_rate == 0.1


def test_an_unknown_setting_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(EvaluatorError, match=r"no training setting 'learning_rat'; did you mean 'learning_rate'\?"):
        TrainingSettings().overridden({"learning_rat": 0.1})


def test_an_unknown_setting_like_no_other_is_refused_with_all_of_them() -> None:
    with pytest.raises(EvaluatorError, match=r"no training setting 'zzz'; \(known: rows, prefix, negative"):
        TrainingSettings().overridden({"zzz": 1})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "'rows' must be a whole number of at least 1, but is 0"),
        ({"rows": True}, "'rows' must be a whole number of at least 1, but is True"),
        ({"batch_size": 0.5}, "'batch_size' must be a whole number of at least 1, but is 0.5"),
        ({"passes": None}, "'passes' must be a whole number of at least 1, but is None"),
        ({"hash_cap": -1}, "'hash_cap' must be a whole number of at least 1, but is -1"),
        ({"learning_rate": 0}, "'learning_rate' must be more than zero, but is 0"),
        ({"learning_rate": "fast"}, "'learning_rate' must be a finite number, but is 'fast'"),
        ({"embedding_learning_rate": float("inf")}, "'embedding_learning_rate' must be a finite number, but is inf"),
        ({"prefix": 1}, "'prefix' must be true or false, but is 1"),
        ({"negative_rate": 0.0}, "'negative_rate' must be more than zero and at most one, but is 0.0"),
        ({"negative_rate": 1.5}, "'negative_rate' must be more than zero and at most one, but is 1.5"),
        ({"weight_decay": -0.1}, "'weight_decay' must be zero or more, but is -0.1"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        TrainingSettings(**wrong)
