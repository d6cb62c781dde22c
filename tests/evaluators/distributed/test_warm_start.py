"""Processes that are split off a warm one: as if started cold, and gone without a trace."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators import EvaluatorError, FailureKind
from evaluators._distributed.launch import Ranks, Training, Window
from evaluators._distributed.sharding import Layout, Sharding
from evaluators._distributed.warm_start import Unborn, WarmStart
from evaluators._training.child_process import ChildEnded, ChildLate, ChildProcess, Started, Streams
from evaluators._training.exits import failure_of_exit
from searchspaces import Architecture, Node, Options
from tests.evaluators.small_data import write_small_data

pytestmark = pytest.mark.slow

STEPS = 5


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    folder = write_small_data(tmp_path_factory.mktemp("data") / "small").folder
    tables = [Node("full", (), Options(dim=5, fields=(f"field{at}",))) for at in range(3)]
    nodes = (*tables, Node("numeric"), Node("mlp", (0, 1, 2, 3), Options(widths=(16,))), Node("logit", (4,)))
    return Training(Architecture(nodes), folder, 1, batch_size=32)


@pytest.fixture(scope="module")
def warm(training: Training) -> Iterator[WarmStart]:
    one = WarmStart(training.dataset)
    yield one
    one.close()


def window(training: Training, warm: WarmStart | None = None) -> Window:
    with Ranks(training, start=warm.start if warm else None) as ranks:
        return ranks.steps(STEPS, seconds=60)


def data_bytes(pid: int) -> int:
    """What RLIMIT_DATA limits."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def children(pid: int) -> list[str]:
    """States of the processes that this one has started, zombies among them."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
    fields = [text.rpartition(")")[2].split() for text in stats]
    return [state for state, parent, *_ in fields if int(parent) == pid]


def test_losses_and_memory_are_those_of_a_cold_start(training: Training, warm: WarmStart) -> None:
    cold, split = window(training), window(training, warm)
    assert split.losses == cold.losses
    assert split.peak_bytes == pytest.approx(cold.peak_bytes, rel=0.25)


def test_two_ranks_meet_as_they_do_from_cold(training: Training, warm: WarmStart) -> None:
    asked = replace(training, ranks=2, layout=Layout(Sharding.ROW), prefetch=1)
    assert window(asked, warm).losses == window(asked).losses


def test_nobody_waits_for_a_rank_that_never_came(training: Training, warm: WarmStart) -> None:
    began, started = time.monotonic(), 0

    def start(streams: Streams) -> Started:
        nonlocal started
        started += 1
        return warm.start(streams) if started == 1 else Unborn()

    with pytest.raises(ChildEnded, match="code -9"), Ranks(replace(training, ranks=2), start=start):
        pass
    assert time.monotonic() - began < 60


def test_an_end_is_told_with_its_code_and_last_words(training: Training, warm: WarmStart) -> None:
    with pytest.raises(EvaluatorError, match="at most as many rows"):
        window(replace(training, batch_size=4096), warm)
    child = ChildProcess(start=warm.start)
    with pytest.raises(ChildEnded, match="ended with code 1: KeyError: 'threads'"):
        child.ask({}, seconds=20)
    child.end()


def test_a_memory_limit_ends_a_run_as_it_does_from_cold(training: Training, warm: WarmStart) -> None:
    wide = Node("mlp", (0, 1, 2, 3), Options(widths=(4000, 4000)))
    nodes = (*training.architecture.nodes[:4], wide, *training.architecture.nodes[5:])
    asked = replace(training, architecture=Architecture(nodes), memory_limit_mb=1)
    for start in (warm.start, None):
        with pytest.raises(ChildEnded) as caught, Ranks(asked, start=start) as ranks:
            ranks.steps(STEPS, seconds=60)
        found = failure_of_exit(caught.value.returncode, caught.value.said, is_oom_kill=False)
        assert found.kind is FailureKind.OUT_OF_MEMORY


def test_as_much_memory_is_taken_as_from_cold(training: Training, warm: WarmStart) -> None:
    """Of the kind that a limit counts."""
    taken = []
    for start in (warm.start, None):
        with Ranks(training, start=start) as ranks:
            ranks.steps(STEPS, seconds=60)
            taken.append(data_bytes(ranks.pids[0]))
    assert taken[0] == pytest.approx(taken[1], rel=0.15)


def test_a_time_limit_acts(training: Training, warm: WarmStart) -> None:
    with pytest.raises(ChildLate), Ranks(training, start=warm.start) as ranks:
        ranks.steps(100_000, seconds=0.05)


def test_a_killed_process_ends_nobody_else_and_leaves_no_zombie(training: Training, warm: WarmStart) -> None:
    child = ChildProcess(start=warm.start)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChildEnded, match="code -9"):
        child.hear(seconds=20)
    child.end()
    assert warm.is_alive
    assert children(warm.pid) == []
    assert len(window(training, warm).losses) == STEPS


def test_what_was_split_off_ends_with_the_warm_process(training: Training) -> None:
    own = WarmStart(training.dataset)
    ranks = Ranks(training, start=own.start).__enter__()
    os.kill(own.pid, signal.SIGKILL)
    with pytest.raises(ChildEnded):
        ranks.steps(100_000, seconds=30)
    assert not ranks.is_alive
    ranks.close()
    own.close()


def test_a_closed_one_ends_all_and_may_be_closed_twice(training: Training) -> None:
    own = WarmStart(training.dataset)
    child = ChildProcess(start=own.start)
    pid = child.pid
    own.close()
    own.close()
    ends_at = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < ends_at:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()
    child.end()


def test_data_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match="nowhere"):
        WarmStart(tmp_path / "nowhere")
