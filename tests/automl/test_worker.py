from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time

import pytest

from automl import _worker
from automl._worker import Heartbeat, Sweep, for_driver, is_asker, is_dead, keeps_driver_out, worker_name
from evaluators import TrialState
from storage import open_store
from tests.storage.samples import STUDY, begin, record


def test_this_process_is_alive() -> None:
    assert not is_dead(worker_name())


def test_a_process_that_ended_is_dead() -> None:
    code = "from automl._worker import worker_name; print(worker_name())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_dead(name)


def test_a_process_with_a_recycled_number_is_dead() -> None:
    machine, pid, _, number = worker_name().split("/")
    assert is_dead(f"{machine}/{pid}/1.00/{number}")


def test_a_process_that_nobody_has_waited_for_is_dead() -> None:
    code = "from automl._worker import worker_name; print(worker_name(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        name = process.stdout.readline().strip()
        process.stdout.read()  # until it has ended; its entry in the process table is still there
        time.sleep(0.2)
        assert is_dead(name)


@pytest.mark.skipif(not os.path.exists("/proc/self/ns/pid"), reason="has no namespaces of processes")
@pytest.mark.parametrize("here", ["", ".1", ".2"])
def test_a_process_of_another_container_of_this_name_is_never_judged(
    here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {}
    for container in ("", ".1", ".2"):
        monkeypatch.setattr(_worker, "_container", lambda container=container: container)
        machine, _, started, number = worker_name().split("/")
        names[container] = f"{machine}/999999999/{started}/{number}"
    monkeypatch.setattr(_worker, "_container", lambda: here)
    assert not is_dead(worker_name())
    assert [container for container, name in names.items() if is_dead(name)] == [here]


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="follows the wall clock elsewhere")
def test_a_name_does_not_follow_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    name = worker_name()
    monkeypatch.setattr(_worker, "_start_by_clock", lambda pid: "1.00")
    assert not is_dead(name)
    assert worker_name().split("/")[2] == name.split("/")[2]


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no boots are told apart elsewhere")
def test_another_boot_may_be_another_machine_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_worker, "_boot", lambda: "0123456789ab")
    theirs = worker_name().replace(f"/{os.getpid()}/", "/999999999/")
    assert is_dead(theirs)
    monkeypatch.undo()
    assert not is_dead(theirs)


def test_where_the_system_tells_nothing_else_the_clock_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_worker, "_boot", lambda: None)
    machine, pid, started, number = worker_name().split("/")
    assert not is_dead(f"{machine}/{pid}/{float(started) + 1:.2f}/{number}")
    assert is_dead(f"{machine}/{pid}/{float(started) + 60:.2f}/{number}")


@pytest.mark.parametrize("role", ["asked", "joined", "for elsewhere/1/0.0/0"])
def test_a_role_changes_nothing_about_life_and_death(role: str) -> None:
    assert not is_dead(worker_name(role))
    assert is_dead(f"{platform.node()}/999999999/1.00/0 {role}")


def test_only_a_living_driver_keeps_another_one_out() -> None:
    me, other, dead = worker_name(), "elsewhere/1/0.0/0", f"{platform.node()}/999999999/1.00/0"
    assert keeps_driver_out(other, me)
    assert keeps_driver_out(f"elsewhere/2/0.0/0 {for_driver(other)}", me)
    free = [me, worker_name("joined"), worker_name("asked"), "Ada asked"]
    free += [worker_name(for_driver(me)), f"elsewhere/2/0.0/0 {for_driver(dead)}"]
    assert [one for one in free if keeps_driver_out(one, me)] == []
    assert is_asker("Ada asked")


def test_a_waiting_worker_looks_for_dead_ones_often_and_for_ended_leases_now_and_then() -> None:
    now = [0.0]
    store = open_store("memory://")
    store.create_study(record())
    sweep = Sweep(store, STUDY, every_seconds=1.0, clock=lambda: now[0])
    begin(store, 2)
    store.claim(STUDY, worker=f"{platform.node()}/999999999/1.00/0", limit=1, lease_seconds=60)
    store.claim(STUDY, worker="elsewhere/1/0.0/0", limit=1, lease_seconds=-1)
    found = []
    for now[0] in (0.5, 1.0, 1.5, 2.0, 5.0):
        found.append(sweep.look())
    assert found == [0, 1, 0, 0, 1]
    assert {trial.state for trial in store.trials(STUDY)} == {TrialState.WAITING}


def test_a_hung_worker_gives_up_and_lets_its_lease_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_worker, "LEASE_SECONDS", 0.04)
    store = open_store("memory://")
    store.create_study(record())
    begin(store, 1)
    store.claim(STUDY, worker="w", limit=1, lease_seconds=0.02)
    given_up = threading.Event()
    with Heartbeat(store, STUDY, "w", is_hung=lambda: True, give_up=given_up.set):
        assert given_up.wait(30)
        time.sleep(0.03)
        assert store.requeue_lost(STUDY) == 1


def test_two_studies_of_one_process_are_two_workers() -> None:
    assert worker_name() != worker_name()


def test_another_machine_is_never_judged() -> None:
    assert not is_dead("elsewhere/999999999/1.00/0")


def test_a_name_that_is_not_ours_is_never_judged() -> None:
    assert not is_dead(f"{platform.node()}/somebody/1.00")
