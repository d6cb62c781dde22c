from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from automl._locks import StudyLock

HOLD = """
import sys
from automl._locks import StudyLock
lock = StudyLock("uid", "driver")
print(lock.acquire("the other"), flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_once_and_tells_by_whom() -> None:
    one, other = StudyLock("uid", "driver"), StudyLock("uid", "driver")
    assert one.acquire("me")
    assert not other.acquire("you")
    assert other.holder() == "me"
    one.release()
    one.release()
    assert other.acquire("you", seconds=1.0)
    other.release()


def test_locks_of_other_studies_and_purposes_are_other_locks() -> None:
    locks = [StudyLock("uid", "driver"), StudyLock("uid", "ask"), StudyLock("other", "driver")]
    assert [lock.acquire("me") for lock in locks] == [True] * 3
    for lock in locks:
        lock.release()


@pytest.mark.slow
def test_a_killed_holder_lets_go_at_once() -> None:
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == "True"
        lock = StudyLock("uid", "driver")
        assert not lock.acquire("me")
        assert lock.holder() == "the other"
        process.kill()
        process.wait()
        assert lock.acquire("me")
        lock.release()


def test_a_turn_goes_on_without_the_lock_after_a_while() -> None:
    one, other = StudyLock("uid", "ask"), StudyLock("uid", "ask")
    with one.turn("me", seconds=0.0), other.turn("you", seconds=0.01):
        assert other.holder() == "me"
    assert other.acquire("you")
    other.release()


def test_where_nothing_can_be_written_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "file"))
    one, other = StudyLock("uid", "driver"), StudyLock("uid", "driver")
    assert one.acquire("me")
    assert other.acquire("you")
    assert other.holder() == ""


def _refuse(code: int) -> Callable[..., int]:
    def refuse(*_arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    return refuse


def test_a_full_disk_keeps_the_name_of_the_holder_but_not_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = StudyLock("uid", "driver"), StudyLock("uid", "driver")
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", _refuse(errno.ENOSPC))
        assert one.acquire("me")
    assert not other.acquire("you")
    one.release()
    assert other.acquire("you")
    other.release()


def test_where_the_file_system_knows_no_locks_nothing_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", _refuse(errno.ENOLCK))
    assert StudyLock("uid", "driver").acquire("me")
