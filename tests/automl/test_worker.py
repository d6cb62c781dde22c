from __future__ import annotations

import platform
import subprocess
import sys
import time

from automl._worker import is_dead, worker_name


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


def test_two_studies_of_one_process_are_two_workers() -> None:
    assert worker_name() != worker_name()


def test_another_machine_is_never_judged() -> None:
    assert not is_dead("elsewhere/999999999/1.00/0")


def test_a_name_that_is_not_ours_is_never_judged() -> None:
    assert not is_dead(f"{platform.node()}/somebody/1.00")
