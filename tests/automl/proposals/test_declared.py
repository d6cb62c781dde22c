from __future__ import annotations

import numpy as np

from automl.proposals import declare, undominated
from evaluators import Evaluation, Fidelity, Metric, Objective, Suggestion
from tests.automl._bitstrings import Bitstrings, finished, loss
from tests.automl.proposals.known_loss import KnownLoss

OBJECTIVES = (Objective("ne"), Objective("flops"))


def test_the_declared_winner_is_the_expected_best_not_the_luckiest() -> None:
    rng = np.random.default_rng(2)
    record = [finished(at, Suggestion(Bitstrings().sample(rng))) for at in range(20)]
    order = sorted(record, key=lambda one: loss(one.candidate))
    lucky = finished(30, Suggestion(order[-1].candidate, replicate=1), Evaluation({"ne": Metric(0.1)}))
    assert declare([*record, lucky], OBJECTIVES[:1], KnownLoss())[0].trial == order[0]


def test_the_declared_front_is_undominated_and_keeps_bounds() -> None:
    rng = np.random.default_rng(2)
    record = [finished(at, Suggestion(Bitstrings().sample(rng))) for at in range(30)]
    objectives = (Objective("ne"), Objective("flops", bound=12.0))
    front = undominated(declare(record, objectives, KnownLoss()))
    losses = np.array([one.losses for one in front])
    assert (np.diff(losses[:, 0]) > 0).all()
    assert (np.diff(losses[:, 1]) < 0).all()
    assert max(float(one.trial.value("flops") or 0.0) for one in front) <= 12.0


def test_only_full_trainings_are_declared() -> None:
    candidate = Bitstrings().sample(np.random.default_rng(0))
    cheap = finished(0, Suggestion(candidate, Fidelity(-1)))
    assert declare([cheap], OBJECTIVES, KnownLoss()) == []


def test_replicates_are_one_candidate() -> None:
    candidate = Bitstrings().sample(np.random.default_rng(0))
    record = [finished(at, Suggestion(candidate, replicate=at)) for at in range(3)]
    (only,) = declare(record, OBJECTIVES, KnownLoss())
    assert (only.trial, only.replicates) == (record[0], 3)


def test_a_bound_on_the_quality_counts_on_what_is_expected() -> None:
    candidate = Bitstrings().sample(np.random.default_rng(0))
    lucky = finished(0, Suggestion(candidate), Evaluation({"ne": Metric(0.1)}))
    bounded = (Objective("ne", bound=0.5),)
    assert declare([lucky], bounded, KnownLoss()) == []
