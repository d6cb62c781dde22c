"""Who takes part in finals: the best candidates of the search, and what the study measured them against."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from automl import plugins
from automl._errors import StudyError
from automl.control import control_name
from automl.front import is_feasible
from automl.tuning import TUNED_STAGE
from evaluators import Objective, Trial, TrialState
from evaluators._training.settings import NAMES, TrainingSettings
from storage import StudyRecord

if TYPE_CHECKING:
    from automl.study import Study


@dataclass(frozen=True)
class Entrant:
    """One model of the finals: what people call it, and the trial that it comes from.

    `home` is the study of the trial where that is another one than the finals'.
    """

    name: str
    trial: Trial
    is_baseline: bool
    home: StudyRecord | None = None

    @property
    def is_trees(self) -> bool:
        """Whether it is boosted trees and no network."""
        return self.trial.candidate.architecture is None

    @property
    def slug(self) -> str:
        """Its name in files."""
        place = "" if self.home is None else f"{self.home.uid[:8]}-"
        return f"{'baseline' if self.is_baseline else 'trial'}-{place}{self.trial.number}"


def entrants_of(study: Study, *, top: int, tuned_in: Study | None = None) -> tuple[Entrant, ...]:
    """The `top` finalists by one objective, as declared or measured, then complete baselines, or these alone.

    With `tuned_in`, the tuned winners of that study are baselines too, but for those that the study has itself.

    Raises:
        StudyError: there is nothing to compare, the search has no feasible candidate with an architecture, the study
            has another trainer than ours, or the other one has no tuned winner.
    """
    if study.config.evaluator["name"] == "external":
        raise StudyError(
            f"finals train with the evaluator 'train', but study {study.name!r} has a trainer of its own "
            "('external'); ask that one for more seeds with `automl ask` and `automl tell`"
        )
    trials = study.trials
    baselines = _baselines(trials)
    if tuned_in is not None:
        baselines += _of_another(tuned_in, study, {one.trial.candidate.fingerprint for one in baselines})
    taken = {one.trial.candidate.fingerprint for one in baselines}
    searched = [one for one in trials if one.stage == "search"]
    finalists = _as_declared(
        study,
        best_candidates(
            [one for one in searched if one.candidate.architecture and one.candidate.fingerprint not in taken],
            study.objectives,
        ),
    )
    if searched and not finalists:
        raise StudyError(
            f"finals need a finalist, but study {study.name!r} has no feasible candidate other than its baselines; "
            "search longer, or loosen the bounds of its objectives"
        )
    if not searched and len(baselines) < 2:
        raise StudyError(
            f"finals compare at least two models, but study {study.name!r} has not been searched and has "
            f"{len(baselines)} complete baselines; search, or tune more of them with `automl baselines`"
        )
    return (*(Entrant(f"trial {one.number}", one, False) for one in finalists[:top]), *baselines)


def _as_declared(study: Study, measured: Sequence[Trial]) -> list[Trial]:
    """In the order that the searcher's model declares, then the others as they were measured."""
    places = {one.candidate.fingerprint: place for place, one in enumerate(study.declared())}
    return sorted(measured, key=lambda one: places.get(one.candidate.fingerprint, len(places)))


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
    """The study's baselines as they are, and where they were tuned the winners of their tuning, trees among them."""
    found: dict[str, Entrant] = {}
    for one in trials:
        if one.stage == "baseline" and one.state is TrialState.COMPLETE and one.candidate.architecture:
            found.setdefault(one.candidate.fingerprint, Entrant(_name(one), one, True))
    for one in _tuned(trials):
        found.setdefault(one.candidate.fingerprint, Entrant(f"{_name(one)}, tuned", one, True))
    return list(found.values())


def _of_another(study: Study, asking: Study, taken: Set[str]) -> list[Entrant]:
    """The tuned winners of another study; a candidate that both train alike is the asking study's already."""
    winners = _tuned(study.trials)
    if study.record.uid == asking.record.uid or not winners:
        state = "has none yet" if not winners else "is the study of the finals, which have its own anyway"
        raise StudyError(
            f"--baselines names another study with tuned baselines, but {study.name!r} {state}; "
            "tune some with `automl baselines`, or leave --baselines out"
        )
    is_alike = _usual(study) == _usual(asking)
    return [
        Entrant(f"{_name(one)}, tuned in {study.name}", one, True, study.record)
        for one in winners
        if not (one.candidate.fingerprint in taken and (is_alike or one.candidate.architecture is None))
    ]


def _usual(study: Study) -> dict[str, Any]:
    """How a study trains what says nothing else, its rows and caps aside, which finals do not take over."""
    options = plugins.options("evaluator", study.config.training_section())
    given = {name: value for name, value in options.items() if name in NAMES and name not in ("rows", "hash_cap")}
    return asdict(TrainingSettings(**given))


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
