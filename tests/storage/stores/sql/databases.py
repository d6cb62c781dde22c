"""Databases by kind, and programs that several processes run on them at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.storage import postgres

KINDS = ("sqlite", "postgresql")


def empty(kind: str, folder: Path) -> str:
    """The URL of a database without tables."""
    return f"sqlite:///{folder / 'store.db'}" if kind == "sqlite" else postgres.new_database()


def execute(file: Path, statement: str) -> list[tuple[object, ...]]:
    """Runs one statement on a SQLite file, past the store."""
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement).fetchall()


def run_at_once(code: str, url: str, *arguments: str, processes: int = 4) -> list[str]:
    """Runs a program (URL, worker, arguments) in several processes at once; what each wrote."""
    commands = [[sys.executable, "-c", code, url, f"worker {number}", *arguments] for number in range(processes)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    written = [one.communicate(timeout=240)[0] for one in running]
    assert [one.returncode for one in running] == [0] * processes
    return written
