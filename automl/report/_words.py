"""Says in words what a study found: the verdict and the headline numbers."""

from __future__ import annotations

from dataclasses import dataclass

from automl.control import BASELINE_ORIGIN
from automl.ledger import ledger_words
from automl.lineage import lineage_words
from automl.report import _format
from automl.report._view import View, gain_of, quality_of, relative, seconds_of
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
    if view.reference is None:
        return f"{start}. {_no_reference(view)}"
    lost = quality_of(view.reference, view)
    reference = f"{control_name(view.reference)} ({_format.value(view.quality.metric, lost)}{_flops(view.reference)})"
    if won == lost:
        return f"{start}: the same as {reference}.{_better_baseline(view, won)}"
    amount = f"{abs(won - lost):.5f} ({abs(relative(won, lost)):.2f} %)"
    return f"{start}: {amount} {_comparison(view, won, lost)} than {reference}.{_better_baseline(view, won)}"


def kind(view: View) -> str:
    """What was searched for, in a word or three."""
    if not view.has_systems:
        return "architecture"
    has_models = any(trial.candidate.architecture for trial in view.search)
    return "architecture and system" if has_models else "training system"


def front_title(view: View) -> str:
    """The heading of the plot of the front."""
    if view.has_quality or view.cost is None:
        return "Quality against cost"
    others = [f"{_format.label(one.metric)}" for one in view.drawn[1:]]
    first = _format.label(view.quality.metric)
    return f"{first[:1].upper()}{first[1:]} against {' and '.join(others)}"


def reminder(view: View) -> str:
    """What the verdict must not be taken for."""
    if view.winner is None or not view.has_quality:
        return ""
    return (
        "One training seed, measured on the validation part: the best of many trials looks better than it is. "
        "Retraining the finalists on several seeds, measured on the test part, decides."
    )


def control_name(control: Trial) -> str:
    """The control as it stands in a sentence."""
    if control.suggestion.origin == BASELINE_ORIGIN:
        return "the control, your baseline"
    return f"the control, {_format.baseline_name(control.suggestion.origin)}"


def control_sentence(view: View) -> str:
    """What every gain on the page refers to, with the standard error of its quality; empty without a control."""
    if view.reference is None:
        return ""
    metric = view.quality.metric
    is_own = view.reference.suggestion.origin == BASELINE_ORIGIN
    choice = "your own model" if is_own else f"the best human-made baseline by {_format.label(metric)}"
    measured = view.reference.evaluation.metrics[metric] if view.reference.evaluation else None
    error = f", {_format.label(metric)} ± {measured.stderr:.5f}" if measured and measured.stderr else ""
    return (
        f"Gains are over {control_name(view.reference)}: {choice}, trained once (trial {view.reference.number}{error})"
        ", so that a small gain may be noise."
    )


def lineage_sentences(view: View) -> list[str]:
    """What gains over parents are, and what they must not be taken for."""
    return [f"{words[:1].upper()}{words[1:]}." for words in lineage_words(view.lineage)]


def ledger_sentences(view: View) -> list[str]:
    """The price of the gain, and what is not in the sums."""
    *words, _ = ledger_words(view.ledger)
    return [f"{one[:1].upper()}{one[1:]}." for one in words]


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
    if view.reference is not None:
        lost = quality_of(view.reference, view)
        name = control_name(view.reference).removeprefix("the control, ")
        remark = f"{_format.signed(won - lost, 5)} against {name}"
        is_better = view.quality.loss(won) < view.quality.loss(lost)
        found.append(Card("Gain over the control", _format.gained(gain_of(view.winner, view)), remark, is_better))
    return [*found, *_flops_card(view)]


def _flops_card(view: View) -> list[Card]:
    flops = view.winner.value("flops") if view.winner else None
    if flops is None:
        return []
    reference = view.reference.value("flops") if view.reference else None
    remark = _format.times(flops / reference) if reference else "forward, per example"
    return [Card("FLOPs of the winner", _format.quantity(flops), remark, bool(reference and flops < reference))]


def _cheapest_card(view: View) -> list[Card]:
    """The least cost at which the front is as good as the control."""
    if view.reference is None or view.cost is None or view.cost.goal is not Goal.MINIMIZE:
        return []
    limit = view.quality.loss(quality_of(view.reference, view))
    metric, reference = view.cost.metric, view.reference.value(view.cost.metric)
    enough = [trial for trial in view.front if view.quality.loss(quality_of(trial, view)) <= limit]
    costs = [(cost, trial.number) for trial in enough if (cost := trial.value(metric)) is not None]
    if not costs or not reference:
        return []
    cost, number = min(costs)
    title = f"{_format.label(metric)} at the control's {_format.label(view.quality.metric)}"
    remark = f"trial {number}, {_format.times(cost / reference)}"
    return [Card(title, _format.quantity(cost), remark, cost < reference)]


def _better_baseline(view: View, won: float) -> str:
    """What a gain over the user's own model alone would hide."""
    best = view.measured_baselines[0]
    value = quality_of(best, view)
    is_told = view.control is not None and best.number == view.control.number
    if is_told or view.quality.loss(value) >= view.quality.loss(won):
        return ""
    name, metric = _format.baseline_name(best.suggestion.origin), view.quality.metric
    return f" A human-made baseline is better still: {name} ({_format.value(metric, value)}{_flops(best)})."


def _no_reference(view: View) -> str:
    if view.control is None:
        return "The study has no baseline to compare with."
    reason = f": {view.control.failure.reason}" if view.control.failure else ""
    state = "has failed" if view.control.failure else "has not been measured"
    return f"There is no gain to tell, as {control_name(view.control)}, {state}{reason}."


def _comparison(view: View, won: float, lost: float) -> str:
    lower, higher = ("better", "worse") if view.quality.goal is Goal.MINIMIZE else ("worse", "better")
    return lower if won < lost else higher


def _flops(trial: Trial) -> str:
    flops = trial.value("flops")
    return f" at {_format.quantity(flops)} FLOPs" if flops is not None else ""
