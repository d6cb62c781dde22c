from __future__ import annotations

import numpy as np
import pytest

from automl.tuning import contenders_of, trees_contender
from automl.tuning._contenders import RATE_FACTOR
from evaluators import Suggestion
from evaluators._training.settings import TrainingSettings
from evaluators._trees.settings import TreeSettings
from searchspaces import zoo, zoo_names
from searchspaces.cost import shapes
from tests.searchspaces.graphs import schema

DATA = schema(numeric=3, categorical=4)
USUAL = TrainingSettings(learning_rate=2e-3)
ZOO = [Suggestion(zoo(name, DATA), origin=f"zoo:{name}") for name in zoo_names()]


@pytest.mark.parametrize("baseline", ZOO, ids=lambda one: one.origin)
def test_the_first_setting_is_the_models_own_and_all_can_be_trained(baseline: Suggestion) -> None:
    (model,) = contenders_of([baseline], DATA, USUAL, seed=1)
    found = model.settings(20)
    assert found[0] == baseline.candidate
    assert len({one.fingerprint for one in found}) == 20
    for one in found:
        assert one.architecture is not None
        shapes(one.architecture, DATA)
        USUAL.overridden(one.training)


def test_settings_come_in_the_same_order_however_many_are_wanted() -> None:
    (model,) = contenders_of(ZOO[:1], DATA, USUAL, seed=1)
    assert model.settings(9)[:4] == model.settings(4)


def test_another_seed_or_name_draws_others() -> None:
    draws = [
        contenders_of([one], DATA, USUAL, seed=seed)[0].settings(2)[1].training
        for one, seed in ((ZOO[0], 1), (ZOO[0], 2), (ZOO[1], 1))
    ]
    assert len(set(draws)) == 3


def test_rates_are_drawn_around_those_that_the_study_trains_with() -> None:
    (model,) = contenders_of(ZOO[:1], DATA, USUAL, seed=1)
    drawn = [USUAL.overridden(one.training) for one in model.settings(60)[1:]]
    rates = np.array([one.learning_rate for one in drawn])
    assert rates.min() >= 2e-3 / RATE_FACTOR * 0.99
    assert rates.max() <= 2e-3 * RATE_FACTOR * 1.01
    assert np.median(np.log(rates)) == pytest.approx(np.log(2e-3), abs=0.6)
    assert {one.weight_decay == 0.0 for one in drawn} == {True, False}


def test_sizes_and_dropout_vary_where_a_model_has_them() -> None:
    model = next(one for one in contenders_of(ZOO, DATA, USUAL, seed=1) if one.name == "zoo:deepfm")
    nodes = [node for one in model.settings(40) if one.architecture for node in one.architecture.nodes]
    assert {node.options["dim"] for node in nodes if node.block == "full"} == {1, 8, 16, 32}
    assert {node.options["widths"] for node in nodes if node.block == "mlp"} == {(128, 64), (256, 128), (512, 256)}
    assert {node.options.get("dropout", 0.0) for node in nodes if node.block == "mlp"} == {0.0, 0.05, 0.1, 0.2}


def test_trees_are_drawn_within_their_rules() -> None:
    model = trees_contender(seed=1)
    assert model.is_trees
    found = model.settings(30)
    assert len({one.fingerprint for one in found}) == 30
    for one in found:
        TreeSettings().overridden(one.training)


def test_a_model_of_few_settings_gives_no_more() -> None:
    (model,) = contenders_of(ZOO[:1], DATA, USUAL, seed=1)
    constant = type(model)(model.name, model.first, lambda rng: model.first)
    assert constant.settings(5) == [model.first]
