"""CubicML: rounds of the best that a predictor promises, on a simulated cluster and with oracles for guides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from automl import plugins
from automl._errors import ConfigError
from automl.proposals import SureFailures
from automl.searchers.cubicml import CubicML
from automl.searchers.random_search import RandomSearch
from evaluators import Evaluation, Failure, FailureKind, Goal, Metric, Objective, Suggestion, Trial
from evaluators.simulated_cluster import SimulatedCluster
from predictors import Prediction
from searchspaces import Candidate, Options
from searchspaces.spaces.codesign import Codesign
from tests.automl._bitstrings import Bitstrings, Outcome, finished, generator, loss, measured, search
from tests.evaluators.small_data import SCHEMA

SPEED, PRICE = Objective("examples_per_second"), Objective("dollars_per_billion_examples")
NE = [Objective("ne")]
QUICK: dict[str, Any] = {"initial": 6, "round_size": 4, "steps": 40}


class Oracle:
    """Knows the truth of bit strings."""

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Oracle:
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        return Prediction(np.array([loss(one.candidate) for one in suggestions]), np.zeros(len(suggestions)))


@cache
def layouts() -> Codesign:
    model = {"tables": [{"rows": 20_000_000, "dim": 64, "hotness": 8.0}], "dense": {"macs": 5_000_000}}
    knobs = {"sharding": ["table", "row", "data"], "global_batch": [16_384, 65_536], "tier": ["hbm", "host"]}
    return Codesign(SCHEMA, model=model, cluster={"device": ["A100", "H100"], "hosts": [1, 2, 4]}, knobs=knobs)


def on_cluster(candidate: Candidate) -> Outcome:
    ((_, found),) = SimulatedCluster(layouts()).evaluate([Suggestion(candidate)])
    return found


def values(record: list[Trial], metric: str) -> list[float]:
    return [value for one in record if (value := one.value(metric)) is not None]


def test_the_first_runs_are_spread_and_the_next_are_the_policys() -> None:
    record = search(CubicML(Bitstrings(), NE, guide=Oracle(), **QUICK), 10)
    assert [one.suggestion.origin for one in record] == ["spread"] * 6 + ["policy"] * 4


def test_a_round_differs_in_as_many_knobs_as_asked() -> None:
    searcher = CubicML(Bitstrings(), NE, guide=Oracle(), least_distance=3, **QUICK)
    record = search(searcher, 10)
    codes = [Bitstrings().encode(one.candidate) for one in record[6:]]
    assert min((codes[at] != codes[to]).sum() for at in range(4) for to in range(at)) >= 3


def test_it_finds_faster_layouts_than_chance() -> None:
    ours = search(CubicML(layouts(), [SPEED], **QUICK), 14, evaluate=on_cluster)
    chance = search(RandomSearch(layouts(), [SPEED]), 40, evaluate=on_cluster)
    assert max(values(ours, SPEED.metric)) > max(values(chance, SPEED.metric))


def test_with_a_price_a_round_has_a_policy_for_each_share_of_it() -> None:
    record = search(CubicML(layouts(), [SPEED, PRICE], **(QUICK | {"round_size": 5})), 11, evaluate=on_cluster)
    alphas = [one.suggestion.memo["alpha"] for one in record[6:]]
    assert alphas == [0.0, 0.25, 0.5, 0.75, 1.0]
    first, fastest, cheapest = record[:6], record[6], record[10]
    assert (fastest.value(SPEED.metric) or 0.0) > max(values(first, SPEED.metric))
    assert (cheapest.value(PRICE.metric) or np.inf) < min(values(first, PRICE.metric))


def test_what_surely_fails_is_not_launched_however_much_the_guide_wants_it() -> None:
    def fails_with_first_bit(candidate: Candidate) -> Evaluation | Failure:
        return Failure(FailureKind.OUT_OF_MEMORY, "too large") if candidate.training["bit00"] else measured(candidate)

    rng = np.random.default_rng(1)
    drawn = list({one.fingerprint: one for one in (Bitstrings(6).sample(rng) for _ in range(60))}.values())[:32]
    known = [finished(at, Suggestion(one), fails_with_first_bit(one)) for at, one in enumerate(drawn)]
    searcher = CubicML(Bitstrings(6), NE, guide=Oracle(), **QUICK)
    searcher.tell(known)
    asked = [one.candidate for one in searcher.ask(8, generator(0, 32))]
    failures = SureFailures(Bitstrings(6), NE[0])
    failures.learn(known)
    # The oracle knows nothing of failures, and the bit that fails is worth most.
    wanted = Candidate(training=Options(dict.fromkeys(drawn[0].training, 1)))
    assert failures.foretells(wanted)
    assert not any(failures.foretells(one) for one in asked)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"round_size": 0}, "round_size must be at least 1, but is 0"),
        ({"exploration": 1.5}, "exploration is a share between 0 and 1, but is 1.5"),
        ({"learning_rate": -1.0}, "learning_rate must be zero or more, but is -1.0"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CubicML(Bitstrings(), NE, guide=Oracle(), **options)
    assert message in str(caught.value)


def test_a_first_objective_of_unknown_direction_is_refused() -> None:
    with pytest.raises(ConfigError, match="the guide cannot learn to maximize 'clicks'"):
        CubicML(Bitstrings(), [Objective("clicks", Goal.MAXIMIZE)], guide=Oracle())


def test_a_second_objective_may_have_any_name_and_goal() -> None:
    def clicked(candidate: Candidate) -> Evaluation:
        ones = sum(int(str(bit)) for bit in candidate.training.values())
        return Evaluation({"ne": Metric(0.8 + loss(candidate)), "clicks": Metric(ones)})

    searcher = CubicML(Bitstrings(8), [*NE, Objective("clicks", Goal.MAXIMIZE)], guide=Oracle(), initial=6, steps=4)
    assert len(search(searcher, 8, evaluate=clicked)) == 8


def test_it_is_found_by_its_name_and_takes_a_guide_from_a_configuration() -> None:
    spec = {"name": "cubicml", "guide": {"name": "roofline", "equations": "peaks"}, "initial": 4}
    context = {"space": layouts(), "objectives": [SPEED], "schema": SCHEMA}
    assert isinstance(plugins.construct("searcher", spec, context), CubicML)
