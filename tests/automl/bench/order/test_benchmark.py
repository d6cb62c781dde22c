"""Pairs of a real supernet on small data: what is recorded, and that nothing is trained or recorded twice."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from automl import plugins
from automl._checkpoint import Checkpoint
from automl._errors import AutomlError
from automl.bench.order import recording
from automl.bench.order.benchmark import order
from automl.bench.order.ordering import WAYS
from automl.bench.order.recording import Pace, Plan
from evaluators._datasets import open_dataset
from evaluators._training.supernet.beside import Beside
from tests.evaluators.small_data import write_small_data

OPTIONS = {"blocks": 1, "widths": [4, 8], "embedding_dim": 2}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("order")
    write_small_data(folder / "data", rows=400)
    return Plan(str(folder / "data"), "autoctr", folder / "kept", OPTIONS, pairs=2, rows=200, batch_size=20)


def test_a_second_run_trains_and_records_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    found = order(plan)
    assert (found["batches"], found["pairs"], found["training"]["steps"]) == (5, 2, 5)
    assert found["indistinguishable"] == 2 or [row["way"] for row in found["ways"]] == list(WAYS)
    with monkeypatch.context() as patched:
        patched.setattr(Beside, "step", None)
        patched.setattr(Beside, "_losses", None)
        assert order(plan) == found
        fewer = order(replace(plan, pairs=1))
        assert fewer["of_pairs"][0]["gap"] == found["of_pairs"][0]["gap"]
    (plan.folder / "recording" / "3.npz").unlink()
    assert order(plan) == found


def test_batches_on_record_are_those_that_the_weights_have_not_seen(plan: Plan) -> None:
    dataset = open_dataset(plan.data)
    space = plugins.construct("space", {"name": "autoctr", **OPTIONS}, {"schema": dataset.schema})
    short = replace(plan, folder=plan.folder.parent / "short", pairs=1)
    records, _ = recording.recorded(short, dataset, space)
    assert (records.batches.shape, records.baseline.shape, records.valid.shape) == ((2, 5), (5,), (2, 200))
    net = recording._trained(short, dataset, space, Checkpoint(short.folder / "training"))
    ahead = net.ahead(5)
    loss = net.step(net.draw(np.random.default_rng(1), 1, full_path=0.0)).baseline
    # a step tells the loss before it, so that of the next batch is on record; no norm sees batches in this baseline
    assert records.baseline[0] == pytest.approx(loss, rel=1e-5)
    seen = next(Beside(recording._supernet_plan(short, dataset, space))._batches)
    assert not np.isin(seen.numeric.numpy()[:, 0], ahead.numeric[:, 0][~np.isnan(ahead.numeric[:, 0])]).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 300}, "that are not held out to calibrate, 200, but --rows is 300; lower it"),
        ({"trained": 0.9}, "200 rows are 10 batches, 9 of them trained; raise --rows, or change --trained"),
        ({"trained": 0.0}, "10 batches, 0 of them trained"),
        ({"space": "table"}, "table"),
    ],
)
def test_a_stream_is_new_to_the_weights_and_long_enough(plan: Plan, changes: dict[str, float], message: str) -> None:
    with pytest.raises(AutomlError, match=message):
        order(replace(plan, folder=plan.folder.parent / "refused", **changes))  # type: ignore[arg-type]


def test_a_folder_of_another_plan_is_refused(plan: Plan) -> None:
    order(plan)
    with pytest.raises(AutomlError, match=r"has another seed; choose a new folder"):
        order(replace(plan, seed=2))


def test_a_space_with_fewer_candidates_than_pairs_is_told(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_DRAWS", 1)  # twenty of twenty would have to differ
    small = {"blocks": 1, "widths": [4], "embedding_dim": 2}
    with pytest.raises(
        AutomlError, match=r"are of different architectures, but of 20 draws only \d+ are; lower --pairs"
    ):
        order(replace(plan, options=small, pairs=10, folder=plan.folder.parent / "many"))


def test_the_time_that_is_left_is_told_at_times(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 10.0, 60.0, 100.0])
    pace = Pace("recording", 10, clock=lambda: next(times))
    with caplog.at_level(logging.INFO, logger="automl"):
        for done in (0, 1, 5, 10):
            pace.tell(done)
    assert caplog.messages == [
        "recording: 5 of 10, about 1.0 min left",
        "recording: 10 of 10, about 0.0 min left",
    ]
