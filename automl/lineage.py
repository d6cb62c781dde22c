"""Where a trial comes from, and which edits have paid: family trees, and gains of children by kind of edit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import StudyError
from automl.control import quality_objective
from automl.front import best, front, searched
from evaluators import Objective, Trial, TrialState
from searchspaces.edits import Edit, edits_between

LEVEL = 0.9
"""Confidence of the intervals."""

CROSSOVER = "crossover"
SEVERAL = "three or more edits"


@dataclass(frozen=True)
class Descent:
    """A child beside the parent that it is compared with, the better one where it has several.

    `gain` is how much better the child is in the metric's unit; `stderr` is that of the difference, None where
    the trials do not know theirs.
    """

    child: Trial
    parent: Trial
    edits: tuple[Edit, ...]
    gain: float
    stderr: float | None

    @property
    def kind(self) -> str:
        """What was done, in words that are equal for what is alike."""
        if len(self.child.suggestion.parents) > 1:
            return CROSSOVER
        kinds = sorted({edit.kind for edit in self.edits})
        return " and ".join(kinds) if len(kinds) < 3 else SEVERAL

    @property
    def flops_ratio(self) -> float | None:
        """FLOPs of the child over those of the parent."""
        own, other = self.child.value("flops"), self.parent.value("flops")
        return own / other if own and other else None


@dataclass(frozen=True)
class Importance:
    """What one kind of edit has brought: mean gain with its interval, None where one child alone tells no error."""

    kind: str
    count: int
    better: int
    gain: float
    low: float | None
    high: float | None
    flops_ratio: float | None


@dataclass(frozen=True)
class Member:
    """A trial of a family tree, its generation from 0, and how it differs from its parent."""

    trial: Trial
    generation: int
    descent: Descent | None


@dataclass(frozen=True)
class Lineage:
    """The ancestors of a trial, itself last, and the gains of the whole study by kind of edit."""

    objective: Objective
    tree: tuple[Member, ...]
    edits: tuple[Importance, ...]


def lineage_of(trials: Sequence[Trial], objectives: Sequence[Objective], *, number: int | None = None) -> Lineage:
    """The lineage of a trial, of the best one in quality where no number is given; no tree where there is none.

    Raises:
        StudyError: there is no trial of that number.
    """
    objective = quality_objective(objectives)
    found = {one.child.number: one for one in descents(trials, objective)}
    chosen = best(front(searched(trials), objectives), objective) if number is None else _numbered(trials, number)
    tree = family(trials, chosen, found) if chosen else ()
    return Lineage(objective, tuple(tree), tuple(importances(list(found.values()))))


def descents(trials: Sequence[Trial], objective: Objective) -> list[Descent]:
    """Every measured child of the search beside its parent, as measured at the same rung; copies are left out.

    A copy is a replicate or a promotion: no edit makes it.
    """
    by_number = {trial.number: trial for trial in trials}
    measured: dict[tuple[str, int], list[Trial]] = {}
    for trial in trials:
        is_measured = trial.state is TrialState.COMPLETE and trial.value(objective.metric) is not None
        if is_measured and trial.stage in ("search", "baseline"):
            measured.setdefault((trial.candidate.fingerprint, trial.suggestion.fidelity.rung), []).append(trial)
    known = {trial.number for alike in measured.values() for trial in alike}
    children = [trial for trial in trials if trial.stage == "search" and trial.number in known]
    return [one for child in children for one in _descent(child, by_number, measured, objective)]


def family(trials: Sequence[Trial], trial: Trial, known: Mapping[int, Descent]) -> list[Member]:
    """The trial and all its ancestors, in the order of their numbers."""
    by_number = {one.number: one for one in trials}
    members: dict[int, Trial] = {}
    waiting = [trial.number]
    while waiting:
        number = waiting.pop()
        if number in by_number and number not in members:
            members[number] = by_number[number]
            waiting.extend(by_number[number].suggestion.parents)
    generations: dict[int, int] = {}
    for number in sorted(members):  # a parent has finished before its child is asked for, so its number is lower
        above = [generations[one] + 1 for one in members[number].suggestion.parents if one in generations]
        generations[number] = max(above, default=0)
    return [Member(members[number], generations[number], known.get(number)) for number in sorted(members)]


def importances(found: Sequence[Descent]) -> list[Importance]:
    """Gains by kind of edit, what was done most often first.

    The interval is Student's over the differences, which hold the noise of both trainings: what a pair shares (rows,
    seed) has left them already. Of one child alone it comes from the errors of the two.
    """
    kinds: dict[str, list[Descent]] = {}
    for one in found:
        kinds.setdefault(one.kind, []).append(one)
    return [
        _importance(kind, alike) for kind, alike in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def tree_rows(lineage: Lineage) -> list[dict[str, Any]]:
    """One row a member of the family tree, as JSON types; gains are over the parent, above 0 where better."""
    return [_member_row(member, lineage.objective) for member in lineage.tree]


def edit_rows(lineage: Lineage) -> list[dict[str, Any]]:
    """One row a kind of edit, as JSON types."""
    return [
        {
            "edit": one.kind,
            "count": one.count,
            "better": one.better,
            "gain": one.gain,
            "gain_low": one.low,
            "gain_high": one.high,
            "flops_ratio": one.flops_ratio,
        }
        for one in lineage.edits
    ]


def lineage_words(lineage: Lineage) -> list[str]:
    """The sentences under the tables: what gains are, and what they must not be taken for."""
    count = sum(one.count for one in lineage.edits)
    if not count:
        return ["no edit can be judged yet: no measured trial has a measured parent"]
    metric = lineage.objective.metric
    return [
        f"gains in {metric} of {count} children over their parents, above 0 where the child is better; "
        f"intervals hold the mean with {100 * LEVEL:.0f} %",
        "parents were chosen for having measured well, which is luck in part, so all gains lean downwards: "
        "compare kinds of edits with each other",
    ]


def _descent(
    child: Trial,
    by_number: Mapping[int, Trial],
    measured: Mapping[tuple[str, int], Sequence[Trial]],
    objective: Objective,
) -> Iterator[Descent]:
    parents = [by_number[one] for one in child.suggestion.parents if one in by_number]
    rung = child.suggestion.fidelity.rung
    keys = [(one.candidate.fingerprint, rung) for one in parents]
    beside = [_alike(child, measured[key]) for key in keys if key in measured]
    if not beside or child.candidate.fingerprint in {one.candidate.fingerprint for one in parents}:
        return
    parent = min(beside, key=lambda one: _loss(one, objective))
    gain = _loss(parent, objective) - _loss(child, objective)
    edits = edits_between(parent.candidate, child.candidate)
    yield Descent(child, parent, edits, gain, _stderr(child, parent, objective.metric))


def _alike(child: Trial, trials: Sequence[Trial]) -> Trial:
    """The trial of the child's replicate, which shares its seed, else the first."""
    return next((one for one in trials if one.suggestion.replicate == child.suggestion.replicate), trials[0])


def _loss(trial: Trial, objective: Objective) -> float:
    value = trial.value(objective.metric)
    return math.inf if value is None else objective.loss(value)


def _stderr(child: Trial, parent: Trial, metric: str) -> float | None:
    """Of the difference: from gains over one control where both have them, as these are paired by rows."""
    for name in (f"{metric}_gain", metric):
        metrics = [one.evaluation.metrics.get(name) for one in (child, parent) if one.evaluation]
        errors = [one.stderr for one in metrics if one is not None and one.stderr is not None]
        if len(errors) == 2:
            return math.hypot(*errors)
    return None


def _importance(kind: str, alike: Sequence[Descent]) -> Importance:
    gains = np.array([one.gain for one in alike])
    ratios = [one.flops_ratio for one in alike if one.flops_ratio is not None]
    low, high = _interval(alike, gains)
    return Importance(
        kind,
        len(alike),
        int((gains > 0).sum()),
        float(gains.mean()),
        low,
        high,
        math.exp(float(np.log(ratios).mean())) if ratios else None,
    )


def _interval(alike: Sequence[Descent], gains: NDArray[np.float64]) -> tuple[float | None, float | None]:
    from scipy.special import stdtrit

    count, stderr = len(gains), alike[0].stderr
    if count > 1:
        stderr = float(gains.std(ddof=1)) / math.sqrt(count)
    if stderr is None:
        return None, None
    half = float(stdtrit(count - 1 if count > 1 else math.inf, 0.5 + LEVEL / 2.0)) * stderr
    return float(gains.mean()) - half, float(gains.mean()) + half


def _member_row(member: Member, objective: Objective) -> dict[str, Any]:
    trial, descent = member.trial, member.descent
    measured = trial.evaluation.metrics.get(objective.metric) if trial.evaluation else None
    flops = trial.value("flops")
    return {
        "number": trial.number,
        "generation": member.generation,
        "parents": list(trial.suggestion.parents),
        "origin": trial.suggestion.origin,
        "edits": "; ".join(edit.text for edit in descent.edits) if descent else None,
        objective.metric: measured.value if measured else None,
        "compared_with": descent.parent.number if descent else None,
        "gain": descent.gain if descent else None,
        "gain_stderr": descent.stderr if descent else None,
        "flops": None if flops is None else int(flops),
        "state": trial.state.value,
    }


def _numbered(trials: Sequence[Trial], number: int) -> Trial:
    for trial in trials:
        if trial.number == number:
            return trial
    raise StudyError(f"the study has trials 0 to {len(trials) - 1}, but {number} was asked for")
