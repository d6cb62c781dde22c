"""Runs the method of a study to its read-out, and enters it into the store as one trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from automl._checkpoint import Advance, Checkpoint
from automl._errors import StudyError
from automl._read_out import METHOD_STAGE, VERDICT, run_evaluation, run_suggestion
from automl._wiring import Wiring
from evaluators import Trial
from evaluators._datasets.home import home
from searchspaces import Candidate, SearchSpace
from storage import StudyRecord, TrialStore


def checkpoint_folder(uid: str) -> Path:
    """Where the method of a study keeps its state: found from any working folder, and never asked for twice."""
    return home() / "methods" / uid


def method_trial(trials: Sequence[Trial]) -> Trial | None:
    """The trial that stands for the run of the study's method; None where that has not ended."""
    return next((one for one in trials if one.stage == METHOD_STAGE), None)


def run_method(
    record: StudyRecord,
    store: TrialStore,
    wiring: Wiring,
    *,
    worker: str,
    tell: Callable[[Advance], None],
    is_stopped: Callable[[], bool],
    keeps_files: bool,
) -> None:
    """Runs it, or goes on with it, unless the store has its read-out; returns early where it was stopped.

    Once the store has that, the method's files (weights of gigabytes) are removed, unless `keeps_files`.

    Raises:
        StudyError: the method reads out nothing, or what the space does not hold; its checkpoint cannot be read.
        EvaluatorError: its training diverged.
    """
    known = method_trial(store.trials(record.name))
    if known is None:
        assert wiring.method is not None  # its section of the configuration is there
        checkpoint = Checkpoint(checkpoint_folder(record.uid), tell=tell, is_stopped=is_stopped)
        found = list(wiring.method.run(checkpoint))
        if checkpoint.is_stopped and not found:
            return
        name: str = record.config["method"]["name"]
        _check(found, wiring.space, name)
        suggestion = run_suggestion(name, found, checkpoint.accounts, _verdict(checkpoint))
        (known,) = store.begin(record.name, [suggestion], ask_number=0, stage=METHOD_STAGE, worker=worker)
    if not known.state.is_finished:
        store.finish(record.name, [(known.number, run_evaluation(known.suggestion))])
    if not keeps_files:
        with suppress(StudyError):  # one that cannot be read is left to a person
            Checkpoint(checkpoint_folder(record.uid)).release()


def _verdict(checkpoint: Checkpoint) -> dict[str, Any]:
    kept = checkpoint.kept()
    return {} if kept is None else dict(kept.facts.get(VERDICT, {}))


def _check(found: Sequence[Candidate], space: SearchSpace, name: str) -> None:
    if not found:
        raise StudyError(f"a method reads out at least one candidate, but {name!r} has read out none")
    if len({one.fingerprint for one in found}) < len(found):
        raise StudyError(f"a method reads out each candidate once, but {name!r} has read one out twice")
    for one in found:
        space.validate(one)
