from __future__ import annotations

import numpy as np

from automl.proposals import KnownCosts
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate, FeatureSchema, Field, Kind
from searchspaces.cost import cost
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished

SCHEMA = FeatureSchema((Field("age", Kind.NUMERIC), Field("city", Kind.CATEGORICAL, 10)))
OBJECTIVES = (Objective("ne"), Objective("flops"), Objective("params"))
SPACE = AutoCTR(SCHEMA, blocks=3)


def candidate(seed: int) -> Candidate:
    return SPACE.sample(np.random.default_rng(seed))


def told(factor: float) -> Trial:
    one = candidate(9)
    assert one.architecture
    price = cost(one.architecture, SCHEMA)
    metrics = {"ne": Metric(0.9), "flops": Metric(factor * price.flops), "params": Metric(price.parameters)}
    return finished(0, Suggestion(one), Evaluation(metrics))


def test_costs_are_those_of_the_closed_forms_in_the_order_of_the_objectives() -> None:
    costs = KnownCosts(OBJECTIVES, SCHEMA)
    assert [one.metric for one in costs.objectives] == ["flops", "params"]
    found = costs.losses([candidate(1), candidate(2)])
    prices = [cost(one.architecture, SCHEMA) for one in (candidate(1), candidate(2)) if one.architecture]
    assert found is not None
    np.testing.assert_array_equal(found, [[price.flops, price.parameters] for price in prices])


def test_what_was_told_otherwise_is_not_known_any_more() -> None:
    costs = KnownCosts(OBJECTIVES, SCHEMA)
    costs.check([told(1.0), finished(1, Suggestion(candidate(3)), Failure(FailureKind.CRASHED, "it fell"))])
    assert [one.metric for one in costs.objectives] == ["flops", "params"]
    costs.check([told(2.0)])
    assert [one.metric for one in costs.objectives] == ["params"]


def test_without_a_schema_nothing_is_known_and_without_an_architecture_there_is_no_answer() -> None:
    assert KnownCosts(OBJECTIVES, None).objectives == ()
    assert KnownCosts(OBJECTIVES, SCHEMA).losses([Bitstrings().sample(np.random.default_rng(0))]) is None
