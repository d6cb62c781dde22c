"""Trials that fail by themselves: too large, diverging, hung, deadly. Each must fail alone and as what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automl.bench.faults.finding import Finding
from automl.bench.faults.plan import Plan
from automl.bench.faults.search import NAME, Search, wait_until
from automl.bench.faults.trainers import deadly_trainer, hanging_trainer, left_of
from automl.bench.faults.witness import Witness, mirrored
from evaluators import FailureKind, Suggestion, Trial
from searchspaces import Architecture, Candidate, Node, Options

TRAIN: Mapping[str, object] = {"name": "train", "device": "cpu", "rows": 2000, "threads": 1}
MEMORY_LIMIT_MB = 1000
TOO_WIDE = 4_000_000
"""A layer whose weights alone take gigabytes."""
TIMEOUT_SECONDS = 5.0
FAREWELL_SECONDS = 5.0


@dataclass(frozen=True)
class Case:
    """A queue of trials, of which the guilty ones must fail as `kind`, and no other one must fail."""

    row: str
    fault: str
    evaluator: Mapping[str, object]
    suggestions: Sequence[Suggestion]
    guilty: Sequence[int]
    kind: FailureKind
    workers: int = 1


def out_of_memory(plan: Plan) -> Finding:
    """Every third candidate does not fit into the child's memory."""
    fault = f"OOM by rlimit: 3 of 9 candidates need gigabytes under memory_limit_mb {MEMORY_LIMIT_MB}"
    evaluator = {**TRAIN, "memory_limit_mb": MEMORY_LIMIT_MB}
    suggestions = [mlp(TOO_WIDE + at if at % 3 == 1 else 16 + at) for at in range(9)]
    return _judged(plan, Case("g", fault, evaluator, suggestions, (1, 4, 7), FailureKind.OUT_OF_MEMORY))


def divergence(plan: Plan) -> Finding:
    """Every third candidate is trained with a learning rate that no loss survives."""
    fault = "NaN: 3 of 9 candidates train with learning rate 1e30"
    suggestions = [mlp(16 + at, **({"learning_rate": 1e30} if at % 3 == 1 else {})) for at in range(9)]
    return _judged(plan, Case("h", fault, TRAIN, suggestions, (1, 4, 7), FailureKind.DIVERGED))


def hung_training(plan: Plan) -> Finding:
    """Every third candidate trains for ever."""
    fault = f"hung training: 2 of 6 never end, under timeout_seconds {TIMEOUT_SECONDS:g}"
    evaluator = {**TRAIN, "timeout_seconds": TIMEOUT_SECONDS}
    suggestions = [mlp(16 + at, **({"passes": 10**6} if at % 3 == 1 else {})) for at in range(6)]
    return _judged(plan, Case("i1", fault, evaluator, suggestions, (1, 4), FailureKind.TIMEOUT))


def hung_trainer(plan: Plan) -> Finding:
    """A trainer of the user's own ignores SIGTERM, and so do its children, one of them in a session of its own."""
    fault = "hung external trainer that ignores SIGTERM, with 2 grandchildren: 2 of 6, under a timeout of 5 seconds"
    evaluator = {**hanging_trainer(plan.place("i2")), "timeout_seconds": TIMEOUT_SECONDS}
    case = Case("i2", fault, evaluator, guilty_ones(6, every=3), (1, 4), FailureKind.TIMEOUT)
    return _judged(plan, case)


def deadly_trial(plan: Plan) -> Finding:
    """One trial kills its worker at every attempt."""
    fault = "a trial that kills its worker at each attempt, 2 workers"
    evaluator = deadly_trainer(plan.place("j"))
    case = Case("j", fault, evaluator, guilty_ones(9, every=9), (1,), FailureKind.CRASHED, workers=2)
    return _judged(plan, case)


def guilty_ones(count: int, *, every: int) -> list[Suggestion]:
    """Suggestions for the trainers of this benchmark; those numbered 1, 1 + every, ... are guilty."""
    return [mlp(16 + at, **({"guilty": True} if at % every == 1 else {})) for at in range(count)]


def mlp(width: int, **training: object) -> Suggestion:
    """Numbers and embeddings through one hidden layer."""
    nodes = (
        Node("numeric"),
        Node("full", (), Options(dim=4)),
        Node("mlp", (0, 1), Options(width=width)),
        Node("logit", (2,)),
    )
    return Suggestion(Candidate(Architecture(nodes), Options(training)), origin="planned")


def _judged(plan: Plan, case: Case) -> Finding:
    folder = plan.place(case.row)
    sections = {"evaluator": case.evaluator, "budget": {"trials": len(case.suggestions)}, "tracker": {"name": "mlflow"}}
    search = Search(folder, sections, workers=case.workers)
    if not search.exists():
        search.begin(case.suggestions)
    ended = search.ended(search.go_on())
    trials = search.trials()
    wrong = [] if ended.code == 0 else [f"the search ended with code {ended.code}: {ended.said}"]
    wrong += not_as_planned(trials, case.guilty, case.kind)
    if not wait_until(lambda: not left_of(folder), seconds=FAREWELL_SECONDS):
        wrong.append(f"{len(left_of(folder))} processes of a trainer are left")
    injected = {case.kind.value: len(case.guilty)}
    finding = Finding(case.row, case.fault, injected=injected, wrong=tuple(wrong), notes=_notes(trials, case.guilty))
    return mirrored(Witness(folder / "seen.jsonl").audited(finding, trials), search.tracker, NAME)


def _notes(trials: Sequence[Trial], guilty: Sequence[int]) -> dict[str, object]:
    reasons = [trial.failure.reason for trial in trials if trial.failure and trial.number in guilty]
    return {"reason": reasons[0] if reasons else "", "losses": sum(trial.losses for trial in trials)}


def not_as_planned(trials: Sequence[Trial], guilty: Sequence[int], kind: FailureKind) -> list[str]:
    """Sentences about guilty trials that did not fail as `kind`, and about others that failed."""
    wrong = []
    for trial in trials:
        found = trial.failure.kind.value if trial.failure else trial.state.value
        expected = kind.value if trial.number in guilty else "COMPLETE"
        if found != expected:
            wrong.append(f"trial {trial.number} must end as {expected}, but ended as {found}")
    return wrong
