"""Runs the audit of a study's rungs: trains candidates in full and at every rung, until each rung is decided.

Its trials are kept in the study, under a stage of their own, so an audit goes on where it was ended, and a search of
the same study finds the verdicts in its record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from automl._errors import StudyError
from automl._loop import Loop
from automl._wiring import audit_plan
from automl._worker import Heartbeat
from automl.fidelity import AUDIT_STAGE, AuditPlan, RungAudit, Verdict, audit_of, needed, rung_name
from automl.proposals import sample_unseen
from automl.study import Study
from evaluators import Suggestion, Trial
from searchspaces import Candidate, SearchSpace
from storage import LEASE_SECONDS

BASELINE_EVERY = 4
"""Of so many audited candidates one is human-made: a pool of opposites would make every rung look faithful."""

_SALT = 0xA0D17


def plan_of(study: Study) -> AuditPlan:
    """How the rungs of a study are audited.

    Raises:
        StudyError: the study has no ladder.
    """
    plan = audit_plan(study.config)
    if plan is None:
        raise StudyError(
            f"an audit compares rungs with full training, but study {study.name!r} has no 'fidelity' section; "
            "add one, such as 'fidelity: {rungs: [{rows: 20000}, {}]}'"
        )
    return plan


def audit(study: Study, *, on_end: Callable[[Trial], None] | None = None) -> tuple[RungAudit, ...]:
    """Evaluates what is needed until every rung is decided or the study is stopped; what is known then.

    Finished evaluations are never repeated. `on_end` is told of each trial.

    Raises:
        StudyError: the study has no ladder, or another process drives it.
    """
    plan = plan_of(study)
    with study.driving(), Heartbeat(study.store, study.name, study.worker):
        candidates = audit_candidates(
            study.wiring.space,
            [one.candidate for one in study.wiring.baselines],
            plan.rule.steps[-1],
            np.random.default_rng([study.record.seed, _SALT]),
        )
        loop = Loop(study.record, study.store, wiring=study.wiring, worker=study.worker)
        for cohort in _cohorts(study, plan, candidates):
            for trial in loop.evaluate(cohort):
                if on_end is not None:
                    on_end(trial)
    return audit_of(study.trials, plan)


def audit_candidates(
    space: SearchSpace, baselines: Sequence[Candidate], count: int, rng: np.random.Generator
) -> list[Candidate]:
    """Up to `count` different candidates, fewer where the space has no more: one in four a baseline, the rest drawn."""
    known: list[Candidate] = []
    waiting, taken = list(baselines), {Suggestion(one).identity for one in baselines}
    while len(known) < count:
        is_baselines_turn = len(known) % BASELINE_EVERY == 0 and waiting
        candidate = waiting.pop(0) if is_baselines_turn else sample_unseen(space, taken, rng)
        if candidate is None:
            break
        known.append(candidate)
        taken.add(Suggestion(candidate).identity)
    return known


def audit_rows(audit: Sequence[RungAudit], plan: AuditPlan) -> list[dict[str, Any]]:
    """One row a rung as JSON types, cheapest first and full training last; null where nothing is known.

    `rows` and `seconds` are costs in units of full training; `stderr` and `reliability` are those of one evaluation.
    """
    widest = max((one for one in audit if one.agreement), key=lambda one: one.candidates, default=None)
    full = {
        **dict.fromkeys(_row(audit[0]) if audit else ()),
        "rung": plan.ladder.full.rung,
        "settings": plan.ladder.full.settings.to_dict(),
        "rows": 1.0,
        "seconds": 1.0,
        "stderr": widest.full_stderr if widest else None,
        "reliability": widest.agreement.full_reliability if widest and widest.agreement else None,
        "verdict": "full training",
    }
    return [*map(_row, audit), full]


def audit_words(audit: Sequence[RungAudit]) -> list[str]:
    """Why each rung has its verdict, and which one to use."""
    told = [f"{rung_name(one.fidelity)} is {one.verdict.value}: {one.reason}" for one in audit]
    passed = [one for one in audit if one.verdict is Verdict.ACCEPTED]
    if passed:
        return [*told, f"the cheapest rung that may rank is {rung_name(passed[0].fidelity)}"]
    if any(one.verdict is Verdict.UNDECIDED for one in audit):
        return [*told, "no rung may rank yet: searches train in full until the audit has gone on"]
    return [*told, "no rung passes: searches train in full"]


def _row(one: RungAudit) -> dict[str, Any]:
    found = one.agreement
    return {
        "rung": one.fidelity.rung,
        "settings": one.fidelity.settings.to_dict(),
        "rows": one.rows_share,
        "seconds": one.seconds_share,
        "candidates": one.candidates,
        "failed": one.failed,
        "stderr": one.stderr,
        "reliability": found.rung_reliability if found else None,
        "tau": found.tau if found else None,
        "tau_low": found.low if found else None,
        "tau_high": found.high if found else None,
        "ceiling": found.ceiling if found else None,
        "share_of_ceiling": found.share if found else None,
        "verdict": one.verdict.value,
        "reason": one.reason,
    }


def _cohorts(study: Study, plan: AuditPlan, candidates: Sequence[Candidate]) -> Iterator[list[Trial]]:
    """Trials to evaluate, held by this process: what an earlier run has left in the queue, then what is needed."""
    size = study.wiring.evaluator.cohort_size
    while not study.is_stopped:
        held = study.store.claim(study.name, worker=study.worker, limit=size, lease_seconds=LEASE_SECONDS)
        if held:
            yield held
            continue
        groups = needed(study.trials, plan, candidates)
        if not groups:
            return
        for group in groups:
            yield from _begun(study, group, size)


def _begun(study: Study, group: Sequence[Suggestion], size: int) -> Iterator[list[Trial]]:
    for first in range(0, len(group), size):
        if study.is_stopped:
            return
        asked = [trial.ask_number for trial in study.trials if trial.stage == AUDIT_STAGE]
        yield study.store.begin(
            study.name,
            group[first : first + size],
            ask_number=max(asked, default=-1) + 1,
            stage=AUDIT_STAGE,
            worker=study.worker,
        )
