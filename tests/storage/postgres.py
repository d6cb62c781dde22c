"""A real PostgreSQL server for tests, where the machine has one installed: throw-away, local, without fsync."""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from storage.stores.sql import SqlStore

SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "60"}
PASSWORD = "correct horse"
_NAMES = count()


def new_server() -> PostgresServer:
    """A server, not yet started; skips the test where there is none to start."""
    programs = programs_folder()
    if programs is None:
        pytest.skip("needs a PostgreSQL server: no initdb in PATH or /usr/lib/postgresql")
    return PostgresServer(programs)


@cache
def shared_server() -> PostgresServer:
    """The server of this test process, started at the first call; skips the test where there is none to start."""
    server = new_server()
    atexit.register(server.remove)
    server.start()
    return server


def new_database(*, template: str = "template1") -> str:
    """The URL of a new database on the shared server."""
    return shared_server().new_database(template=template)


def ready_database() -> str:
    """The URL of a new database that has the store's tables: a copy, much faster than making them."""
    return new_database(template=_template())


@cache
def _template() -> str:
    url = new_database()
    SqlStore(url).close()
    return str(make_url(url).database)


def programs_folder() -> Path | None:
    """Where initdb and postgres lie together; None where the machine has none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class PostgresServer:
    """One server in a folder of its own, by socket (trusted) and on a free port of the loopback (by password)."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._account = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = _free_port()
        self._running: subprocess.Popen[bytes] | None = None
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._initialise()

    def start(self) -> None:
        """Starts it and waits until it answers; it ends with the thread that called."""
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._running = self._spawn("postgres", "-D", str(self.folder / "data"), *options)
        self._wait()

    def stop(self, *, crash: bool = False) -> None:
        """Ends it: as after a power cut with `crash`, else in order, though without waiting for clients."""
        if self._running is not None:
            self._running.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self._running.wait(timeout=30)
            self._running = None

    def remove(self) -> None:
        """Ends it and deletes its folder."""
        self.stop(crash=True)
        ends_at = time.monotonic() + 5
        while self.folder.exists() and time.monotonic() < ends_at:  # its last children still write for a moment
            shutil.rmtree(self.folder, ignore_errors=True)
            time.sleep(0.05)

    def url(self, database: str) -> str:
        """By the socket, as its superuser."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}&port={self.port}"

    def network_url(self, database: str, *, user: str = "postgres", password: str = PASSWORD) -> str:
        """By the loopback, with a password."""
        return f"postgresql+psycopg://{user}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Runs one statement outside any transaction."""
        place = f"host={self.folder} port={self.port} user=postgres dbname={database}"
        with psycopg.connect(place, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self, *, template: str = "template1") -> str:
        """The URL of a new database."""
        name = f"db_{os.getpid()}_{next(_NAMES)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def _initialise(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C", f"--pwfile={secret}"]
        options += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        made = self._spawn("initdb", "-D", str(self.folder / "data"), *options)
        if made.wait(timeout=60):
            raise RuntimeError((self.folder / "log").read_text())

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        owner = self._account
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
                preexec_fn=_die_with_parent(),
                user=None if owner is None else owner.pw_uid,
                group=None if owner is None else owner.pw_gid,
                extra_groups=None if owner is None else [],
            )

    def _wait(self) -> None:
        ends_at = time.monotonic() + 30
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > ends_at or self._running is None or self._running.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; None where nobody is root."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name: one for one in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> Callable[[], object]:
    """A killed test run leaves no server behind (Linux: PR_SET_PDEATHSIG is 1)."""
    return partial(ctypes.CDLL(None).prctl, 1, signal.SIGQUIT)
