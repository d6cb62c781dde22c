"""What is asked of a file of finished trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evaluators import KNOWN_METRICS, Goal


@dataclass(frozen=True)
class Source:
    """A file, the metric that counts, another that costs, the rows that count, and what is known of the columns.

    `where` names columns and what their cells must say; `exclude` names columns that are no choices; `choices` are kept
    whatever speaks against them, in addition to those that are found.
    """

    file: Path
    metric: str
    goal: Goal | None = None
    cost: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def wanted(self) -> Goal:
        """The goal that is given, else the one of a known metric, else less."""
        return self.goal or KNOWN_METRICS.get(self.metric, Goal.MINIMIZE)

    @property
    def known_as(self) -> str:
        """Name under which searchers and predictors see the metric: its own where it is a known one of that goal."""
        if KNOWN_METRICS.get(self.metric) is self.wanted:
            return self.metric
        return "auc" if self.wanted is Goal.MAXIMIZE else "ne"

    @property
    def cost_known_as(self) -> str | None:
        """Name under which searchers see what a candidate costs."""
        if self.cost is None or KNOWN_METRICS.get(self.cost) is Goal.MINIMIZE:
            return self.cost
        return "params"
