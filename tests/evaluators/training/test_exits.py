"""How the end of a process is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators import FailureKind
from evaluators._training.exits import failure_of_exit, out_of_memory_kills


def test_sigkill_is_out_of_memory_only_with_evidence() -> None:
    assert failure_of_exit(-9, "", is_oom_kill=True).kind is FailureKind.OUT_OF_MEMORY
    bare = failure_of_exit(-9, "", is_oom_kill=False)
    assert bare.kind is FailureKind.CRASHED
    assert bare.reason == ("the training process was killed (SIGKILL); often that is the kernel's out-of-memory killer")


def test_a_signal_is_named_and_the_last_line_told() -> None:
    failure = failure_of_exit(-11, "Fatal error in kernel", is_oom_kill=False)
    assert failure.kind is FailureKind.CRASHED
    assert failure.reason == "the training process ended by signal SIGSEGV: Fatal error in kernel"


def test_an_exit_code_is_told_also_where_nothing_was_said() -> None:
    failure = failure_of_exit(3, "", is_oom_kill=False)
    assert failure.reason == "the training process ended with exit code 3: it said nothing"


def test_a_signal_that_python_does_not_know_is_numbered() -> None:
    assert "signal number 99" in failure_of_exit(-99, "", is_oom_kill=False).reason


def test_an_abort_after_a_failed_allocation_is_out_of_memory() -> None:
    failure = failure_of_exit(-6, "what():  std::bad_alloc", is_oom_kill=False)
    assert failure.kind is FailureKind.OUT_OF_MEMORY


@pytest.mark.parametrize("said", ["RuntimeError: can't start new thread", "RuntimeError: could not create a primitive"])
def test_what_a_limit_of_memory_does_to_libraries_is_out_of_memory(said: str) -> None:
    limited = failure_of_exit(1, said, is_oom_kill=False, has_memory_limit=True)
    assert limited.kind is FailureKind.OUT_OF_MEMORY
    assert failure_of_exit(1, said, is_oom_kill=False).kind is FailureKind.CRASHED


def test_the_control_groups_counter_goes_before_the_machines(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup/work"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/vmstat").write_text("nr_free 1\noom_kill 7\n")
    assert out_of_memory_kills(tmp_path) == 7
    (tmp_path / "proc/self/cgroup").write_text("0::/work\n")
    (group / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert out_of_memory_kills(tmp_path) == 2


def test_a_kernel_that_does_not_tell_counts_none(tmp_path: Path) -> None:
    assert out_of_memory_kills(tmp_path) == 0
