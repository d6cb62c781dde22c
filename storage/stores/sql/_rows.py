"""Between rows and trials: nothing of the database leaves the package.

Reading 5,000 trials must stay well under a second, so nodes are made once for all trials that share them, and
the remembered fingerprint spares the canonical form of each graph.
"""

from __future__ import annotations

import gc
import json
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

from evaluators import Evaluation, Failure, FailureKind, Fidelity, Suggestion, Trial, TrialState
from searchspaces import Architecture, Candidate, Node, Options, Value
from storage._store import StudyRecord
from storage.stores.sql._damage import RowDamaged
from storage.stores.sql._models import STUDIES, TRIALS

TRIAL_COLUMNS = (
    TRIALS.c.number,
    TRIALS.c.stage,
    TRIALS.c.suggestion,
    TRIALS.c.fingerprint,
    TRIALS.c.state,
    TRIALS.c.evaluation,
    TRIALS.c.failure_kind,
    TRIALS.c.failure_reason,
    TRIALS.c.failure_seconds,
    TRIALS.c.ask_number,
    TRIALS.c.finish_order,
    TRIALS.c.started_at,
    TRIALS.c.finished_at,
    TRIALS.c.losses,
)
OUTCOME_COLUMNS = (
    TRIALS.c.state,
    TRIALS.c.evaluation,
    TRIALS.c.failure_kind,
    TRIALS.c.failure_reason,
    TRIALS.c.failure_seconds,
    TRIALS.c.finish_order,
    TRIALS.c.finished_at,
    TRIALS.c.losses,
    TRIALS.c.worker,
    TRIALS.c.lease_until,
)
RECORD_COLUMNS = (
    STUDIES.c.uid,
    STUDIES.c.name,
    STUDIES.c.seed,
    STUDIES.c.problem,
    STUDIES.c.config,
    STUDIES.c.created_at,
    STUDIES.c.facts,
)

_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def record_row(record: StudyRecord) -> dict[str, Any]:
    """The study as a row."""
    return {
        "uid": record.uid,
        "name": record.name,
        "seed": str(record.seed),
        "problem": record.problem,
        "config": to_json(record.config),
        "facts": to_json(record.facts),
        "created_at": record.created_at,
    }


def to_record(row: Sequence[Any]) -> StudyRecord:
    """The study of a row of `RECORD_COLUMNS`."""
    uid, name, seed, problem, config, created_at, facts = row
    try:
        return StudyRecord(uid, name, int(seed), problem, _mapping(config), created_at, _mapping(facts))
    except _DAMAGE as error:
        raise RowDamaged(f"study {name!r} cannot be read ({error})") from error


def trial_row(trial: Trial, study_id: int, *, worker: str | None, lease_until: float | None) -> dict[str, Any]:
    """A new trial as a row."""
    suggestion = trial.suggestion
    fingerprint, rung, replicate = suggestion.identity
    return {
        "study_id": study_id,
        "number": trial.number,
        "stage": trial.stage,
        "ask_number": trial.ask_number,
        "state": trial.state.value,
        "fingerprint": fingerprint,
        "rung": rung,
        "replicate": replicate,
        "suggestion": to_json(suggestion.to_dict()),
        "started_at": trial.started_at,
        "worker": worker,
        "lease_until": lease_until,
    }


def outcome_row(trial: Trial) -> dict[str, Any]:
    """What ending a trial writes, the lease released: each of `OUTCOME_COLUMNS`, named `new_...`."""
    failure = trial.failure
    return {
        "new_state": trial.state.value,
        "new_evaluation": to_json(trial.evaluation.to_dict()) if trial.evaluation else None,
        "new_failure_kind": failure.kind.value if failure else None,
        "new_failure_reason": failure.reason if failure else None,
        "new_failure_seconds": failure.seconds if failure else None,
        "new_finish_order": trial.finish_order,
        "new_finished_at": trial.finished_at,
        "new_losses": trial.losses,
        "new_worker": None,
        "new_lease_until": None,
    }


def to_trial(row: Sequence[Any]) -> Trial:
    """The trial of a row of `TRIAL_COLUMNS`.

    Raises:
        RowDamaged: nobody of this package has written it.
    """
    try:
        return _trial(row)
    except _DAMAGE as error:
        raise RowDamaged(f"trial {row[0]} cannot be read ({type(error).__name__}: {error})") from error


def _trial(row: Sequence[Any]) -> Trial:
    number, stage, suggestion, fingerprint, state, evaluation, *rest = row
    kind, reason, seconds, ask_number, *times_and_losses = rest
    return Trial(
        number,
        stage,
        _suggestion(json.loads(suggestion), fingerprint),
        TrialState(state),
        Evaluation.from_dict(json.loads(evaluation)) if evaluation else None,
        Failure(FailureKind(kind), reason, seconds) if kind else None,
        ask_number,
        *times_and_losses,
    )


def _mapping(text: str) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"a mapping is expected, but there is {reprlib.repr(content)}")
    return content


def to_json(content: Mapping[str, Any]) -> str:
    """Compact JSON in the order given."""
    return json.dumps(content, separators=(",", ":"))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keeps the cyclic garbage collector off while many trials are made: it took two thirds of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _suggestion(content: Mapping[str, Any], fingerprint: str) -> Suggestion:
    fidelity = content["fidelity"]
    return Suggestion(
        _candidate(content["candidate"], fingerprint),
        Fidelity(fidelity["rung"], Options(fidelity["settings"])),
        content["replicate"],
        tuple(content["parents"]),
        content["origin"],
        Options(content["memo"]),
    )


def _candidate(content: Mapping[str, Any], fingerprint: str) -> Candidate:
    graph = content["architecture"]
    candidate = Candidate(
        _architecture(graph) if graph else None, Options(content["training"]), Options(content["system"])
    )
    if fingerprint.startswith(_fingerprint_version()):
        vars(candidate)["fingerprint"] = fingerprint  # fills the cached property
    return candidate


@cache
def _fingerprint_version() -> str:
    return Candidate().fingerprint.partition(":")[0] + ":"


def _architecture(content: Mapping[str, Any]) -> Architecture:
    if content["version"] != 1:
        return Architecture.from_dict(content)
    return Architecture(tuple(_node(node) for node in content["nodes"]))


def _node(content: Mapping[str, Any]) -> Node:
    options = content["options"]
    if list in map(type, options.values()):
        return Node(content["block"], tuple(content["inputs"]), Options(options))
    return _shared_node(content["block"], tuple(content["inputs"]), tuple(options), *options.values())


@lru_cache(maxsize=65536, typed=True)  # typed: 1, 1.0 and True are different options
def _shared_node(block: str, inputs: tuple[int, ...], names: tuple[str, ...], *values: Value) -> Node:
    return Node(block, inputs, Options(dict(zip(names, values, strict=True))))
