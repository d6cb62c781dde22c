from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl import plugins
from predictors import CrossValidated, PredictorError, rank_correlation
from predictors.auto import Auto, Choice, _is_surely_better
from predictors.wl_gp import WLGP
from searchspaces import FeatureSchema, Field, Kind, PluginError
from tests.predictors.records import HELD_OUT, SPACE, agreement, trials

CHEAP = ("forest", "lambdarank")


def fitted(count: int, *, members: tuple[str, ...] = CHEAP, every: int = 20) -> Auto:
    return Auto(SPACE, members=members, every=every).fit(trials(count), "ne", rng=np.random.default_rng(0))


def test_the_first_member_predicts_alone_before_there_is_a_choice() -> None:
    choice = fitted(19).choice
    assert choice.names == ("forest",)
    assert choice.trials == 0


def test_the_choice_waits_for_the_next_twenty_trials() -> None:
    assert [fitted(count).choice.trials for count in (20, 39, 40)] == [20, 20, 40]


def test_members_and_their_mean_are_compared_on_what_they_have_not_seen() -> None:
    choice = fitted(60).choice
    assert set(choice.tau) == {"forest", "lambdarank", "forest + lambdarank"}
    assert choice.tau[" + ".join(choice.names)] >= choice.tau["forest"]
    assert max(choice.tau.values()) < 0.9


@pytest.mark.parametrize(
    ("gains", "is_better"), [([0.1, 0.1, 0.1], True), ([0.3, -0.1, 0.0], False), ([0.0] * 3, False)]
)
def test_a_gain_counts_when_it_exceeds_its_standard_error(gains: list[float], is_better: bool) -> None:
    assert _is_surely_better(np.array(gains)) is is_better


def test_pairs_stand_to_choice_where_there_are_three() -> None:
    assert len(fitted(20, members=("forest", "lambdarank", "gp")).choice.tau) == 3 + 3 + 1


def test_between_choices_nothing_is_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = fitted(41)
    monkeypatch.setattr(Auto, "_unseen", None)
    assert auto.fit(trials(59), "ne", rng=np.random.default_rng(0)).choice.trials == 40


def test_what_was_held_out_is_told_of_the_chosen_ones_without_looking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = fitted(41)
    monkeypatch.setattr(Auto, "_unseen", None)
    folds = auto.held_out(trials(41), "ne")
    assert isinstance(auto, CrossValidated)
    assert sum(len(one.measured) for one in folds) == 40
    taus = [rank_correlation(one.predicted, one.measured) for one in folds]
    assert np.mean(taus) == pytest.approx(auto.choice.tau[" + ".join(auto.choice.names)])


def test_a_look_is_shared_by_the_fit_that_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = Auto(SPACE, members=CHEAP)
    assert auto.held_out(trials(19), "ne") == ()
    folds = auto.held_out(trials(20), "ne")
    monkeypatch.setattr(Auto, "_unseen", None)
    auto.fit(trials(25), "ne", rng=np.random.default_rng(0))
    assert auto.held_out(trials(25), "ne") is folds


def test_the_choice_does_not_depend_on_the_generator() -> None:
    other = Auto(SPACE, members=CHEAP).fit(trials(40), "ne", rng=np.random.default_rng(9))
    assert other.choice == fitted(40).choice


def test_a_good_member_is_preferred_to_a_poor_one() -> None:
    # The planted losses are smooth, which a process knows and trees have to learn.
    assert "gp" in fitted(60, members=("forest", "gp")).choice.names


def test_a_member_gets_the_schema_that_the_study_injects() -> None:
    schema = FeatureSchema((Field("any", Kind.NUMERIC),))
    spec = {"name": "auto", "members": ["forest", "wl_gp"]}
    auto = plugins.construct("predictor", spec, {"space": SPACE, "schema": schema})
    member = auto._members["wl_gp"]
    assert isinstance(member, WLGP)
    assert member._views._schema is schema


def test_the_process_on_graphs_is_a_member_unless_others_are_named() -> None:
    assert tuple(Auto(SPACE)._members) == ("forest", "gp", "lambdarank", "wl_gp")


def test_the_process_on_graphs_is_chosen_where_it_orders_best() -> None:
    auto = fitted(60, members=("lambdarank", "wl_gp"))
    assert "wl_gp" in auto.choice.names
    assert agreement(auto, trials(60)) > agreement(fitted(60, members=("lambdarank",)), trials(60))


def test_members_that_disagree_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Auto, "_chosen", lambda self, known, objective: (Choice(CHEAP), ()))
    auto = fitted(60)
    mean, std = np.zeros((2, len(HELD_OUT))), np.zeros((2, len(HELD_OUT)))
    for at, name in enumerate(CHEAP):
        found = auto._members[name].predict(HELD_OUT)
        mean[at], std[at] = found.mean, found.std
    np.testing.assert_allclose(auto.predict(HELD_OUT).mean, mean.mean(axis=0))
    np.testing.assert_allclose(auto.predict(HELD_OUT).std ** 2, (std**2).mean(axis=0) + mean.var(axis=0))


def test_it_learns() -> None:
    assert agreement(fitted(60), trials(60)) > 0.4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": ()}, r"members must be different predictors other than 'auto', but are \[\]"),
        ({"members": ("forest", "forest")}, "members must be different predictors"),
        ({"members": ("auto",)}, "members must be different predictors other than 'auto'"),
        ({"every": 7}, "every must be at least 8, but is 7"),
        ({"folds": 1}, "folds must be at least 2, but is 1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PredictorError, match=message):
        Auto(SPACE, **options)


def test_a_member_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(PluginError, match="no 'oracle' in predictors"):
        Auto(SPACE, members=("oracle",))
