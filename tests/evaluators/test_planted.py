"""The evaluator `planted`: a landscape that races and tests can trust."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from scipy import stats

from evaluators import KNOWN_METRICS, Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Suggestion
from evaluators.planted import Planted
from searchspaces import Candidate, Options
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA

SPACE = AutoCTR(SCHEMA)


def _sample(count: int) -> list[Suggestion]:
    rng = np.random.default_rng(0)
    return [Suggestion(SPACE.sample(rng)) for _ in range(count)]


def _values(evaluator: Planted, cohort: list[Suggestion], metric: str = "ne") -> list[float]:
    outcomes = [outcome for _, outcome in evaluator.evaluate(cohort)]
    return [outcome.value(metric) for outcome in outcomes if isinstance(outcome, Evaluation)]


def test_values_lie_around_nine_tenths_and_climbing_leads_far_below() -> None:
    evaluator, cohort = Planted(SPACE, 1), _sample(200)
    values = _values(evaluator, cohort)
    assert 0.8 < min(values) < 0.87 < 0.93 < max(values) < 1.0
    rng, best = (
        np.random.default_rng(0),
        min(zip(values, [one.candidate for one in cohort], strict=True), key=lambda x: x[0]),
    )
    for _ in range(500):
        mutant = SPACE.mutate(best[1], rng)
        best = min(best, (_values(evaluator, [Suggestion(mutant)])[0], mutant), key=lambda x: x[0])
    assert best[0] < min(values) - 0.01


def test_every_known_metric_is_there() -> None:
    ((_, outcome),) = Planted(SPACE, 1).evaluate(_sample(1))
    assert isinstance(outcome, Evaluation)
    of_systems = {"step_seconds", "dollars_per_billion_examples", "speed_ratio"}
    of_training = {name for name in KNOWN_METRICS if name.startswith(("ne_", "supernet_", "short_", "energy_"))}
    assert set(KNOWN_METRICS) - of_training - of_systems <= set(outcome.metrics)


def test_the_landscape_is_the_same_for_all_studies_without_noise() -> None:
    assert _values(Planted(SPACE, 1), _sample(5)) == _values(Planted(SPACE, 2), _sample(5))


def test_noise_depends_on_study_replicate_and_candidate_alone() -> None:
    one, again, other = (Planted(SPACE, seed, noise=0.01) for seed in (1, 1, 2))
    cohort = _sample(3)
    assert _values(one, cohort) == _values(again, cohort[:1]) + _values(again, cohort[1:])
    assert _values(one, cohort) != _values(other, cohort)
    replicate = Suggestion(cohort[0].candidate, replicate=1)
    assert _values(one, [replicate]) != _values(one, cohort[:1])


def test_noise_has_the_spread_that_it_says() -> None:
    candidate = _sample(1)[0].candidate
    values = _values(Planted(SPACE, 1, noise=0.01), [Suggestion(candidate, replicate=at) for at in range(300)])
    assert np.std(values) == pytest.approx(0.01, rel=0.15)


def test_more_flops_help_a_little() -> None:
    evaluator, cohort = Planted(SPACE, 1), _sample(300)
    correlation = np.corrcoef(_values(evaluator, cohort), np.log(_values(evaluator, cohort, "flops")))[0, 1]
    assert -0.7 < correlation < -0.1


def test_failures_strike_about_one_in_so_many_and_always_the_same() -> None:
    cohort = _sample(200)
    failed = [
        {at for at, outcome in Planted(SPACE, 1, fail_every=5).evaluate(cohort) if isinstance(outcome, Failure)}
        for _ in range(2)
    ]
    assert failed[0] == failed[1]
    assert 20 < len(failed[0]) < 60


def test_a_candidate_outside_the_space_is_invalid() -> None:
    ((_, outcome),) = Planted(SPACE, 1).evaluate([Suggestion(Candidate())])
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.INVALID


def test_a_trial_takes_the_seconds_that_it_is_told() -> None:
    evaluator = Planted(SPACE, 1, seconds=0.02)
    started = time.perf_counter()
    assert _values(evaluator, _sample(2), "train_seconds") == [0.02, 0.02]
    assert time.perf_counter() - started >= 0.04


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": -1.0}, "'noise' must be zero or more, but is -1.0"),
        ({"seconds": float("nan")}, "'seconds' must be zero or more, but is nan"),
        ({"fail_every": 0}, "'fail_every' must be at least 1, but is 0"),
        ({"cohort_size": 0}, "'cohort_size' must be at least 1, but is 0"),
    ],
)
def test_an_option_that_breaks_its_rule_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        Planted(SPACE, 1, **options)


def _at(cohort: list[Suggestion], **settings: object) -> list[Suggestion]:
    return [Suggestion(one.candidate, Fidelity(-1, Options(settings))) for one in cohort]


def test_a_fidelity_sets_noise_and_seconds() -> None:
    evaluator, cohort = Planted(SPACE, 1, noise=0.01), _sample(3)
    assert _values(evaluator, _at(cohort, noise=0.0)) == _values(Planted(SPACE, 1), cohort)
    ((_, outcome),) = evaluator.evaluate(_at(cohort[:1], seconds=0.001))
    assert outcome.seconds == 0.001


def test_a_fidelity_without_faithfulness_is_precise_and_has_another_order() -> None:
    evaluator, cohort = Planted(SPACE, 1), _sample(100)
    full = _values(evaluator, cohort)
    assert abs(stats.kendalltau(full, _values(evaluator, _at(cohort, faithfulness=0.0))).statistic) < 0.2
    assert stats.kendalltau(full, _values(evaluator, _at(cohort, faithfulness=0.9))).statistic > 0.8
    assert _values(evaluator, _at(cohort, faithfulness=1)) == full


@pytest.mark.parametrize("settings", [{"rows": 10}, {"faithfulness": 1.5}, {"noise": -1.0}, {"noise": True}])
def test_a_fidelity_that_is_none_names_what_it_set(settings: dict[str, object]) -> None:
    (name,) = settings
    with pytest.raises(EvaluatorError, match=f"a planted fidelity sets 'noise' and .* but has '{name}'"):
        list(Planted(SPACE, 1).evaluate(_at(_sample(1), **settings)))
