"""Where rows and columns of tables live, by what rule they move, and groups of ranks that hold all tables.

Letters: W ranks, M groups of N = W / M ranks. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evaluators._errors import EvaluatorError


class Sharding(StrEnum):
    """How one table is laid out over the ranks of a group."""

    TABLE = "table"
    """Each part, a field's rows, whole on one rank."""
    ROW = "row"
    """Equal blocks of rows."""
    COLUMN = "column"
    """All rows on each rank, equal blocks of their numbers."""
    DATA_PARALLEL = "data_parallel"
    """The whole table on every rank, gradients exchanged."""


class Rule(StrEnum):
    """The rules there are."""

    SGD = "sgd"
    ADAGRAD = "adagrad"
    """Duchi et al. (2011), Adaptive subgradient methods: one sum of squares for each number."""
    ROWWISE_ADAGRAD = "rowwise_adagrad"
    """One sum of mean squares for each row, as TorchRec's tables have it; a column shard has its own."""
    SPARSE_ADAM = "sparse_adam"
    """Kingma and Ba (2015), Adam: moments of the rows in use move, those of others wait."""
    ADAM = "adam"
    """The same for every row at every step, as an optimizer does that knows nothing of tables."""


@dataclass(frozen=True)
class Layout:
    """How the tables of a model are laid out, and how groups of ranks keep equal.

    With `groups` M > 1 each group trains tables of its own on its part of the batch, and after every `sync_interval`
    steps weights and accumulated squares are averaged over the groups. A group sees B / M rows of a batch of B, so its
    accumulated squares are those of a noisier gradient; `moment_scale` c takes sqrt(v / c) for sqrt(v), and c = M
    makes up for it. Zhang et al. (2025), Two-dimensional sparse parallelism for large scale deep learning
    recommendation model training.
    """

    default: Sharding = Sharding.TABLE
    by_table: Mapping[str, Sharding] = field(default_factory=dict)
    groups: int = 1
    sync_interval: int = 1
    moment_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.groups < 1 or self.sync_interval < 1 or self.moment_scale <= 0:
            raise EvaluatorError(
                "a layout has at least one group, a sync interval of at least one step and a positive moment scale, "
                f"but has {self.groups}, {self.sync_interval} and {self.moment_scale}"
            )

    def of(self, table: str) -> Sharding:
        """The kind of one table."""
        return self.by_table.get(table, self.default)

    def group_size(self, ranks: int) -> int:
        """Ranks of a group.

        Raises:
            EvaluatorError: the ranks are no multiple of the groups.
        """
        if ranks % self.groups:
            raise EvaluatorError(
                f"groups are of equal size, but {ranks} ranks are no multiple of {self.groups} groups; "
                "choose a number of groups that divides the ranks"
            )
        return ranks // self.groups


def placed(sizes: Sequence[int], ranks: int) -> list[int]:
    """The rank of each part: the largest first, each to the rank with the fewest rows so far.

    Graham (1969), Bounds on multiprocessing timing anomalies: no rank has more than 4 / 3 of the best possible.

    >>> placed([5, 3, 3, 1], 2)
    [0, 1, 1, 0]
    """
    loads = [0] * ranks
    owners = [0] * len(sizes)
    for part in sorted(range(len(sizes)), key=lambda one: -sizes[one]):
        owner = loads.index(min(loads))
        owners[part], loads[owner] = owner, loads[owner] + sizes[part]
    return owners


def cut(total: int, pieces: int) -> list[int]:
    """Sizes of `pieces` nearly equal blocks, the larger ones first.

    >>> cut(7, 3)
    [3, 2, 2]
    """
    return [total // pieces + (one < total % pieces) for one in range(pieces)]
