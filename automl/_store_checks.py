"""What a store promises, checked row by row: each broken promise is told with the way out."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from automl._errors import AutomlError
from automl._finding import Finding, State, judged
from automl._store_rows import CursorRow, StoreRows, StudyRow, TrialRow
from automl._worker import is_asker, is_dead
from automl.config import parse_config
from evaluators import Evaluation, EvaluatorError, Suggestion
from searchspaces import SearchSpaceError

AREA = "store"
COPY = "stop every search on it and restore a copy from before"
FINISHED = ("COMPLETE", "PRUNED", "FAIL")
STATES = ("WAITING", "RUNNING", *FINISHED)


@dataclass(frozen=True)
class StudyRows:
    """One study's rows; `last` is the largest finish order."""

    study: StudyRow
    trials: Sequence[TrialRow]
    cursors: Sequence[CursorRow]

    @property
    def last(self) -> int:
        """Finish order of the trial that ended last, 0 where none has."""
        return max((one.finish_order or 0 for one in self.trials), default=0)


def store_findings(rows: StoreRows, *, newest: str, versions: Sequence[str], now: float, store: str) -> list[Finding]:
    """Everything that is checked of a store; `newest` is the schema of this release, `store` names it in commands."""
    found = [_schema(rows, newest=newest, versions=versions, store=store)]
    way_out = f"{COPY}; `sqlite3 FILE .recover` saves what can be read"
    found.append(judged(AREA, "integrity", list(rows.complaints), way_out=way_out))
    for study in _by_study(rows):
        name = study.study.name
        found += [
            Finding(AREA, f"study {name}", _counts(study)),
            *_configuration(study),
            judged(f"study {name}", "numbers", _gaps(study), way_out=COPY),
            judged(f"study {name}", "finish order", _order_gaps(study), way_out=COPY),
            judged(f"study {name}", "states", list(_contradictions(study)), way_out=COPY),
            judged(f"study {name}", "contents", list(_unreadable(study)), way_out=COPY),
            judged(f"study {name}", "fingerprints", list(_strangers(study)), way_out=COPY),
            _doubles(study),
            _workers(study, now, store),
            _cursors(study, store),
        ]
    return found


def _by_study(rows: StoreRows) -> Iterator[StudyRows]:
    trials = {number: list(group) for number, group in groupby(rows.trials, key=lambda one: one.study_id)}
    for study in rows.studies:
        cursors = [one for one in rows.cursors if one.study_id == study.id]
        yield StudyRows(study, trials.get(study.id, []), cursors)


def _schema(rows: StoreRows, *, newest: str, versions: Sequence[str], store: str) -> Finding:
    version = rows.version
    if version == newest:
        return Finding(AREA, "schema", version)
    if version is None:
        other = f"no store of ours: it has the tables {', '.join(rows.tables[:3]) or 'none'}"
        way_out = "name another file with --storage" if rows.tables else "nothing is lost: the next search fills it"
        return Finding(AREA, "schema", other, State.PROBLEM if rows.tables else State.WARNING, way_out=way_out)
    if version in versions:
        way_out = f"run `automl db upgrade --storage {store}`"
        return Finding(
            AREA, "schema", f"{version} is older than {newest} of this release", State.PROBLEM, way_out=way_out
        )
    way_out = "install the newer ctr-automl, or name another store"
    return Finding(AREA, "schema", f"{version} is newer than {newest} of this release", State.PROBLEM, way_out=way_out)


def _counts(study: StudyRows) -> str:
    counted = Counter(one.state for one in study.trials)
    return ", ".join(f"{count} {state}" for state, count in sorted(counted.items())) or "no trial"


def _configuration(study: StudyRows) -> list[Finding]:
    area, way_out = f"study {study.study.name}", "it cannot be resumed with this release; install the one that made it"
    try:
        content = json.loads(study.study.config)
        if not isinstance(content, dict):
            raise ValueError("no mapping")
    except ValueError as error:
        return [Finding(area, "configuration", f"is not readable: {error}", State.PROBLEM, way_out=COPY)]
    try:
        parse_config(content, source="it")
    except AutomlError as error:
        return [Finding(area, "configuration", " ".join(str(error).split()), State.WARNING, way_out=way_out)]
    return [Finding(area, "configuration", "fine")]


def _gaps(study: StudyRows) -> list[str]:
    numbers = {one.number for one in study.trials}
    negative = [f"trial {number} has a number below zero" for number in sorted(numbers) if number < 0]
    return [*(f"{span} missing" for span in _missing(numbers, 0, "trial")), *negative]


def _order_gaps(study: StudyRows) -> list[str]:
    counted = Counter(one.finish_order for one in study.trials if one.finish_order is not None)
    twice = sorted(order for order, count in counted.items() if count > 1)
    return [
        *(f"{span} missing" for span in _missing(set(counted), 1, "end")),
        *(f"{counted[order]} trials have end {order}" for order in twice),
    ]


def _missing(present: set[int], first: int, noun: str) -> Iterator[str]:
    """Spans of numbers that are not there below the largest one."""
    for number in sorted(one for one in present if one >= first):
        if number - 1 == first:
            yield f"{noun} {first} is"
        elif number > first:
            yield f"{noun}s {first} to {number - 1} are"
        first = number + 1


def _contradictions(study: StudyRows) -> Iterator[str]:
    for trial in study.trials:
        is_finished = trial.state in FINISHED
        if trial.state not in STATES:
            yield f"trial {trial.number} is {trial.state!r}, which is no state"
        elif is_finished != (trial.finish_order is not None):
            yield f"trial {trial.number} is {trial.state}, but {'never' if is_finished else 'already'} ended"
        elif trial.state == "FAIL" and not trial.failure_kind:
            yield f"trial {trial.number} failed without a reason"
        elif trial.state in ("COMPLETE", "PRUNED") and trial.evaluation is None:
            yield f"trial {trial.number} is {trial.state}, but has no evaluation"
        elif (trial.state == "RUNNING") != (trial.worker is not None):
            yield f"trial {trial.number} is {trial.state}, but is held by {trial.worker or 'nobody'}"


def _unreadable(study: StudyRows) -> Iterator[str]:
    for trial in study.trials:
        for name, text, read in (
            ("suggestion", trial.suggestion, Suggestion.from_dict),
            ("evaluation", trial.evaluation, Evaluation.from_dict),
        ):
            reason = _reason(text, read) if text is not None else ""
            if reason:
                yield f"the {name} of trial {trial.number} is not readable: {reason}"


def _reason(text: str, read: Callable[[dict[str, object]], object]) -> str:
    try:
        read(json.loads(text, parse_constant=_refuse))
    except (EvaluatorError, SearchSpaceError, ValueError) as error:
        return str(error)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        return f"{type(error).__name__} {error}"
    return ""


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no finite number")


def _strangers(study: StudyRows) -> Iterator[str]:
    for trial in study.trials:
        found = _fingerprint(trial.suggestion)
        if found is not None and found != (trial.fingerprint, trial.rung, trial.replicate):
            kept = (trial.fingerprint, trial.rung, trial.replicate)
            yield f"trial {trial.number} is kept as {_told(kept)}, but its suggestion is {_told(found)}"


def _told(identity: tuple[str, int, int]) -> str:
    return "{} at rung {}, replicate {}".format(*identity)


def _fingerprint(suggestion: str) -> tuple[str, int, int] | None:
    try:
        return Suggestion.from_dict(json.loads(suggestion)).identity
    except (SearchSpaceError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None  # told among the contents


def _doubles(study: StudyRows) -> Finding:
    seen: dict[tuple[str, str, int, int], list[int]] = {}
    for one in study.trials:
        seen.setdefault((one.stage, one.fingerprint, one.rung, one.replicate), []).append(one.number)
    wrong = [
        f"trials {' and '.join(map(str, numbers))} are one and the same" for numbers in seen.values() if numbers[1:]
    ]
    way_out = "nothing is lost but the time: the searcher was told both"
    return judged(f"study {study.study.name}", "doubles", wrong, way_out=way_out, state=State.WARNING)


def _workers(study: StudyRows, now: float, store: str) -> Finding:
    running = [one for one in study.trials if one.state == "RUNNING" and one.worker]
    wrong = [text for one in running if (text := _lost(one, now))]
    way_out = f"`automl resume {study.study.name} --storage {store}` evaluates them anew"
    return judged(f"study {study.study.name}", "workers", wrong, way_out=way_out, state=State.WARNING)


def _lost(trial: TrialRow, now: float) -> str:
    worker = trial.worker or ""
    if not is_asker(worker) and is_dead(worker):
        return f"trial {trial.number} is RUNNING, but its worker {worker} is gone"
    until = trial.lease_until
    if until is not None and (not math.isfinite(until) or until < now):
        return f"trial {trial.number} is RUNNING, but the lease of {worker} is over by {now - until:.0f} s"
    return ""


def _cursors(study: StudyRows, store: str) -> Finding:
    wrong = [
        f"reader {one.reader!r} stands at {one.finish_order}, but only {study.last} trials have ended"
        for one in study.cursors
        if not 0 <= one.finish_order <= study.last
    ]
    way_out = f"`automl track sync {study.study.name} --storage {store}` completes the mirror"
    return judged(f"study {study.study.name}", "cursors", wrong, way_out=way_out)
