"""Who takes part in finals: the best candidates of the search, and what the study measured them against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automl._errors import StudyError
from automl.control import control_name
from automl.front import is_feasible
from automl.tuning import TUNED_STAGE
from evaluators import Objective, Trial, TrialState

if TYPE_CHECKING:
    from automl.study import Study


@dataclass(frozen=True)
class Entrant:
    """One model of the finals: what people call it, and the trial that it comes from."""

    name: str
    trial: Trial
    is_baseline: bool

    @property
    def slug(self) -> str:
        """Its name in files."""
        return f"{'baseline' if self.is_baseline else 'trial'}-{self.trial.number}"


def entrants_of(study: Study, *, top: int) -> tuple[Entrant, ...]:
    """The `top` best finalists by the first objective, then the study's complete baselines.

    Raises:
        StudyError: the search has no feasible candidate with an architecture, or has another trainer than ours.
    """
    if study.config.evaluator["name"] == "external":
        raise StudyError(
            f"finals train with the evaluator 'train', but study {study.name!r} has a trainer of its own "
            "('external'); ask that one for more seeds with `automl ask` and `automl tell`"
        )
    trials = [one for one in study.trials if one.candidate.architecture is not None]
    baselines = _baselines(trials)
    taken = {one.trial.candidate.fingerprint for one in baselines}
    finalists = best_candidates(
        [one for one in trials if one.stage == "search" and one.candidate.fingerprint not in taken], study.objectives
    )
    if not finalists:
        raise StudyError(
            f"finals need a finalist, but study {study.name!r} has no feasible candidate other than its baselines; "
            "search longer, or loosen the bounds of its objectives"
        )
    return (*(Entrant(f"trial {one.number}", one, False) for one in finalists[:top]), *baselines)


def best_candidates(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The first trial of each feasible candidate, best candidate by the first objective first.

    Only trials of the highest rung count. A candidate with several replicates counts with their mean.
    """
    feasible = [one for one in trials if is_feasible(one, objectives)]
    rung = max((one.suggestion.fidelity.rung for one in feasible), default=0)
    by_fingerprint: dict[str, list[Trial]] = {}
    for one in feasible:
        if one.suggestion.fidelity.rung == rung:
            by_fingerprint.setdefault(one.candidate.fingerprint, []).append(one)
    worth = [(_mean_loss(same, objectives[0]), same[0].number, same[0]) for same in by_fingerprint.values()]
    return [trial for _, _, trial in sorted(worth, key=lambda one: one[:2])]


def _baselines(trials: Sequence[Trial]) -> list[Entrant]:
    """The study's baselines as they are, and where they were tuned the winners of their tuning."""
    found: dict[str, Entrant] = {}
    for one in trials:
        if one.stage == "baseline" and one.state is TrialState.COMPLETE:
            found.setdefault(one.candidate.fingerprint, Entrant(_name(one), one, True))
    for one in _tuned(trials):
        found.setdefault(one.candidate.fingerprint, Entrant(f"{_name(one)}, tuned", one, True))
    return list(found.values())


def _tuned(trials: Sequence[Trial]) -> list[Trial]:
    """One trial of each model's last winner: a larger budget may have found another one."""
    last: dict[str, Trial] = {}
    for one in trials:
        if one.stage == TUNED_STAGE and one.state is TrialState.COMPLETE:
            known = last.get(one.suggestion.origin)
            if known is None or known.candidate.fingerprint != one.candidate.fingerprint:
                last[one.suggestion.origin] = one
    return list(last.values())


def _name(trial: Trial) -> str:
    return control_name(trial).removeprefix("zoo:")


def _mean_loss(trials: Sequence[Trial], objective: Objective) -> float:
    losses = [objective.loss(value) for one in trials if (value := one.value(objective.metric)) is not None]
    return sum(losses) / len(losses)
