"""Claims are judged by their figures, and the benchmark trains what it is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from automl._errors import AutomlError
from automl.bench.learning import measure
from automl.bench.learning.catalogue import catalogue
from automl.bench.learning.claims import TRUTH, Score, beats, is_limited, is_no_worse, learns
from automl.bench.learning.measure import Plan, learning
from searchspaces import FeatureSchema
from searchspaces.cost import cost
from tests.automl.cli_runs import run_cli

SEEDS = [
    {TRUTH: Score(0.80, 0.79), "floor": Score(0.90, 0.70), "a": Score(0.81, 0.78), "b": Score(0.88, 0.73)},
    {TRUTH: Score(0.80, 0.79), "floor": Score(0.90, 0.70), "a": Score(0.83, 0.76), "b": Score(0.89, 0.71)},
]


def test_a_verdict_tells_mean_error_and_least() -> None:
    found = beats("a", "b").verdict(SEEDS)
    assert (found["measured"], found["least"], found["stderr"]) == (0.05, 0.05, 0.0)
    assert found["holds"]
    found = learns("a", floor="floor", share=0.85).verdict(SEEDS)
    assert (found["measured"], found["stderr"], found["least"]) == (0.8, 0.1, 0.7)
    assert not found["holds"]


def test_one_seed_has_no_error() -> None:
    assert beats("a", "b").verdict(SEEDS[:1])["stderr"] is None


def test_a_model_below_the_bound_of_its_kind_falls_short_of_its_claim() -> None:
    assert is_limited("floor", by="b").verdict(SEEDS)["holds"]
    assert not is_limited("a", by="b").verdict(SEEDS)["holds"]


def test_no_worse_is_judged_by_ne() -> None:
    assert is_no_worse("a", "b").verdict(SEEDS)["holds"]
    assert not is_no_worse("b", "a").verdict(SEEDS)["holds"]


def test_every_claim_is_about_scores_that_there_are() -> None:
    for test in catalogue():
        world = test.world(seed=1)
        names = (TRUTH, *world.bounds(), *test.models)
        made = {name: Score(0.9 - 0.01 * at, 0.6 + 0.01 * at) for at, name in enumerate(names)}
        assert [claim.verdict([made])["claim"] for claim in test.claims]
        assert len(set(names)) == len(names)


def test_tables_that_are_compared_at_equal_size_have_it() -> None:
    tests = {one.name: one for one in catalogue()}
    sizes = {}
    for name, test in tests.items():
        schema = FeatureSchema(test.world(seed=1).fields)
        for model, candidate in test.models.items():
            assert candidate.architecture is not None
            sizes[name, model] = cost(candidate.architecture, schema).parameters
    assert sizes["shared_rows", "quotient_remainder"] == sizes["shared_rows", "hashed"]
    assert sizes["mixed_dimension", "mixed"] < sizes["mixed_dimension", "full 2"]


def test_an_unknown_test_is_told() -> None:
    with pytest.raises(AutomlError, match=r"no learning test 'second'; did you mean 'second_order'"):
        learning(Plan(only=("second",)))


def test_a_tiny_run_tells_expected_and_measured() -> None:
    found = learning(Plan(only=("shared_rows",), rows=2000, measured_rows=1000, seeds=2))
    (test,) = found["tests"]
    assert found["claims"] == len(test["claims"])
    assert found["hold"] == sum(claim["holds"] for claim in test["claims"])
    assert test["closed_form"][TRUTH]["ne"] < test["closed_form"]["best of shared rows"]["ne"]
    assert test["scores"]["full"]["ne_stderr"] > 0
    assert test["scores"][TRUTH]["ne"] == pytest.approx(test["closed_form"][TRUTH]["ne"], abs=0.05)
    assert "sequence" in found["absent"]


def test_the_command_prints_claims_as_a_table_or_everything_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Plan] = []

    def fake(plan: Plan) -> dict[str, Any]:
        asked.append(plan)
        return {"tests": [{"test": "steps", "claims": [beats("a", "b").verdict(SEEDS)]}]}

    monkeypatch.setattr(measure, "learning", fake)
    table = run_cli(capsys, "bench", "learning", "--only", "steps,popular", "--rows", "2000", "--seeds", "4").out
    assert "AUC of a over b" in table
    assert asked == [Plan(("steps", "popular"), rows=2000, measured_rows=2000, seeds=4)]
    found = json.loads(run_cli(capsys, "bench", "learning", "--format", "json").out)
    assert found["tests"][0]["claims"][0]["measured"] == 0.05
