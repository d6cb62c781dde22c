"""Holds what a searcher has predicted of its suggestions against what was measured of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import Any

from automl.control import quality_objective
from automl.proposals import fitness
from automl.report import _format
from automl.report._view import View
from evaluators import Objective, Trial
from predictors import rank_correlation

FEWEST = 3
"""Predictions that came to an end, below which there is nothing to compare."""

_WITH_UNIT = frozenset({"gp", "roofline", "wl_gp"})
"""Predictors whose losses are in the metric's unit; others learn places or scores, of which only the order counts."""

_SEARCHERS: Mapping[str, tuple[str, Callable[[Sequence[Objective]], Objective]]] = MappingProxyType(
    {
        "wl_ehvi": ("wl_gp", quality_objective),
        "cubicml": ("roofline", fitness),
        "predictor_rl": ("lambdarank", fitness),
    }
)
"""Guide of a searcher that was given none, and the objective that it predicts."""


@dataclass(frozen=True)
class Predicted:
    """A complete trial: the prediction before it began, its deviation, and what was measured.

    Both are values of the metric where the guide keeps its unit; else the prediction is a loss of the guide's own.
    """

    trial: Trial
    predicted: float
    spread: float
    measured: float


@dataclass(frozen=True)
class Agreement:
    """All predictions of a study that have come to an end, in the order of the trials.

    tau        Kendall's tau-b of the predictions and what was measured; 1 is the right order
    mape       mean absolute error of the predictions as a share of what was measured; None without a unit
    """

    objective: Objective
    trials: tuple[Predicted, ...]
    has_unit: bool
    tau: float
    mape: float | None


def agreement(view: View, config: Mapping[str, Any]) -> Agreement | None:
    """Of the predictions in the memos; None where fewer than `FEWEST` have come to an end."""
    searcher = config.get("searcher")
    told = searcher if isinstance(searcher, Mapping) else {}
    usual, chosen = _SEARCHERS.get(str(told.get("name")), ("", quality_objective))
    guide = told.get("guide")
    name = guide.get("name") if isinstance(guide, Mapping) else guide or usual
    objective, has_unit = chosen(view.objectives), name in _WITH_UNIT
    found = [one for trial in view.search if (one := _predicted(trial, objective, has_unit=has_unit))]
    if len(found) < FEWEST:
        return None
    losses = [objective.loss(one.predicted) if has_unit else one.predicted for one in found]
    tau = rank_correlation(losses, [objective.loss(one.measured) for one in found])
    mape = _mape(found) if has_unit else None
    return Agreement(objective, tuple(found), has_unit, tau, mape)


def agreement_sentences(found: Agreement) -> list[str]:
    """What the comparison says, and what it must not be taken for."""
    metric = _format.label(found.objective.metric)
    first = (
        f"{len(found.trials)} trials had a prediction of their {metric} before they began. Its rank correlation with "
        f"what was measured is {found.tau:.2f} (Kendall's tau: 1 is the right order, 0 a guess)"
    )
    error = "" if found.mape is None else f"; the mean absolute error is {100 * found.mape:.3g} % of the measured value"
    unit = (
        "Each prediction is of the model of its time, which later ones have learned from; suggestions were chosen "
        "because of them, so that they promise too much on the mean."
        if found.has_unit
        else "The guide learns an order, not a unit, anew from a growing record: predictions of different times "
        "compare roughly, and an error in the metric's unit cannot be told."
    )
    return [f"{first}{error}.", unit]


def _predicted(trial: Trial, objective: Objective, *, has_unit: bool) -> Predicted | None:
    """None where the memo has no prediction with its deviation, or the trial no value."""
    memo, measured = trial.suggestion.memo, trial.value(objective.metric)
    value, spread = memo.get("predicted"), memo.get("std", memo.get("spread"))
    if measured is None or trial.failure is not None or not isinstance(value, float) or not isinstance(spread, float):
        return None
    return Predicted(trial, objective.loss(value) if has_unit else value, spread, measured)


def _mape(found: Sequence[Predicted]) -> float | None:
    known = [abs(one.predicted / one.measured - 1) for one in found if one.measured]
    return fmean(known) if known else None
