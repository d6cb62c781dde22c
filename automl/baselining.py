"""Tunes the baselines of a study with a search's budget and measures the winners under fresh seeds.

Its trials are kept in the study, under stages of their own, so tuning goes on where it was ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl import plugins
from automl._errors import StudyError
from automl._loop import Loop
from automl._wiring import Wiring, audit_plan, human_made
from automl._worker import Heartbeat
from automl.control import BASELINE_ORIGIN, quality_objective
from automl.fidelity import accepted, audit_of
from automl.study import Study
from automl.tuning import (
    TUNED_STAGE,
    TUNING_STAGE,
    Contender,
    TuningPlan,
    contenders_of,
    needed,
    still_to_measure,
    trees_contender,
    tuned_rows,
)
from evaluators import Evaluator, Suggestion, Trial
from evaluators._training.settings import NAMES, TrainingSettings
from evaluators.train import Train
from evaluators.trees import Trees
from searchspaces import zoo_names
from storage import LEASE_SECONDS

OnEnd = Callable[[Trial], None]


@dataclass(frozen=True)
class Baselining:
    """What is asked for: tuning trials in all (None takes the search's budget), fresh seeds, with trees or without."""

    budget: int | None = None
    seeds: int = 5
    with_trees: bool = True


def plan_of(study: Study, asked: Baselining) -> TuningPlan:
    """How the baselines of a study are tuned: as many trials and at the fidelities of its search.

    Raises:
        StudyError: neither the study nor the caller says how many trials.
    """
    config, ladder = study.config, audit_plan(study.config)
    budget = asked.budget or config.budget.trials
    if budget is None:
        raise StudyError(
            f"baselines are tuned with as many trials as a search, but study {study.name!r} has no budget in trials; "
            "name one with --budget"
        )
    objective = quality_objective(config.objective_list())
    if ladder is None or config.fidelity is None:
        return TuningPlan(budget, objective)
    climbs = config.fidelity.promotion
    if climbs is None:
        return TuningPlan(budget, objective, (ladder.ladder.full,))
    cheap = accepted(audit_of(study.trials, ladder))
    return TuningPlan(budget, objective, (*cheap, ladder.ladder.full), climbs.reduction)


def models_of(study: Study, asked: Baselining) -> list[Contender]:
    """The models to tune: the user's own, the human-made ones that the study names, or all of them, and boosted trees.

    Raises:
        StudyError: there are none, or the study has another trainer than ours.
    """
    if study.config.evaluator["name"] == "external":
        raise StudyError(
            f"baselines are tuned with the evaluator 'train', but study {study.name!r} has a trainer of its own "
            "('external'), whose settings are not known here; tune them with that one"
        )
    wiring, seed = study.wiring, study.record.seed
    models = contenders_of(_networks(study), wiring.dataset.schema, _usual(study), seed=seed)
    if asked.with_trees:
        models.append(trees_contender(seed=seed))
    if not models:
        raise StudyError(f"study {study.name!r} has no baselines to tune; leave 'baselines' out to have all")
    return models


def _networks(study: Study) -> Sequence[Suggestion]:
    """A study that names no baselines has a few as its control, but all are tuned: they share one budget."""
    known = study.wiring.baselines
    if study.config.baselines is not None:
        return known
    own = [one for one in known if one.origin == BASELINE_ORIGIN]
    but = own[0].candidate if own else None
    return [*own, *human_made(zoo_names(), study.wiring.dataset.schema, but=but)]


def tune_baselines(study: Study, asked: Baselining, *, on_end: OnEnd | None = None) -> list[dict[str, Any]]:
    """Trains what is needed until the budget is used and the winners are measured, or the study is stopped.

    Returns the rows of the table. Finished evaluations are never repeated. `on_end` is told of each trial.

    Raises:
        StudyError: the budget gives no trial to each model, or another process drives the study.
    """
    plan, models = plan_of(study, asked), models_of(study, asked)
    if plan.budget < len(models):
        raise StudyError(
            f"each baseline takes at least one trial, but {len(models)} of them have {plan.budget} in all; "
            "enlarge --budget, or name fewer 'baselines'"
        )
    with study.driving(), Heartbeat(study.store, study.name, study.worker):
        work = _Work(study, on_end)
        try:
            work.until_done(TUNING_STAGE, lambda: needed(study.trials, plan, models))
            work.until_done(TUNED_STAGE, lambda: still_to_measure(study.trials, plan, models, seeds=asked.seeds))
        finally:
            work.close()
    return tuned_rows(study.trials, plan, models, seeds=asked.seeds)


class _Work:
    """Begins trials and evaluates them, networks with the study's evaluator and trees with theirs."""

    def __init__(self, study: Study, on_end: OnEnd | None) -> None:
        self._study, self._on_end = study, on_end
        self._size = study.wiring.evaluator.cohort_size
        self._wirings = (_unraced(study.wiring), replace(study.wiring, evaluator=_trees_evaluator(study)))
        self._networks_loop, self._trees_loop = (
            Loop(study.record, study.store, wiring=one, worker=study.worker) for one in self._wirings
        )

    def close(self) -> None:
        """Ends what the evaluators have started."""
        for one in self._wirings:
            one.evaluator.close()

    def until_done(self, stage: str, wanted: Callable[[], Sequence[Sequence[Suggestion]]]) -> None:
        """Evaluates what waits, then what is wanted, until nothing is or the study is stopped."""
        while not self._study.is_stopped:
            held = self._claimed()
            if held:
                self._evaluate(held)
                continue
            groups = wanted()
            if not groups:
                return
            for group in groups:
                self._begin(stage, group)

    def _begin(self, stage: str, group: Sequence[Suggestion]) -> None:
        """Networks wait in the queue, all of them begun at once: a tuning that is killed goes on the same way.

        Trees are begun one by one, as a search of the study that takes over what waits cannot grow them.
        """
        if group[0].candidate.architecture is not None:
            self._study.store.begin(self._study.name, group, ask_number=self._asked(stage), stage=stage)
            return
        for one in group:
            if not self._study.is_stopped:
                begun = self._study.store.begin(
                    self._study.name,
                    [one],
                    ask_number=self._asked(stage),
                    stage=stage,
                    worker=self._study.worker,
                    lease_seconds=LEASE_SECONDS,
                )
                self._evaluate(begun)

    def _evaluate(self, cohort: Sequence[Trial]) -> None:
        for part in _parts(cohort):
            loop = self._trees_loop if part[0].candidate.architecture is None else self._networks_loop
            for trial in loop.evaluate(part):
                if self._on_end is not None:
                    self._on_end(trial)

    def _claimed(self) -> list[Trial]:
        return self._study.store.claim(
            self._study.name, worker=self._study.worker, limit=self._size, lease_seconds=LEASE_SECONDS
        )

    def _asked(self, stage: str) -> int:
        return max((one.ask_number for one in self._study.trials if one.stage == stage), default=-1) + 1


def _parts(cohort: Sequence[Trial]) -> list[list[Trial]]:
    """The networks together, each ensemble of trees by itself."""
    networks = [one for one in cohort if one.candidate.architecture is not None]
    trees = [[one] for one in cohort if one.candidate.architecture is None]
    return [networks, *trees] if networks else trees


def _usual(study: Study) -> TrainingSettings:
    options = plugins.options("evaluator", study.config.evaluator)
    return TrainingSettings(**{name: value for name, value in options.items() if name in NAMES})


def _unraced(wiring: Wiring) -> Wiring:
    """The same parts, where no training is stopped for being worse than another: all are to be measured."""
    evaluator = wiring.evaluator
    return replace(wiring, evaluator=replace(evaluator, racing=False)) if isinstance(evaluator, Train) else wiring


def _trees_evaluator(study: Study) -> Evaluator:
    """Trees on the rows that the study's candidates are trained on."""
    usual = _usual(study)
    return Trees(
        study.wiring.dataset.folder,
        study.record.seed,
        rows=usual.rows,
        prefix=usual.prefix,
        threads=study.config.evaluator.get("threads") or 1,
    )
