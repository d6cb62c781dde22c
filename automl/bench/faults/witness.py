"""Remembers every finished trial that was ever seen, and counts what became of them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from automl._rows import trial_row
from automl.bench.faults.finding import Finding
from automl.opening import load_study
from evaluators import Evaluation, Failure, Suggestion, Trial

QUALITY = ("ne", "auc", "logloss", "flops", "params")
"""Metrics that follow from candidate, fidelity and replicate alone; times and memory do not."""


class Witness:
    """Looks at finished trials again and again; a file keeps what it saw, so a stopped benchmark goes on.

    `lost` and `changed` hold the numbers of trials that were gone, or not as first seen, at any look.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self._seen: dict[int, str] = {line["number"]: line["digest"] for line in map(json.loads, lines)}
        self.lost: set[int] = set()
        self.changed: set[int] = set()

    def look(self, trials: Sequence[Trial]) -> None:
        """Compares the trials with all earlier looks, and remembers those that have ended since."""
        now = {trial.number: digest(trial) for trial in trials if trial.state.is_finished}
        self.lost |= self._seen.keys() - now.keys()
        self.changed |= {number for number, known in self._seen.items() if now.get(number, known) != known}
        new = {number: text for number, text in now.items() if number not in self._seen}
        self._seen |= new
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"number": number, "digest": text}) + "\n" for number, text in new.items())

    def audited(self, finding: Finding, trials: Sequence[Trial]) -> Finding:
        """The finding with the counts of a study that has come to its end."""
        self.look(trials)
        numbers = {trial.number for trial in trials}
        missing = self.lost | {number for number in range(max(numbers, default=-1) + 1) if number not in numbers}
        missing |= {trial.number for trial in trials if not trial.state.is_finished}
        kinds = Counter(trial.failure.kind.value for trial in trials if trial.failure)
        return replace(
            finding,
            trials=len(trials),
            lost=len(missing),
            doubled=doubled(trials),
            changed=len(self.changed),
            kinds=dict(sorted(kinds.items())),
        )


def digest(trial: Trial) -> str:
    """16 hexadecimal digits over all that is remembered of a trial."""
    outcome = trial.evaluation or trial.failure
    content = {
        **asdict(replace(trial, suggestion=Suggestion(trial.candidate), evaluation=None, failure=None)),
        "suggestion": trial.suggestion.to_dict(),
        "outcome": _outcome(outcome) if outcome else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def doubled(trials: Sequence[Trial]) -> int:
    """Trials that share their number with another, or stage, fingerprint, rung and replicate."""
    numbers = Counter(trial.number for trial in trials)
    identities = Counter((trial.stage, *trial.suggestion.identity) for trial in trials)
    return sum(count - 1 for counted in (numbers, identities) for count in counted.values())


def mirrored(finding: Finding, uri: str, study: str) -> Finding:
    """The finding with the study's runs in MLflow; each trial must have one."""
    from storage.trackers.mlflow_run import trial_uids

    uids = Counter(trial_uids(uri, study=study))
    twice = sum(count - 1 for count in uids.values())
    short = finding.trials - len(uids)
    wrong = (*finding.wrong, f"{short} trials have no run in MLflow") if short else finding.wrong
    return replace(finding, mirrored=sum(uids.values()), twice=twice, wrong=wrong)


def measured_again(finding: Finding, trials: Sequence[Trial], *, study: str, storage: str) -> Finding:
    """The finding after the trials were evaluated once more, one after the other, in a search left alone."""
    measured = [trial for trial in trials if trial.evaluation]
    opened = load_study(study, storage=storage)
    try:
        other = 0
        for trial in measured:
            ((_, outcome),) = opened.wiring.evaluator.evaluate([trial.suggestion])
            other += quality(trial) != quality(_with(trial, outcome))
    finally:
        opened.close()
    return replace(finding, compared=len(measured), other=other)


def quality(trial: Trial) -> tuple[object, ...]:
    """What two trainings of one candidate must have in common, bit for bit."""
    row = trial_row(trial)
    return tuple(row[name] for name in (*QUALITY, "failure"))


def _with(trial: Trial, outcome: Evaluation | Failure) -> Trial:
    if isinstance(outcome, Failure):
        return replace(trial, evaluation=None, failure=outcome)
    return replace(trial, evaluation=outcome, failure=None)


def _outcome(outcome: Evaluation | Failure) -> dict[str, Any]:
    return outcome.to_dict() if isinstance(outcome, Evaluation) else asdict(outcome)
