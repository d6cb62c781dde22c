"""A few batches stand for a whole trial: the arithmetic by hand, the way through the real code once."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators._training import pacing as module
from evaluators._training.evaluate import evaluate_candidate
from evaluators._training.pacing import Limit, Pace, Paced, Rehearsed
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from tests.evaluators.small_data import mlp


class Ticks:
    """A clock that a reading moves on by one second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_the_median_of_settled_steps_counts() -> None:
    pace = Pace(1, [0.0, 9.0, 10.0, 11.0, 12.0, 14.0, 16.0, 18.0, 90.0])
    assert pace.per_step() == 2.0
    assert pace.whole(104) == 12.0 + 100 * 2.0


def test_few_steps_count_by_their_mean() -> None:
    assert Pace(1, [0.0, 4.0, 6.0]).per_step() == 3.0
    assert Pace(1, [0.0, 4.0, 6.0]).whole(10) == 30.0
    assert Pace(1).per_step() == 0.0


def test_steps_between_two_readings_share_the_time() -> None:
    pace = Pace(8, [0.0, 16.0, 24.0, 32.0])
    assert (pace.steps, pace.per_step(), pace.whole(80)) == (24, 1.0, 16.0 + 72)


def test_a_run_ends_at_its_limit_of_steps(data: SearchData) -> None:
    paced = Paced(data.train, limit=Limit(steps=3), clock=Ticks())
    batches = list(paced.batches(np.arange(2000), 100))
    assert (len(batches), paced.runs[0].moments) == (3, [1.0, 2.0, 3.0, 4.0])


def test_a_run_ends_at_its_limit_of_seconds(data: SearchData) -> None:
    paced = Paced(data.train, limit=Limit(steps=19, seconds=5.0, least=2), clock=Ticks())
    assert len(list(paced.batches(np.arange(2000), 100))) == 6


def test_only_the_rows_that_may_be_seen_are(data: SearchData) -> None:
    paced = Paced(data.train, limit=Limit(), rows=np.asarray([5, 7]))
    (batch,) = paced.batches(np.arange(2), 10)
    assert len(paced) == len(paced.labels) == 2
    assert batch.label.tolist() == data.train.labels[[5, 7]].tolist()


def test_a_whole_trial_is_told_from_a_part_of_it(data: SearchData) -> None:
    settings = TrainingSettings(batch_size=32, passes=3)
    rehearsed = Rehearsed.of(data, Limit(steps=10))
    evaluation = evaluate_candidate(mlp(), rehearsed.data, settings, seed=1)
    assert evaluation.curve[-1].rows == 3 * 10 * 32
    assert rehearsed.steps(settings) == 3 * 63
    assert rehearsed.whole_seconds(evaluation.seconds, settings) > evaluation.seconds


def test_each_window_is_read_ahead(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsed = Rehearsed.of(data, Limit())
    rehearsed.train.runs.append(Pace(1, [0.0, 5.0, *(float(at) for at in range(6, 30))]))
    rehearsed.valid.runs.append(Pace(1))
    settings = TrainingSettings(batch_size=32)
    whole = rehearsed.whole_seconds(29.0, settings)
    monkeypatch.setattr(module, "WINDOW_ROWS", 1000)
    assert rehearsed.whole_seconds(29.0, settings) == whole + 4.0


@pytest.mark.parametrize(("rows", "steps"), [(None, 63), (100, 4), (10**9, 63)])
def test_rows_limit_the_steps(data: SearchData, rows: int | None, steps: int) -> None:
    assert Rehearsed.of(data, Limit()).steps(TrainingSettings(batch_size=32, rows=rows)) == steps
