"""Search space of the rows of a table: candidates that have been measured before, and no others.

For races of searchers at no cost, and for questions to what is known: with an evaluator that looks the
rows up, a whole search takes seconds (Ying, Klein, Christiansen, Real, Murphy, Hutter 2019, NAS-Bench-101:
towards reproducible neural architecture search).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from searchspaces._schema import FeatureSchema
from searchspaces.spaces._row_space import RowSpace, checked_rows
from searchspaces.spaces._tabled_views import RowView
from searchspaces.trial_rows import read_candidates

__all__ = ["Table"]


class Table(RowSpace):
    """The different candidates of the finished trials in a CSV, Parquet or JSON-lines file.

    A row has its candidate in a column `candidate`, as the tracker `jsonl` writes it, or flat: `training` and
    `system` name the columns that hold its settings. Rows are near each other where blocks, options, edges and
    settings are: distances sum up the differences of all columns of the code.

    Raises:
        SpaceError: the file cannot be read, has fewer than two candidates, or one that the schema cannot feed.
    """

    def __init__(
        self, schema: FeatureSchema, *, file: str, training: Sequence[str] = (), system: Sequence[str] = ()
    ) -> None:
        rows = checked_rows(read_candidates(Path(file), training=training, system=system), schema, file)
        super().__init__(rows, RowView(rows))
