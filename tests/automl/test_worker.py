from __future__ import annotations

import platform
import subprocess
import sys

from automl._worker import is_dead, worker_name


def test_this_process_is_alive() -> None:
    assert not is_dead(worker_name())


def test_a_process_that_ended_is_dead() -> None:
    code = "from automl._worker import worker_name; print(worker_name())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_dead(name)


def test_a_process_with_a_recycled_number_is_dead() -> None:
    machine, pid, _ = worker_name().split("/")
    assert is_dead(f"{machine}/{pid}/1.00")


def test_another_machine_is_never_judged() -> None:
    assert not is_dead("elsewhere/999999999/1.00")


def test_a_name_that_is_not_ours_is_never_judged() -> None:
    assert not is_dead(f"{platform.node()}/somebody/1.00")
