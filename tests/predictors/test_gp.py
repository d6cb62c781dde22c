from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evaluators import Evaluation, Metric, Suggestion
from predictors import PredictorError
from predictors.gp import GP
from tests.automl._bitstrings import finished, loss
from tests.predictors.records import HELD_OUT, SPACE, agreement, sampled, trials


def test_predictions_are_losses_in_their_unit() -> None:
    mean = GP(SPACE).fit(trials(80), "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    true = np.array([0.8 + loss(one.candidate) for one in HELD_OUT])
    assert np.abs(mean - true).mean() < 0.5 * true.std()


def test_what_was_measured_is_known_better_than_what_was_not() -> None:
    record = trials(60)
    process = GP(SPACE).fit(record, "ne", rng=np.random.default_rng(0))
    assert process.predict([trial.suggestion for trial in record]).std.mean() < process.predict(HELD_OUT).std.mean()


def test_a_trial_that_its_evaluator_doubts_counts_less() -> None:
    def at_the_odd_one(stderr: float) -> float:
        record = trials(30)
        odd = finished(30, Suggestion(HELD_OUT[0].candidate), Evaluation({"ne": Metric(3.0, stderr)}))
        return float(GP(SPACE).fit([*record, odd], "ne", rng=np.random.default_rng(0)).predict(HELD_OUT[:1]).mean[0])

    assert at_the_odd_one(1.0) < at_the_odd_one(0.0)


def test_hyper_parameters_of_a_part_serve_all_records() -> None:
    assert agreement(GP(SPACE, most_fitted=40), trials(90)) > 0.5


def test_a_process_that_was_fitted_to_a_part_keeps_to_all_records() -> None:
    record = trials(60)
    process = GP(SPACE, most_fitted=30).fit(record, "ne", rng=np.random.default_rng(0))
    mean = process.predict([trial.suggestion for trial in record]).mean
    true = np.array([0.8 + loss(trial.candidate) for trial in record])
    assert np.corrcoef(mean, true)[0, 1] > 0.9


def test_torchs_own_generator_and_default_type_are_left_alone() -> None:
    state = torch.get_rng_state()
    GP(SPACE).fit(trials(20), "ne", rng=np.random.default_rng(0))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_default_dtype() is torch.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip": 0.0}, "clip must be above 0, but is 0.0"),
        ({"most_fitted": 9}, "most_fitted must be at least 10, but is 9"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PredictorError, match=message):
        GP(SPACE, **options)


def test_equal_losses_leave_it_constant() -> None:
    record = [
        finished(number, Suggestion(one), Evaluation({"ne": Metric(1.0)})) for number, one in enumerate(sampled(10))
    ]
    assert not GP(SPACE).fit(record, "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean.any()
