"""One study of a comparison at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from automl.comparing._agreement import Judged
from automl.comparing._entries import Entry
from automl.control import quality_objective
from automl.front import is_feasible, searched
from automl.study import Study
from evaluators import Trial

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Ran:
    """One study of a comparison at its end, and its finals.

    `judged` is what its method is judged by, empty for a searcher; `diagnosis` what was trained for that beside the
    studies of the seed, which the first of them tells.
    """

    entry: Entry
    seed: int
    study: Study
    folder: Path
    finals: Json
    judged: tuple[Judged, ...] = ()
    diagnosis: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def trials(self) -> list[Trial]:
        """All of the study."""
        return self.study.trials

    @cached_property
    def full_trainings(self) -> list[Trial]:
        """Complete full trainings of its search, by number."""
        quality = quality_objective(self.study.objectives)
        return [one for one in searched(self.trials) if is_feasible(one, [replace(quality, bound=None)])]
