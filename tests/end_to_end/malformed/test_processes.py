"""A few malformed inputs through real processes: bytes that are no text, pipes, a trainer that answers nonsense."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.malformed.place import ASKED, execute
from tests.end_to_end.malformed.studies import BOMB
from tests.end_to_end.malformed.verdict import changes, complaints_of_text, snapshot

pytestmark = pytest.mark.slow


def _run(*words: str | bytes, given: bytes = b"", code: int = 2) -> str:
    command = [sys.executable, "-m", "automl", *words]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)
    told = done.stderr.decode()
    assert done.returncode == code, told
    assert complaints_of_text(told) == []
    return told


def test_a_name_that_is_no_text_is_told(place: Path) -> None:
    before = snapshot(place)
    assert "Unicode" in _run("status", b"caf\xe9")
    assert changes(before, place) == []


def test_a_few_lines_that_stand_for_a_world_are_told_at_once(place: Path) -> None:
    (place / "study.yaml").write_text(f"schema_version: 1\n{BOMB}space: *i\n", encoding="utf-8")
    before = snapshot(place)
    assert "aliases" in _run("search", "study.yaml")
    assert changes(before, place) == []


def test_metrics_from_a_pipe_are_judged_too(place: Path) -> None:
    before = snapshot(place)
    assert "JSON" in _run("tell", ASKED, "0", "--metrics", "-", given=os.urandom(1000))
    assert changes(before, place) == []


NONSENSE = {
    "nothing": ("true", "wrote no metrics"),
    "noise": ("printf '\\377\\376\\000' > {metrics}", "JSON"),
    "half": ("printf '{{\"ne\": 0.' > {metrics}", "JSON"),
    "folder": ("mkdir {metrics}", "plain file"),
    "pipe": ("mkfifo {metrics}", "plain file"),
    "link": ("ln -s nowhere {metrics}", "wrote no metrics"),
    "huge": ("head -c 2000000 /dev/zero > {metrics}", "at most"),
    "escape": ("printf '\\033[2J' >&2; exit 3", "exit code 3"),
    "signal": ("kill -SEGV $$", "SIGSEGV"),
    "own_folder": ("rm -r {folder}", "wrote no metrics"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_trainer_that_answers_nonsense_costs_its_trial_alone(kind: str, place: Path) -> None:
    script, told = NONSENSE[kind]
    trainer = {"name": "external", "command": ["/bin/sh", "-c", script], "trial_folders": "trials"}
    evaluator = f"evaluator={json.dumps(trainer)}"
    before = snapshot(place)
    done = execute(("search", "study.yaml", "--trials", "1", "--set", "baselines=[]", "--set", evaluator))
    assert done.code == 1, done.err
    assert "FAIL crashed" in done.err
    assert told in done.err
    assert "Traceback" not in done.err
    assert [one for one in done.err if not one.isprintable() and one != "\n"] == []
    kept = [one for one in changes(before, place) if not one.startswith(("trials", "automl.db"))]
    assert kept == []
