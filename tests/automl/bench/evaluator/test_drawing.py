"""Drawn architectures lie in their class, differ, and come again from the same generator."""

from __future__ import annotations

import numpy as np
import pytest

from automl._errors import AutomlError
from automl.bench.evaluator import drawing
from automl.bench.evaluator.drawing import CLASSES, SMALL, SizeClass, drawn, training_flops
from searchspaces import Architecture, Candidate, FeatureSchema, Field, Kind, Node

NUMERIC, CATEGORICAL = 18, 45
SCHEMA = FeatureSchema(
    (
        *(Field(f"I{at}", Kind.NUMERIC) for at in range(NUMERIC)),
        *(Field(f"C{at}", Kind.CATEGORICAL, vocabulary_size=10) for at in range(CATEGORICAL)),
    )
)


@pytest.mark.parametrize("size", CLASSES, ids=lambda size: size.name)
def test_each_drawn_candidate_costs_about_what_its_class_says(size: SizeClass) -> None:
    found = drawn(size, SCHEMA, 16, np.random.default_rng(1))
    flops = [training_flops(one.architecture, SCHEMA) for one in found if one.architecture]
    assert len({one.fingerprint for one in found}) == 16
    assert all(0.75 * size.flops <= one <= 1.25 * size.flops for one in flops)


def test_all_three_shapes_are_drawn() -> None:
    blocks = [{node.block for node in one.architecture.nodes} for one in _drawn(9, 1) if one.architecture]
    assert sum("cross" in one for one in blocks) == 3
    assert sum("sum_logit" in one for one in blocks) == 3
    assert sum("dot_product" in one for one in blocks) == 3


def test_the_same_generator_draws_the_same() -> None:
    assert [one.fingerprint for one in _drawn(4, 7)] == [one.fingerprint for one in _drawn(4, 7)]
    assert [one.fingerprint for one in _drawn(4, 7)] != [one.fingerprint for one in _drawn(4, 8)]


def test_training_takes_six_operations_for_each_multiplication() -> None:
    linear = Architecture((Node("numeric"), Node("logit", (0,))))
    assert training_flops(linear, SCHEMA) == 6 * NUMERIC


def test_a_schema_too_small_for_the_class_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_DRAWS", 20)
    narrow = FeatureSchema((Field("I1", Kind.NUMERIC), Field("C1", Kind.CATEGORICAL, vocabulary_size=3)))
    with pytest.raises(AutomlError, match="architectures of about"):
        drawn(SizeClass("huge", 1e12), narrow, 1, np.random.default_rng(0))


def _drawn(count: int, seed: int) -> list[Candidate]:
    return drawn(SMALL, SCHEMA, count, np.random.default_rng(seed))
