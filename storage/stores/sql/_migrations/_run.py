"""Runs the migration steps from within the program: there is no alembic.ini to find or to forget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def run(connection: Connection, version_table: str, *, target: str = "head") -> None:
    """Takes the database to the newest schema, or an older one, within the connection's transaction."""
    config = Config()
    script = scripts()

    def steps(revision: str, _context: MigrationContext) -> Sequence[MigrationStep]:
        return script._upgrade_revs(target, revision)  # the way that Alembic documents for `fn`

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, version_table=version_table)
        environment.run_migrations()


def scripts() -> ScriptDirectory:
    """The migration steps that ship with this release."""
    folder = Path(__file__).parent
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
