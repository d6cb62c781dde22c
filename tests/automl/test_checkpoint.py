from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from automl import StudyError
from automl._checkpoint import FACTS_FILE, Account, Checkpoint


def writing(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "state.txt").write_text(text, encoding="utf-8")

    return write


def state(checkpoint: Checkpoint) -> str:
    kept = checkpoint.kept()
    assert kept is not None
    return (kept.files / "state.txt").read_text(encoding="utf-8")


class Clock:
    """Ten seconds later each time that it is asked."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 10.0
        return self._now


def test_a_fresh_folder_holds_nothing(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path / "none").kept() is None
    assert not (tmp_path / "none").exists()


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    Checkpoint(tmp_path).keep({"step": 3}, writing("three"))
    again = Checkpoint(tmp_path)
    kept = again.kept()
    assert kept is not None
    assert (kept.facts, state(again)) == ({"step": 3}, "three")


def test_facts_alone_leave_the_files_as_they_are(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path)
    one.keep({"step": 3}, writing("three"))
    one.keep({"step": 3, "scores": 1})
    assert state(Checkpoint(tmp_path)) == "three"


def test_one_set_of_files_is_kept(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path)
    for text in ("one", "two", "three"):
        one.keep({}, writing(text))
    assert len(list(tmp_path.iterdir())) == 2
    assert state(Checkpoint(tmp_path)) == "three"


def test_a_write_that_is_broken_off_leaves_the_one_before(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path)
    one.keep({"step": 1}, writing("one"))

    def killed(folder: Path) -> None:
        (folder / "state.txt").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one.keep({"step": 2}, killed)
    again = Checkpoint(tmp_path)
    assert state(again) == "one"
    again.keep({"step": 2}, writing("two"))
    assert state(Checkpoint(tmp_path)) == "two"
    assert len(list(tmp_path.iterdir())) == 2


def test_accounts_add_up_over_processes(tmp_path: Path) -> None:
    for _ in range(2):
        one = Checkpoint(tmp_path, clock=Clock())
        one.spend("training", rows=100, peak_bytes=5)
        one.spend("training", rows=50, peak_bytes=3)
        one.keep({})
    assert Checkpoint(tmp_path).accounts == {"training": Account(4, 300, 40.0, 5)}


def test_it_is_due_after_so_many_seconds(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path, clock=Clock())
    assert one.is_due(10.0)
    one.keep({})
    assert not one.is_due(10.5)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"version": 99})])
def test_a_broken_checkpoint_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FACTS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"must be whole, but .* remove it to begin the method again"):
        Checkpoint(tmp_path)


def test_released_files_go_and_facts_and_account_stay(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path)
    one.spend("training", rows=5)
    one.keep({"at": 1}, writing("a"))
    one.release()
    again = Checkpoint(tmp_path)
    assert again.kept() is None
    assert again.accounts["training"].rows == 5
    assert list(tmp_path.glob("files-*")) == []


def test_a_release_that_a_kill_broke_off_is_completed_by_the_next(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path)
    one.keep({"at": 1}, writing("a"))
    one.release()
    (tmp_path / "files-1").mkdir()
    Checkpoint(tmp_path).release()
    assert list(tmp_path.glob("files-*")) == []
