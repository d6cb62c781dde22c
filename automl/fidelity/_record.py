"""What the trials of an audit say, as a pure function of a study's record.

An audit's trials have a stage of their own: they use none of the search's budget and stand on no front. Rung and full
training are measured under different replicates, so that no order agrees because both had the same luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from automl.fidelity._agreement import FEWEST, Agreement, Labels, Vector
from automl.fidelity._ladder import Ladder
from automl.fidelity._verdict import Look, Rule, Verdict, look
from evaluators import Fidelity, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate

AUDIT_STAGE = "audit"
FULL_REPLICATES, RUNG_REPLICATES = (1, 2), (3, 4)

Identity = tuple[str, int, int]


@dataclass(frozen=True)
class AuditPlan:
    """How a study's rungs are audited: ladder, what is measured, the rule, and the seed of the resamples."""

    ladder: Ladder
    objective: Objective
    rule: Rule = field(default_factory=Rule)
    seed: int = 0


@dataclass(frozen=True)
class RungAudit:
    """What is known of one rung.

    `candidates` have labels at the rung and in full; `failed` of the audited ones have not. `stderr` is the noise of
    one evaluation in units of the metric, `rows_share` and `seconds_share` what it costs in units of full training;
    None where it is not known.
    """

    fidelity: Fidelity
    verdict: Verdict
    reason: str
    candidates: int = 0
    failed: int = 0
    agreement: Agreement | None = None
    stderr: float | None = None
    full_stderr: float | None = None
    rows_share: float | None = None
    seconds_share: float | None = None


def audit_of(trials: Iterable[Trial], plan: AuditPlan) -> tuple[RungAudit, ...]:
    """What the audit's finished trials say of each rung below full training, cheapest first."""
    measured = _measured(trials)
    order = tuple(dict.fromkeys(name for name, rung, _ in measured if rung == plan.ladder.full.rung))
    return tuple(_rung_audit(one, measured, order, plan) for one in plan.ladder.cheap)


def needed(
    trials: Sequence[Trial], plan: AuditPlan, candidates: Sequence[Candidate]
) -> tuple[tuple[Suggestion, ...], ...]:
    """What to evaluate next, in groups of one fidelity and replicate; empty once every rung is decided.

    `candidates` are those of the audit in order. What the record has, in whatever state, is not asked for again.
    """
    begun = {trial.suggestion.identity for trial in trials if trial.stage == AUDIT_STAGE}
    undecided = [one for one in audit_of(trials, plan) if one.verdict is Verdict.UNDECIDED]
    if not undecided:
        return ()
    for step in plan.rule.steps:
        groups = [
            tuple(
                Suggestion(candidate, fidelity, replicate, origin=AUDIT_STAGE)
                for candidate in candidates[:step]
                if (candidate.fingerprint, fidelity.rung, replicate) not in begun
            )
            for fidelity, replicates in _parts(plan.ladder.full, [one.fidelity for one in undecided])
            for replicate in replicates
        ]
        if any(groups):
            return tuple(group for group in groups if group)
    return ()


def accepted(audit: Iterable[RungAudit]) -> tuple[Fidelity, ...]:
    """The rungs that may rank, cheapest first."""
    return tuple(one.fidelity for one in audit if one.verdict is Verdict.ACCEPTED)


def _parts(full: Fidelity, rungs: Sequence[Fidelity]) -> list[tuple[Fidelity, tuple[int, ...]]]:
    return [(full, FULL_REPLICATES), *((rung, RUNG_REPLICATES) for rung in rungs)]


def _measured(trials: Iterable[Trial]) -> dict[Identity, Trial]:
    """The audit's finished trials by identity, in the order of their numbers."""
    audited = [trial for trial in trials if trial.stage == AUDIT_STAGE and trial.state.is_finished]
    return {trial.suggestion.identity: trial for trial in sorted(audited, key=lambda trial: trial.number)}


def _rung_audit(
    fidelity: Fidelity, measured: Mapping[Identity, Trial], order: Sequence[str], plan: AuditPlan
) -> RungAudit:
    """The looks up to the one that decides, as far as all trials of a step have finished."""
    found = RungAudit(fidelity, Verdict.UNDECIDED, "not audited yet")
    for at, step in enumerate(plan.rule.steps):
        rows = [_trials_of(name, fidelity, measured, plan.ladder.full.rung) for name in order[:step]]
        whole = [row for row in rows if row is not None]
        if len(whole) < step:
            break
        found = _looked(fidelity, whole, at, plan)
        if found.verdict is not Verdict.UNDECIDED:
            break
    return found


def _trials_of(
    name: str, fidelity: Fidelity, measured: Mapping[Identity, Trial], full: int
) -> tuple[list[Trial], list[Trial]] | None:
    """A candidate's trials at the rung and in full; None where one of them has not finished."""
    at_rung = [measured.get((name, fidelity.rung, replicate)) for replicate in RUNG_REPLICATES]
    in_full = [measured.get((name, full, replicate)) for replicate in FULL_REPLICATES]
    if None in at_rung or None in in_full:
        return None
    return [one for one in at_rung if one], [one for one in in_full if one]


def _looked(fidelity: Fidelity, rows: Sequence[tuple[list[Trial], list[Trial]]], at: int, plan: AuditPlan) -> RungAudit:
    metric = plan.objective.metric
    kept = [row for row in rows if all(_has_value(trial, metric) for trials in row for trial in trials)]
    if len(kept) < FEWEST:
        return _too_few(fidelity, rows, len(kept), is_last=at == len(plan.rule.steps) - 1)
    rung, full = (Labels(_losses([row[side] for row in kept], plan.objective)) for side in (0, 1))
    rng = np.random.default_rng([plan.seed, -fidelity.rung, at])
    seen: Look = look(rung, full, at=at, rule=plan.rule, rng=rng)
    return RungAudit(
        fidelity,
        seen.verdict,
        seen.reason,
        candidates=len(kept),
        failed=len(rows) - len(kept),
        agreement=seen.agreement,
        stderr=rung.noise(),
        full_stderr=full.noise(),
        rows_share=_share([_rows(row[0]) for row in kept], [_rows(row[1]) for row in kept]),
        seconds_share=_share([_seconds(row[0]) for row in kept], [_seconds(row[1]) for row in kept]),
    )


def _too_few(
    fidelity: Fidelity, rows: Sequence[tuple[list[Trial], list[Trial]]], kept: int, *, is_last: bool
) -> RungAudit:
    reason = f"only {kept} of {len(rows)} candidates could be evaluated at the rung and in full"
    verdict = Verdict.REFUSED if is_last else Verdict.UNDECIDED
    return RungAudit(fidelity, verdict, reason, candidates=kept, failed=len(rows) - kept)


def _has_value(trial: Trial, metric: str) -> bool:
    return trial.state is TrialState.COMPLETE and trial.value(metric) is not None


def _losses(rows: Sequence[Sequence[Trial]], objective: Objective) -> Vector:
    return np.array([[objective.loss(trial.value(objective.metric) or 0.0) for trial in row] for row in rows])


def _share(rung: Sequence[float], full: Sequence[float]) -> float | None:
    return sum(rung) / sum(full) if sum(rung) > 0 and sum(full) > 0 else None


def _rows(trials: Sequence[Trial]) -> float:
    curves = [trial.evaluation.curve for trial in trials if trial.evaluation]
    return float(sum(curve[-1].rows for curve in curves if curve))


def _seconds(trials: Sequence[Trial]) -> float:
    return sum(trial.evaluation.seconds for trial in trials if trial.evaluation)
