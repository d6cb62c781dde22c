"""Says in words what a study found: the verdict and the headline numbers."""

from __future__ import annotations

from dataclasses import dataclass

from automl.report import _format
from automl.report._view import View, percent, quality_of, relative, seconds_of
from evaluators import Goal, Trial


@dataclass(frozen=True)
class Card:
    """One headline number."""

    title: str
    value: str
    remark: str
    is_good: bool = False


def verdict(view: View) -> str:
    """The sentence that a reader takes away."""
    name = _format.label(view.quality.metric)
    if view.winner is None:
        finished = sum(trial.state.is_finished for trial in view.search)
        if not finished:
            return "No trial has finished yet."
        return f"None of the {finished} finished trials is complete and keeps every bound."
    won = quality_of(view.winner, view)
    start = f"Trial {view.winner.number} reaches {name} {_format.value(view.quality.metric, won)}{_flops(view.winner)}"
    if view.best_baseline is None:
        return f"{start}. The study has no baseline to compare with."
    lost = quality_of(view.best_baseline, view)
    baseline = _format.baseline_name(view.best_baseline.suggestion.origin)
    reference = f"{baseline} ({_format.value(view.quality.metric, lost)}{_flops(view.best_baseline)})"
    if won == lost:
        return f"{start}: the same as the best baseline, {reference}."
    amount = f"{abs(won - lost):.5f} ({abs(relative(won, lost)):.2f} %)"
    return f"{start}: {amount} {_comparison(view, won, lost)} than the best baseline, {reference}."


def reminder(view: View) -> str:
    """What the verdict must not be taken for."""
    if view.winner is None:
        return ""
    return (
        "One training seed, measured on the validation part: the best of many trials looks better than it is. "
        "Retraining the finalists on several seeds, measured on the test part, decides."
    )


def cards(view: View) -> list[Card]:
    """The headline numbers, as far as the study has them."""
    finished = [trial for trial in view.search if trial.state.is_finished]
    failed = sum(trial.failure is not None for trial in finished)
    seconds = sum(map(seconds_of, (*view.search, *view.baselines)))
    mean = sum(map(seconds_of, finished)) / len(finished) if finished else 0.0
    return [
        *_quality_cards(view),
        *_cheapest_card(view),
        Card("Trials", str(len(finished)), f"{failed} failed, {len(view.front)} on the front"),
        Card("Evaluation time", _format.duration(seconds), f"{_format.duration(mean)} a trial on average"),
    ]


def _quality_cards(view: View) -> list[Card]:
    if view.winner is None:
        return []
    metric, won = view.quality.metric, quality_of(view.winner, view)
    stderr = view.winner.evaluation.metrics[metric].stderr if view.winner.evaluation else None
    error = f" ± {stderr:.5f}" if stderr else ""
    found = [Card(f"Best {_format.label(metric)}", _format.value(metric, won), f"trial {view.winner.number}{error}")]
    if view.best_baseline is not None:
        lost = quality_of(view.best_baseline, view)
        name = _format.baseline_name(view.best_baseline.suggestion.origin)
        remark = f"{_format.signed(won - lost, 5)} against {name}"
        is_better = view.quality.loss(won) < view.quality.loss(lost)
        found.append(Card("Against best baseline", percent(won, lost), remark, is_better))
    return [*found, *_flops_card(view)]


def _flops_card(view: View) -> list[Card]:
    flops = view.winner.value("flops") if view.winner else None
    if flops is None:
        return []
    reference = view.best_baseline.value("flops") if view.best_baseline else None
    remark = _format.times(flops / reference) if reference else "forward, per example"
    return [Card("FLOPs of the winner", _format.quantity(flops), remark, bool(reference and flops < reference))]


def _cheapest_card(view: View) -> list[Card]:
    """The least cost at which the front is as good as the best baseline."""
    if view.best_baseline is None or view.cost is None or view.cost.goal is not Goal.MINIMIZE:
        return []
    limit = view.quality.loss(quality_of(view.best_baseline, view))
    metric, reference = view.cost.metric, view.best_baseline.value(view.cost.metric)
    enough = [trial for trial in view.front if view.quality.loss(quality_of(trial, view)) <= limit]
    costs = [(cost, trial.number) for trial in enough if (cost := trial.value(metric)) is not None]
    if not costs or not reference:
        return []
    cost, number = min(costs)
    title = f"{_format.label(metric)} at baseline {_format.label(view.quality.metric)}"
    remark = f"trial {number}, {_format.times(cost / reference)}"
    return [Card(title, _format.quantity(cost), remark, cost < reference)]


def _comparison(view: View, won: float, lost: float) -> str:
    lower, higher = ("better", "worse") if view.quality.goal is Goal.MINIMIZE else ("worse", "better")
    return lower if won < lost else higher


def _flops(trial: Trial) -> str:
    flops = trial.value("flops")
    return f" at {_format.quantity(flops)} FLOPs" if flops is not None else ""
