from __future__ import annotations

import pytest

from evaluators import EvaluatorError
from evaluators._trees.settings import TreeSettings


def test_a_candidate_overrides_what_it_names() -> None:
    assert TreeSettings().overridden({"num_leaves": 7}) == TreeSettings(num_leaves=7)


def test_an_unknown_setting_gets_the_closest_one() -> None:
    with pytest.raises(EvaluatorError, match="no setting 'num_leafs' of the trees; did you mean 'num_leaves'"):
        TreeSettings().overridden({"num_leafs": 7})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("num_leaves", 1, "a whole number of at least 2"),
        ("native_up_to", -1, "a whole number of at least 0"),
        ("bagging_fraction", 0.0, "more than zero and at most one"),
        ("learning_rate", -1.0, "more than zero and at most one"),
        ("lambda_l2", float("nan"), "a finite number"),
        ("lambda_l1", -1.0, "zero or more"),
        ("large_fields", "native", "one of ordinal, statistics, both"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(name: str, value: object, rule: str) -> None:
    with pytest.raises(EvaluatorError, match=f"'{name}' of the trees must be {rule}"):
        TreeSettings().overridden({name: value})
