"""Processes are told apart, paused, and missed when they outlive their driver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from automl.bench.faults.search import wait_until
from automl.bench.faults.victims import CHILD, DRIVER, SURVIVAL_SECONDS, WORKER, Pauses, Survivors, is_paused, living

SLEEP = "import time; time.sleep(60)"
FAMILY = f"""import subprocess, sys
sleep = [sys.executable, "-c", {SLEEP!r}]
children = [subprocess.Popen([*sleep, *words]) for words in (["-m", "automl", "work", "s"],
    ["-m", "evaluators._training.child"], ["a", "stranger"])]
print("ready", flush=True)
children[0].wait()
"""


@contextmanager
def _running(code: str) -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as started:
        assert started.stdout
        if "ready" in code:
            started.stdout.readline()
        process = psutil.Process(started.pid)
        children = process.children(recursive=True)
        try:
            yield process
        finally:
            for one in (process, *children):
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def test_the_processes_of_a_search_are_told_apart() -> None:
    with _running(FAMILY) as driver:
        assert {kind: len(found) for kind, found in living(driver.pid).items()} == {DRIVER: 1, WORKER: 1, CHILD: 1}


def test_a_search_that_is_gone_has_no_processes() -> None:
    with _running(SLEEP) as driver:
        pid = driver.pid
    assert not any(living(pid).values())


def test_a_pause_ends_when_its_time_has_come() -> None:
    now = [0.0]
    pauses = Pauses(clock=lambda: now[0])
    with _running(SLEEP) as process:
        pauses.pause(process, 5.0)
        assert wait_until(lambda: is_paused(process), seconds=5)
        assert pauses.wake() == 0
        now[0] = 5.0
        assert (pauses.wake(), pauses.has_any()) == (1, False)
        assert wait_until(lambda: not is_paused(process), seconds=5)


def test_who_outlives_the_driver_for_long_is_counted_once() -> None:
    now = [0.0]
    survivors = Survivors(clock=lambda: now[0])
    with _running(SLEEP) as one, _running(SLEEP) as other:
        survivors.watch({DRIVER: [], WORKER: [one, other], CHILD: []})
        survivors.look()
        assert survivors.count == 0
        other.kill()
        other.wait()
        now[0] = SURVIVAL_SECONDS
        survivors.look()
        survivors.look()
    assert survivors.count == 1


def test_a_paused_process_is_given_its_time_again() -> None:
    now = [0.0]
    survivors = Survivors(clock=lambda: now[0])
    with _running(SLEEP) as process:
        survivors.watch({DRIVER: [], WORKER: [process], CHILD: []})
        process.suspend()
        assert wait_until(lambda: is_paused(process), seconds=5)
        now[0] = SURVIVAL_SECONDS
        survivors.look()
        process.resume()
        assert survivors.count == 0


def test_the_child_of_a_paused_worker_is_given_its_time_again() -> None:
    now = [0.0]
    survivors = Survivors(clock=lambda: now[0])
    with _running(FAMILY) as worker:
        survivors.watch({DRIVER: [], WORKER: [], CHILD: worker.children()[:1]})
        worker.suspend()
        assert wait_until(lambda: is_paused(worker), seconds=5)
        now[0] = SURVIVAL_SECONDS
        survivors.look()
        worker.resume()
        assert survivors.count == 0
