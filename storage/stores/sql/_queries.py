"""The questions that the store asks of an open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Select

from evaluators import Trial
from storage._rules import study_not_found
from storage.stores.sql import _statements as statements
from storage.stores.sql._rows import collector_paused, outcome_row, to_trial


def find_study(connection: Connection, name: str, *, url: str) -> int:
    """The study's key.

    Raises:
        StudyNotFound: no study of that name.
    """
    found: int | None = connection.execute(statements.STUDY_ID, {"name": name}).scalar()
    if found is None:
        known = connection.execute(statements.STUDY_NAMES).scalars().all()
        raise study_not_found(name, known, url)
    return found


@dataclass(frozen=True)
class OpenStudy:
    """One study within one transaction."""

    connection: Connection
    study_id: int

    def run(self, statement: Executable, **parameters: object) -> int:
        """Changes rows of the study; says how many."""
        return self.connection.execute(statement, {"of_study": self.study_id, **parameters}).rowcount

    def column(self, statement: Select[Any], **parameters: object) -> list[Any]:
        """The one column of a statement."""
        return list(self.connection.execute(statement, {"of_study": self.study_id, **parameters}).scalars())

    def trials(self, statement: Select[Any], **parameters: object) -> list[Trial]:
        """The trials of a statement."""
        with collector_paused():
            rows = self.connection.execute(statement, {"of_study": self.study_id, **parameters})
            return [to_trial(row) for row in rows]

    def asks(self, stage: str) -> int:
        """How many asks of a stage have been answered: the number of the next one."""
        return self._following(statements.ANSWERED, 0, stage=stage)

    def next_number(self) -> int:
        """The number of the next trial that begins."""
        return self._following(statements.LAST_NUMBER, 0)

    def next_finish(self) -> int:
        """The finish order of the next trial that ends."""
        return self._following(statements.LAST_FINISH, 1)

    def end(self, trials: Sequence[Trial]) -> None:
        """Writes what ending the trials has decided."""
        if trials:
            rows = [{"of_study": self.study_id, "of_number": one.number, **outcome_row(one)} for one in trials]
            self.connection.execute(statements.END, rows)

    def cursor(self, reader: str) -> int | None:
        """Where the reader stands; None for a new one."""
        found: int | None = self.connection.execute(statements.CURSOR, self._reader(reader)).scalar()
        return found

    def move_cursor(self, reader: str, finish_order: int) -> None:
        """Where the reader stands from now on."""
        if self.cursor(reader) is None:
            row = {"study_id": self.study_id, "reader": reader, "finish_order": finish_order}
            self.connection.execute(statements.ADD_CURSOR, row)
        else:
            moved = {**self._reader(reader), "new_finish_order": finish_order}
            self.connection.execute(statements.MOVE_CURSOR, moved)

    def _reader(self, reader: str) -> dict[str, object]:
        return {"of_study": self.study_id, "of_reader": reader}

    def _following(self, statement: Select[Any], first: int, **parameters: object) -> int:
        (last,) = self.column(statement, **parameters)
        return first if last is None else last + 1
