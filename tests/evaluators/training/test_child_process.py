"""The driver's end of the pipe, against small children of our own."""

from __future__ import annotations

import os
import sys

import pytest

from evaluators import ProtocolError
from evaluators._training.child_process import ChildEnded, ChildLate, ChildProcess

ANSWERS = (
    "import sys, os, json, time, signal\nanswers = os.fdopen(int(sys.argv[1]), 'w')\nline = sys.stdin.readline()\n"
)


def _child(script: str) -> ChildProcess:
    return ChildProcess((sys.executable, "-S", "-c", ANSWERS + script))


def _ask(child: ChildProcess, seconds: float = 20.0) -> object:
    try:
        return child.ask({"x": 1}, seconds=seconds)
    finally:
        child.end()


def test_a_question_gets_its_answer() -> None:
    assert _ask(_child("answers.write(line)")) == {"x": 1}


def test_what_libraries_print_does_not_break_the_protocol() -> None:
    assert _ask(_child("print('{}', flush=True)\nanswers.write(line)")) == {"x": 1}


def test_the_child_knows_its_driver_and_has_a_session_of_its_own() -> None:
    child = _child("answers.write(json.dumps({'own': os.getsid(0) == os.getpid(), 'driver': sys.argv[2]}) + '\\n')")
    assert _ask(child) == {"own": True, "driver": str(os.getpid())}


def test_a_child_that_ends_instead_gives_code_and_last_line() -> None:
    with pytest.raises(ChildEnded, match="must answer, but it ended with code 3: the last words") as caught:
        _ask(_child("sys.stderr.write('first\\nthe last words\\n')\nsys.exit(3)"))
    assert (caught.value.returncode, caught.value.said) == (3, "the last words")


def test_a_child_that_is_killed_gives_the_signal() -> None:
    with pytest.raises(ChildEnded, match="ended with code -9: no output") as caught:
        _ask(_child("os.kill(os.getpid(), signal.SIGKILL)"))
    assert caught.value.returncode == -9


def test_a_child_that_is_late_is_left_running_until_it_is_ended() -> None:
    child = _child("time.sleep(60)")
    with pytest.raises(ChildLate, match="must answer in time, but has not"):
        child.ask({}, seconds=0.05)
    assert child.is_alive
    child.end()
    assert not child.is_alive


@pytest.mark.parametrize(
    ("answer", "message"), [("hello", "must answer in JSON, but said b'hello'"), ("[1]", "must answer with an object")]
)
def test_an_answer_that_is_no_object_is_refused(answer: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        _ask(_child(f"answers.write('{answer}\\n')"))


def test_a_child_may_be_ended_twice() -> None:
    child = _child("")
    child.end(patience=5.0)
    child.end()
    assert not child.is_alive


def test_a_child_that_ignores_the_end_of_its_input_is_killed() -> None:
    child = _child("time.sleep(60)")
    child.end(patience=0.05)
    assert not child.is_alive
