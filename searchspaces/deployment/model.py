"""A ranking model as a cluster sees it: tables to look up in, and a dense part to multiply with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from searchspaces._errors import SpaceError

_SMALL_DIM, _MIDDLE_DIM = 64, 128
_SMALL_PENALTY, _MIDDLE_PENALTY = 1.75, 1.15
"""How much longer a byte of a short row takes, from TorchRec's planner."""


@dataclass(frozen=True)
class Table:
    """`count` embedding tables that are alike: `rows` of `dim` numbers, `hotness` ids an example on average.

    Raises:
        SpaceError: a number is not above zero.
    """

    name: str
    rows: int
    dim: int
    hotness: float = 1.0
    count: int = 1

    def __post_init__(self) -> None:
        for key in ("rows", "dim", "hotness", "count"):
            if not getattr(self, key) > 0:
                raise SpaceError(f"{key!r} of a table must be above 0, but of {self.name!r} it is {getattr(self, key)}")

    @property
    def weights(self) -> int:
        """Numbers of one of the tables."""
        return self.rows * self.dim


@dataclass(frozen=True)
class RankingModel:
    """Tables, and the dense part by its multiply-adds an example (forward) and its parameters.

    `numeric` counts the raw numbers of an example.

    Raises:
        SpaceError: there is no table, two have one name, or the dense part is negative.
    """

    tables: tuple[Table, ...]
    dense_macs: int
    dense_parameters: int
    numeric: int = 0

    def __post_init__(self) -> None:
        names = [table.name for table in self.tables]
        if not names or len(set(names)) < len(names):
            raise SpaceError(f"a model has at least one table, each of a name of its own, but has {names}")
        for key in ("dense_macs", "dense_parameters", "numeric"):
            if getattr(self, key) < 0:
                raise SpaceError(f"{key!r} of a model must be zero or more, but is {getattr(self, key)}")

    @cached_property
    def width(self) -> int:
        """Numbers that an example's pooled lookups have: sum of the dimensions."""
        return sum(table.dim * table.count for table in self.tables)

    @cached_property
    def lookups(self) -> float:
        """Ids of an example."""
        return sum(table.hotness * table.count for table in self.tables)

    @cached_property
    def table_weights(self) -> int:
        """Numbers of all tables."""
        return sum(table.weights * table.count for table in self.tables)


def short_row_penalty(dim: int) -> float:
    """Time of a row's byte over that of a row of at least 128 numbers: short rows fill a memory transaction badly."""
    if dim >= _MIDDLE_DIM:
        return 1.0
    return _MIDDLE_PENALTY if dim >= _SMALL_DIM else _SMALL_PENALTY
