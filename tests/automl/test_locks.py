from __future__ import annotations

import subprocess
import sys
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
