"""A PostgreSQL server for a benchmark, on a socket of its own."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from automl._errors import StudyError
from automl.bench.faults.plan import CannotInject

START_SECONDS = 60
SETTINGS = "-c max_connections=100 -c fsync=off"
"""Without fsync a crash of the server is survived all the same, only one of the machine is not."""


class PostgresServer:
    """A server whose database outlives it, so that a stopped benchmark goes on.

    The database lies in the system's folder for temporary files, under a name that follows from `folder`: root's own
    folders are closed to the account that the server needs, and a socket's path must be short.

    Raises:
        CannotInject: the machine has no PostgreSQL, or nobody that it would run as.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = _programs()
        self._account = _account()
        name = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:8]
        self._folder = Path(tempfile.gettempdir()) / f"automl-faults-{name}"

    @property
    def url(self) -> str:
        """Of the database, by the socket; no password is needed there."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._folder}"

    def start(self) -> None:
        """Makes the database where it is missing, and starts the server where it does not run."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        if not (self._folder / "data" / "PG_VERSION").exists():
            self._run("initdb", "--no-sync", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        if self._run("pg_ctl", "status", check=False):
            settings = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' {SETTINGS}"
            self._run(
                "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-l", str(self._folder / "log"), "-o", settings
            )

    def stop(self, *, mode: str = "fast") -> None:
        """Ends the server: `fast` breaks off transactions, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, check=False)

    def restart(self) -> None:
        """A crash, and the recovery from it."""
        self.stop(mode="immediate")
        self.start()

    def remove(self) -> None:
        """Ends it and deletes its database."""
        self.stop(mode="immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        user = self._account.pw_uid if self._account else None
        group = self._account.pw_gid if self._account else None
        with (self._folder / "commands.log").open("ab") as log:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, group=group, cwd="/", check=False
            ).returncode
        if check and code:
            raise StudyError(f"{program} must succeed, but ended with {code}; see {self._folder / 'commands.log'}")
        return code


def _programs() -> Path:
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise CannotInject("this machine has no PostgreSQL server; install one (initdb, pg_ctl)")


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise CannotInject("PostgreSQL refuses to run as root, and there is no user 'postgres'") from None
