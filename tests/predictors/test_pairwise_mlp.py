from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evaluators import Suggestion
from predictors import PredictorError, rank_correlation
from predictors._stacked_mlp import StackedMLP, ranking_loss, squared_loss
from predictors.pairwise_mlp import PairwiseMLP
from tests.automl._bitstrings import finished
from tests.predictors.records import HELD_OUT, SPACE, agreement, sampled, trials


def columns(*values: float | None) -> torch.Tensor:
    """One member, one target."""
    return torch.tensor([0.0 if value is None else value for value in values]).reshape(1, -1, 1)


def test_the_ranking_loss_is_what_pairs_miss_of_the_margin() -> None:
    # Pairs: 1 before 2 by 0.5, enough; 1 before 3 by 0, misses 0.1; 2 before 3 by -0.5, misses 0.6.
    scores, values = columns(0.0, 0.5, 0.0), columns(1.0, 2.0, 3.0)
    known = torch.ones(1, 3, 1, dtype=torch.bool)
    assert ranking_loss(scores, values, known, 0.1).item() == pytest.approx((0.1 + 0.6) / 3)


def test_ties_and_unknown_targets_are_no_pairs() -> None:
    scores, values = columns(1.0, 0.0, 5.0), columns(1.0, 1.0, 0.0)
    known = torch.tensor([True, True, False]).reshape(1, 3, 1)
    assert ranking_loss(scores, values, known, 0.1).item() == 0.0


def test_the_squared_loss_leaves_unknown_targets_out() -> None:
    known = torch.tensor([True, True, False]).reshape(1, 3, 1)
    assert squared_loss(columns(1.0, 2.0, 9.0), columns(0.0, 4.0, 0.0), known).item() == pytest.approx(2.5)


def test_stacked_members_are_the_networks_that_they_would_be_alone() -> None:
    network = StackedMLP(4, 2, members=3, hidden=5, generator=torch.Generator().manual_seed(0))
    codes = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    weights, biases = network._weights, network._biases
    for member, scores in enumerate(network.scores(codes)):
        hidden = codes
        for layer in range(2):
            hidden = torch.relu(hidden @ weights[layer][member] + biases[layer][member])
        torch.testing.assert_close(scores, (hidden @ weights[2][member] + biases[2][member]).detach())


@pytest.mark.parametrize("loss", ["pairwise", "squared"])
def test_both_losses_learn(loss: str) -> None:
    assert agreement(PairwiseMLP(SPACE, loss=loss, steps=150), trials(80)) > 0.3


def test_the_second_head_learns_what_is_cheap() -> None:
    predictor = PairwiseMLP(SPACE, steps=150).fit(trials(80), "ne", rng=np.random.default_rng(0))
    ones = [sum(int(str(bit)) for bit in one.candidate.training.values()) for one in HELD_OUT]
    assert rank_correlation(predictor.predict_flops(HELD_OUT).mean, ones) > 0.5


def test_without_costs_quality_is_learned_all_the_same() -> None:
    from evaluators import Evaluation, Metric
    from tests.automl._bitstrings import loss

    record = [
        finished(number, Suggestion(one), Evaluation({"ne": Metric(loss(one))}))
        for number, one in enumerate(sampled(80))
    ]
    assert agreement(PairwiseMLP(SPACE, steps=150), record) > 0.3


def test_a_single_network_never_disagrees() -> None:
    predictor = PairwiseMLP(SPACE, ensemble=1, steps=20).fit(trials(20), "ne", rng=np.random.default_rng(0))
    assert not predictor.predict(HELD_OUT).std.any()


def test_torchs_own_generator_is_left_alone() -> None:
    state = torch.get_rng_state()
    PairwiseMLP(SPACE, steps=5).fit(trials(20), "ne", rng=np.random.default_rng(0))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of pairwise, squared, but is 'hinge'"),
        ({"ensemble": 0}, "ensemble must be at least 1, but is 0"),
        ({"hidden": 0}, "hidden must be at least 1, but is 0"),
        ({"steps": 0}, "steps must be at least 1, but is 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PredictorError, match=message):
        PairwiseMLP(SPACE, **options)
