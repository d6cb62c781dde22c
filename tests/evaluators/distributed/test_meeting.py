"""Folders of killed drivers do not stay, those of others do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from evaluators._distributed.meeting import HELD, NEW_SECONDS, PREFIX, Meeting

HOLDS = "import sys, time; from pathlib import Path; from evaluators._distributed.meeting import Meeting; "
HOLDS += "one = Meeting(Path(sys.argv[1])); print(one.folder, flush=True); time.sleep(60)"


def _age(folder: Path) -> None:
    then = time.time() - 2 * NEW_SECONDS
    os.utime(folder, (then, then))


def test_a_closed_one_leaves_nothing(tmp_path: Path) -> None:
    one = Meeting(tmp_path)
    one.file.write_text("")
    one.close()
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_driver_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as told:
        folder = Path(told.readline().strip())
    _age(folder)
    Meeting(tmp_path).close()
    assert folder.exists()  # as long as its driver lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    Meeting(tmp_path).close()
    assert not folder.exists()


def test_new_folders_and_those_of_others_stay(tmp_path: Path) -> None:
    other, new, old = tmp_path / "something", tmp_path / f"{PREFIX}new", tmp_path / f"{PREFIX}old"
    for folder in (other, new, old):
        folder.mkdir()
    (new / HELD).touch()
    _age(other)
    _age(old)
    Meeting(tmp_path).close()
    assert sorted(tmp_path.iterdir()) == [new, other]
