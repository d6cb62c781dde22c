"""What injects the faults does what it says, on this machine or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl.bench.faults.bad_trials import guilty_ones, not_as_planned
from automl.bench.faults.disks import filled, read_only, small_disk
from automl.bench.faults.journal import Journal
from automl.bench.faults.jumping_clock import fake_clock, set_clock
from automl.bench.faults.plan import CannotInject
from automl.bench.faults.postgres import PostgresServer
from automl.bench.faults.search import wait_until
from automl.bench.faults.trainers import hanging_trainer, left_of
from evaluators import Evaluation, Failure, FailureKind, Metric, Trial, TrialState
from evaluators._objective import Objective
from evaluators.external import External
from searchspaces import FeatureSchema, Field, Kind

SCHEMA = FeatureSchema((Field("age", Kind.NUMERIC), Field("item", Kind.CATEGORICAL, vocabulary_size=9)))


def test_a_journal_goes_on(tmp_path: Path) -> None:
    Journal(tmp_path / "j").note("driver", finished=3)
    journal = Journal(tmp_path / "j")
    journal.note("worker")
    assert (journal.count("driver", "worker"), journal.counts()) == (2, {"driver": 1, "worker": 1})
    assert journal.of("driver") == [{"kind": "driver", "finished": 3}]


def test_a_filled_disk_takes_nothing_until_it_is_emptied(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path / "disk", megabytes=1) as disk:
            with filled(disk), pytest.raises(OSError, match="No space left"):
                (disk / "file").write_bytes(b"x" * 4096)
            (disk / "file").write_bytes(b"x" * 4096)
    except CannotInject as reason:
        pytest.skip(str(reason))


def test_a_read_only_folder_takes_nothing_until_it_is_over(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("kept")
    try:
        with read_only(tmp_path):
            assert (tmp_path / "old").read_text() == "kept"
            with pytest.raises(OSError, match=r"Read-only file system|Permission denied"):
                (tmp_path / "new").touch()
    except CannotInject as reason:
        pytest.skip(str(reason))
    (tmp_path / "new").touch()


def test_a_process_sees_the_clock_jump(tmp_path: Path) -> None:
    environment = {**os.environ, **fake_clock(tmp_path)}
    set_clock(tmp_path, -7)
    command = [sys.executable, "-c", "import time; print(time.time(), time.time_ns())"]
    seconds, nanoseconds = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.split()
    assert abs(time.time() - 7 * 3600 - float(seconds)) < 600
    assert abs(int(nanoseconds) / 1e9 - float(seconds)) < 600


@pytest.mark.slow
def test_a_database_outlives_a_crash_of_its_server(tmp_path: Path) -> None:
    import sqlalchemy

    try:
        server = PostgresServer(tmp_path)
    except CannotInject as reason:
        pytest.skip(str(reason))
    try:
        server.start()
        engine = sqlalchemy.create_engine(server.url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE kept (one INTEGER)"))
        engine.dispose()
        server.restart()
        assert sqlalchemy.inspect(engine).get_table_names() == ["kept"]
        engine.dispose()
    finally:
        server.remove()


def test_nothing_of_a_hanging_trainer_is_left(tmp_path: Path) -> None:
    command = hanging_trainer(tmp_path)["command"]
    trainer = External(SCHEMA, (Objective("ne"),), 0, command=command, working_folder=tmp_path, timeout_seconds=1.0)
    outcomes = dict(trainer.evaluate(guilty_ones(2, every=2)))
    trainer.close()
    assert isinstance(outcomes[0], Evaluation)
    assert isinstance(outcomes[1], Failure)
    assert outcomes[1].kind is FailureKind.TIMEOUT
    assert wait_until(lambda: not left_of(tmp_path), seconds=5)


def test_only_the_guilty_may_fail_and_only_as_planned() -> None:
    crashed = Failure(FailureKind.CRASHED, "died")
    suggestions = guilty_ones(3, every=3)
    fine = Evaluation({"ne": Metric(0.9)})
    trials = [
        Trial(0, "search", suggestions[0], TrialState.COMPLETE, fine),
        Trial(1, "search", suggestions[1], TrialState.FAIL, failure=crashed),
        Trial(2, "search", suggestions[2], TrialState.FAIL, failure=crashed),
    ]
    assert not_as_planned(trials, (1, 2), FailureKind.CRASHED) == []
    assert not_as_planned(trials, (1,), FailureKind.TIMEOUT) == [
        "trial 1 must end as timeout, but ended as crashed",
        "trial 2 must end as COMPLETE, but ended as crashed",
    ]
