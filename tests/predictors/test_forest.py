from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from predictors import PredictorError
from predictors.forest import Forest
from tests.predictors.records import HELD_OUT, SPACE, agreement, trials


@pytest.mark.parametrize("kind", ["extra", "random"])
def test_both_kinds_of_trees_learn(kind: str) -> None:
    assert agreement(Forest(SPACE, kind=kind, trees=50), trials(80)) > 0.4


def test_predictions_are_places() -> None:
    mean = Forest(SPACE, trees=20).fit(trials(40), "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    assert 0 <= mean.min() < mean.max() <= 1


def test_a_single_tree_never_disagrees() -> None:
    found = Forest(SPACE, trees=1).fit(trials(40), "ne", rng=np.random.default_rng(0)).predict(HELD_OUT)
    assert not found.std.any()


def test_what_was_measured_is_known_better_than_what_was_not() -> None:
    record = trials(40)
    forest = Forest(SPACE, trees=50).fit(record, "ne", rng=np.random.default_rng(0))
    assert forest.predict([trial.suggestion for trial in record]).std.mean() < forest.predict(HELD_OUT).std.mean() / 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "oak"}, "kind must be one of extra, random, but is 'oak'"),
        ({"share": 0.0}, "share must be above 0 and at most 1, but is 0.0"),
        ({"trees": 0}, "trees must be at least 1, but is 0"),
        ({"leaf": 0}, "leaf must be at least 1, but is 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PredictorError, match=message.replace("(", r"\(")):
        Forest(SPACE, **options)
