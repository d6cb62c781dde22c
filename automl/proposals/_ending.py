"""When a search comes to its end: the last share of its budget, whatever that is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from automl.budget import Spent, spent
from evaluators import Trial


@dataclass(eq=False)
class Ending:
    """The last `share` of a budget in trials, seconds or rows; with several limits of the one that is reached first.

    It follows from the trials that were told alone, so a resumed study ends as an undisturbed one.
    """

    share: float
    trials: int | None = None
    seconds: float | None = None
    rows: int | None = None
    _spent: Spent = field(default=Spent(), init=False, repr=False)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Counts what the search has used; trials of other stages use nothing of its budget."""
        self._spent += spent(trials)

    def has_begun(self, underway: int) -> bool:
        """Whether the next trial, behind `underway` ones that have not ended, belongs to the last share."""
        expected = ((limit, used + underway * each) for limit, used, each in self._limits())
        return any(limit - self._size(limit) <= used < limit for limit, used in expected)

    def length(self) -> int:
        """Trials that the last share is likely to have; none where nothing is limited."""
        return min((round(self._size(limit) / each) for limit, _, each in self._limits() if each), default=0)

    def _size(self, limit: float) -> float:
        return round(self.share * limit) if isinstance(limit, int) else self.share * limit

    def _limits(self) -> list[tuple[float, float, float]]:
        """Each limit, what is used of it, and what a trial uses of it on average."""
        used, count = self._spent, max(self._spent.trials, 1)
        known = (
            (self.trials, used.trials, 1.0),
            (self.seconds, used.seconds, used.seconds / count),
            (self.rows, used.rows, used.rows / count),
        )
        return [(limit, now, each) for limit, now, each in known if limit is not None]
