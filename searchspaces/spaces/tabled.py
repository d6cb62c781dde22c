"""Search space of a table of trainings: its candidates and no others, with the decisions of the space they are from.

Other than in the space `table`, where a candidate is the number of a row, a searcher sees what it would see in the
whole space: typed decisions, edits, encodings. So what wins a race on a table is what would win outside of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from searchspaces._candidate import Candidate
from searchspaces._errors import SearchSpaceError, SpaceError
from searchspaces._plugins import load_plugin
from searchspaces._schema import FeatureSchema
from searchspaces._space import SearchSpace
from searchspaces.spaces._row_space import RowSpace, checked_rows
from searchspaces.spaces._tabled_views import RowView, SettingsView, SourceView, View
from searchspaces.trial_rows import read_candidates, read_searched

__all__ = ["Tabled"]

ROOM = "searchspaces.spaces"
TRIALS_FILE, FACTS_FILE = "trials.parquet", "table.json"


class Tabled(RowSpace):
    """The candidates of a table, each in reach from its neighbours.

    `table` is the folder that `automl bench table` wrote: decisions and encoding are those of the space that the
    candidates were drawn from, and an assignment that decodes to another candidate stands for the nearest row. Or it
    is a file of finished trials, as the space `table` reads it, with `training` and `system` naming its settings: each
    that varies is a decision.

    Raises:
        SpaceError: the table cannot be read, has fewer than two candidates, or one that the schema cannot feed.
    """

    def __init__(
        self, schema: FeatureSchema, *, table: str, training: Sequence[str] = (), system: Sequence[str] = ()
    ) -> None:
        place = Path(table)
        is_made = place.is_dir()
        rows = (
            read_searched(place / TRIALS_FILE) if is_made else read_candidates(place, training=training, system=system)
        )
        checked = checked_rows(rows, schema, table)
        self._source = _source(place, schema) if is_made else None
        super().__init__(checked, _view(self._source, checked))

    @property
    def source(self) -> SearchSpace | None:
        """The space that the candidates were drawn from, where the table tells."""
        return self._source

    @classmethod
    def of(cls, rows: Sequence[Candidate]) -> Tabled:
        """The space of these candidates, at least two and all different, that somebody else has read."""
        made = cls.__new__(cls)
        made._source = None
        RowSpace.__init__(made, rows, _view(None, rows))
        return made


def _view(source: SearchSpace | None, rows: Sequence[Candidate]) -> View:
    if source is not None:
        return SourceView(source, rows)
    return RowView(rows) if any(row.architecture for row in rows) else SettingsView(rows)


def _source(folder: Path, schema: FeatureSchema) -> SearchSpace:
    file = folder / FACTS_FILE
    try:
        spec = json.loads(file.read_text(encoding="utf-8"))["space"]
        options = {name: value for name, value in spec.items() if name != "name"}
        made: SearchSpace = load_plugin(ROOM, spec["name"])(schema, **options)
        return made
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, SearchSpaceError):
            raise
        raise SpaceError(
            f"a table says in {FACTS_FILE} which space it is of, but {file} cannot be read: {error!r}; make the table "
            "with 'automl bench table', or name a file of trials"
        ) from error
