"""What a method has read out, as trials of its study.

The run of a method is one trial of the stage `method`: its memo holds the read-out, the account and what the method
says of its end, so that the store alone says what is still to be trained from scratch, on whatever machine a worker
may be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from automl._checkpoint import Account
from evaluators import Evaluation, Metric, Point, Suggestion, Trial
from searchspaces import Candidate, Options

METHOD_STAGE = "method"
VERDICT = "verdict"
"""Of the facts in a method's checkpoint: JSON types, what its run ended at; `words` are the sentences for people."""

TRAINING = "training"
"""The phase whose steps are timed: every method trains its weights in it."""


def run_suggestion(
    name: str, found: Sequence[Candidate], accounts: Mapping[str, Account], verdict: Mapping[str, Any]
) -> Suggestion:
    """The trial that stands for the run of a method; its candidate is the most promising one."""
    used = {phase: asdict(one) for phase, one in accounts.items()}
    read_out = tuple(json.dumps(one.to_dict(), sort_keys=True) for one in found)
    memo = Options(
        read_out=read_out,
        accounts=json.dumps(used, sort_keys=True),
        verdict=json.dumps(dict(verdict), sort_keys=True),
    )
    return Suggestion(found[0], origin=name, memo=memo)


def run_evaluation(suggestion: Suggestion) -> Evaluation:
    """What the run has cost: `rows` is the end of the curve, and each phase has metrics of its own."""
    text = suggestion.memo["accounts"]
    assert isinstance(text, str)
    accounts = {phase: Account(**one) for phase, one in json.loads(text).items()}
    metrics: dict[str, float] = {}
    for phase, one in accounts.items():
        metrics |= {f"{phase}_rows": one.rows, f"{phase}_steps": one.steps, f"{phase}_seconds": one.seconds}
    whole = sum(accounts.values(), Account())
    if whole.peak_bytes:
        metrics["peak_memory_bytes"] = whole.peak_bytes
    timed = accounts.get(TRAINING, whole)
    if timed.steps:
        metrics["seconds_per_step"] = timed.seconds / timed.steps
    values = {name: Metric(float(value)) for name, value in metrics.items()}
    return Evaluation(values, (Point(whole.rows, {}),), seconds=whole.seconds)


def read_out_of(trial: Trial) -> list[Candidate]:
    """The candidates that a run has read out, best first."""
    texts = trial.suggestion.memo["read_out"]
    assert isinstance(texts, tuple)
    return [Candidate.from_dict(json.loads(str(one))) for one in texts]


def verdict_of(trial: Trial) -> dict[str, Any]:
    """What a run has ended at, as JSON types; empty where its method says nothing of it."""
    text = trial.suggestion.memo.get(VERDICT, "{}")
    found: dict[str, Any] = json.loads(str(text))
    return found


def words_of(trial: Trial) -> list[str]:
    """The sentences of the verdict on a run; of other trials there are none."""
    return [str(one) for one in verdict_of(trial).get("words", ())]


class ReadOut:
    """The searcher of a study with a method: asks what was read out, best first, each candidate once.

    Before the run of the method has ended there is nothing to ask.
    """

    def __init__(self) -> None:
        self._found: list[Candidate] = []
        self._origin = ""
        self._taken: set[tuple[str, int, int]] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` of them; nothing is drawn from `rng`."""
        del rng
        taken = self._taken | {one.identity for one in pending}
        offered = (Suggestion(one, origin=self._origin) for one in self._found)
        return [one for one in offered if one.identity not in taken][:n]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Takes the read-out of the method's trial, and remembers what was trained."""
        for trial in trials:
            if trial.stage == METHOD_STAGE:
                self._found, self._origin = read_out_of(trial), trial.suggestion.origin
            else:
                self._taken.add(trial.suggestion.identity)
