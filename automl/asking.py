"""Studies whose trials are evaluated elsewhere: gives candidates out and takes metrics in, for any program or person.

The formats are those of the evaluator `external`: a trainer that works with the one works with the other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl._errors import StudyError
from automl._wiring import facts_of
from automl.study import Study
from evaluators import Evaluation, Failure, Metric, Trial
from evaluators._external.candidate_document import candidate_document, cost_metrics
from evaluators._external.metrics_document import completed, parse_metrics
from searchspaces import FeatureSchema

HOLDER = "command line"


def ask_document(study: Study) -> dict[str, Any]:
    """The next trial, held for a week: `study`, its `number` and `stage`, and the `candidate` to evaluate.

    A trial that was lost by a worker, or held for too long, is given first; then the baselines.

    Raises:
        NothingLeft: the budget is spent, trials that others hold counted, or the space is exhausted.
    """
    trial = study.ask(holder=HOLDER, budget=study.budget)
    return {"study": study.name, "number": trial.number, "stage": trial.stage, "candidate": _candidate(study, trial)}


def asked_row(document: Mapping[str, Any]) -> dict[str, Any]:
    """An asked trial as one line of a table."""
    candidate = document["candidate"]
    return {
        "number": document["number"],
        "stage": document["stage"],
        "fingerprint": candidate["fingerprint"],
        "seed": candidate["seed"],
        "rung": candidate["fidelity"]["rung"],
        "nodes": len(candidate["architecture"]["nodes"]) if candidate["architecture"] else 0,
        "flops": (candidate["cost"] or {}).get("flops"),
        "params": (candidate["cost"] or {}).get("params"),
    }


def tell_metrics(study: Study, number: int, text: bytes) -> Trial:
    """Ends a trial with a metrics document; costs that it lacks are filled in. Nothing changes where this raises.

    Raises:
        ProtocolError: the document breaks a rule, or a metric is missing that an objective needs.
        StudyError: the study has no such trial, or it has ended before.
    """
    trial = _unfinished(study, number)
    outcome = parse_metrics(text)
    if isinstance(outcome, Evaluation):
        outcome = completed(outcome, study.objectives, _costs(study, trial))
    return study.tell(number, _timed(outcome, trial))


def tell_failure(study: Study, number: int, failure: Failure) -> Trial:
    """Ends a trial as a failure.

    Raises:
        StudyError: the study has no such trial, or it has ended before.
    """
    return study.tell(number, _timed(failure, _unfinished(study, number)))


def _candidate(study: Study, trial: Trial) -> dict[str, Any]:
    return candidate_document(
        trial.suggestion, schema=_schema(study), objectives=study.objectives, study_seed=study.record.seed
    )


def _costs(study: Study, trial: Trial) -> dict[str, Metric]:
    return cost_metrics(trial.suggestion, _schema(study))


def _schema(study: Study) -> FeatureSchema:
    """From the record: telling needs no data."""
    return FeatureSchema.from_dict(facts_of(study.record, "data")["schema"])


def _unfinished(study: Study, number: int) -> Trial:
    trials = study.trials
    if not 0 <= number < len(trials):
        known = f"has trials 0 to {len(trials) - 1}" if trials else "has no trials yet"
        raise StudyError(f"study {study.name!r} {known}, but {number} was told of; `automl ask` gives the number")
    trial = trials[number]
    if trial.state.is_finished:
        raise StudyError(
            f"a finished trial never changes, but trial {number} of study {study.name!r} is {trial.state.value} "
            "already; ask for a new trial for another measurement"
        )
    return trial


def _timed(outcome: Evaluation | Failure, trial: Trial) -> Evaluation | Failure:
    """With the time since the ask, where the trainer told none."""
    if outcome.seconds or trial.started_at is None:
        return outcome
    return replace(outcome, seconds=max(0.0, time.time() - trial.started_at))
