"""Decides what of a study the report shows: which trials, on which axes, against which baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.control import QUALITY_METRICS, control_of, gain, quality_objective
from automl.course import guide_readings
from automl.front import best, front, searched
from automl.ledger import Ledger, ledger_of
from automl.lineage import Lineage, lineage_of
from evaluators import Objective, Trial, TrialState
from storage import StudyReading


@dataclass(frozen=True)
class View:
    """The trials by role. `quality` is the y axis, `cost` the x axis (None where nothing can be set against it).

    `control` is what gains refer to, in any state; `reference` is the same trial once its quality is known.
    """

    objectives: tuple[Objective, ...]
    quality: Objective
    cost: Objective | None
    search: tuple[Trial, ...]
    front: tuple[Trial, ...]
    baselines: tuple[Trial, ...]
    winner: Trial | None
    control: Trial | None
    ledger: Ledger
    lineage: Lineage
    guide: tuple[StudyReading, ...]

    @property
    def reference(self) -> Trial | None:
        """The control, where it has the quality metric."""
        return self.control if self.control and _is_measured(self.control, self.quality.metric) else None

    @property
    def third(self) -> Objective | None:
        """The first objective that is on neither axis."""
        axes = {self.quality.metric, self.cost.metric if self.cost else None}
        return next((one for one in self.objectives if one.metric not in axes), None)

    @property
    def drawn(self) -> tuple[Objective, ...]:
        """What the plot of the front shows: two axes and a colour."""
        return tuple(one for one in (self.quality, self.cost, self.third) if one is not None)

    @property
    def has_quality(self) -> bool:
        """Whether the y axis tells how good predictions are, as trainings measure it."""
        return self.quality.metric in QUALITY_METRICS or self.quality.metric.startswith("ne_")

    @property
    def has_systems(self) -> bool:
        """Whether candidates have settings of a training system."""
        return any(trial.candidate.system for trial in self.search)

    @property
    def complete(self) -> tuple[Trial, ...]:
        """The search's complete trials that have the quality metric."""
        return tuple(trial for trial in self.search if _is_measured(trial, self.quality.metric))

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Failed trials of the search and failed baselines."""
        return tuple(trial for trial in (*self.search, *self.baselines) if trial.failure is not None)

    @property
    def measured_baselines(self) -> tuple[Trial, ...]:
        """Baselines that have the quality metric, best first."""
        measured = [trial for trial in self.baselines if _is_measured(trial, self.quality.metric)]
        return tuple(sorted(measured, key=lambda trial: self.quality.loss(quality_of(trial, self))))


def look_at(trials: Sequence[Trial], objectives: Sequence[Objective]) -> View:
    """Sorts a study's trials into their roles; cheap rungs and other stages measure something else: they stay out."""
    quality = quality_objective(objectives)
    search = tuple(searched(trials))
    baselines = tuple(trial for trial in trials if trial.stage == "baseline")
    on_front = front(search, objectives)
    return View(
        objectives=tuple(objectives),
        quality=quality,
        cost=_cost(quality, objectives, trials),
        search=search,
        front=tuple(on_front),
        baselines=baselines,
        winner=best(on_front, quality),
        control=control_of(baselines, (quality,)),
        ledger=ledger_of(trials, objectives),
        lineage=lineage_of(trials, objectives),
        guide=tuple(guide_readings(trials, objectives)),
    )


def quality_of(trial: Trial, view: View) -> float:
    """The quality of a trial that is known to have it."""
    found = trial.value(view.quality.metric)
    return float("nan") if found is None else found


def gain_of(trial: Trial, view: View) -> float | None:
    """The trial's gain over the control in quality, in percent; None where there is none to tell."""
    return gain(trial, view.reference, view.quality)


def seconds_of(trial: Trial) -> float:
    """What the trial took, also where it failed."""
    outcome = trial.evaluation or trial.failure
    return outcome.seconds if outcome else 0.0


def relative(value: float, reference: float) -> float:
    """Difference in percent of the reference."""
    return 100 * (value - reference) / abs(reference) if reference else 0.0


def robust_range(losses: Sequence[float], always: Sequence[float] = ()) -> tuple[float, float]:
    """Limits of a loss axis that outliers do not squeeze.

    The better end is the minimum: it is what the report is about. The worse end lies three times as far
    behind the median as the minimum lies before it (or at the maximum, or at the worst of `always`), so that
    the better half of the trials fills at least a quarter of the axis.

    >>> robust_range([1.0, 2.0, 3.0, 1000.0])[1] < 10
    True
    """
    low, high, median = min(losses), max(losses), float(np.median(losses))
    fence = min(high, median + 3 * (median - low)) if median > low else high
    fence = max((fence, *always))
    margin = 0.06 * (fence - low) or 0.01 * abs(low) or 1.0
    return low - margin, fence + margin


def _is_measured(trial: Trial, metric: str) -> bool:
    return trial.state is TrialState.COMPLETE and trial.value(metric) is not None


def _cost(quality: Objective, objectives: Sequence[Objective], trials: Sequence[Trial]) -> Objective | None:
    others = [objective for objective in objectives if objective.metric != quality.metric]
    if others:
        return others[0]
    has_flops = quality.metric != "flops" and any(trial.value("flops") is not None for trial in trials)
    return Objective("flops") if has_flops else None
