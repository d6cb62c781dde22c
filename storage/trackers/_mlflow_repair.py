"""Makes the runs of a study's trials in MLflow what the store says, whatever they were."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluators import Trial
from storage._tracker import Synced, Tags
from storage.trackers import _mlflow_connection as connection
from storage.trackers import _mlflow_layout as layout
from storage.trackers._mlflow_trials import TrialRuns

if TYPE_CHECKING:
    from mlflow.entities import Run

LOG = logging.getLogger("automl")
TELL_EVERY = 500  # trials: the first word about them comes after ten seconds or so


class Repair:
    """Compares every run with its trial, and does what is needed to make them agree.

    Active runs come first; a deleted one is restored where a trial has no other, so that links to it work again.
    Of two active runs one is deleted, and so is a run with another param or metric than the trial has, as MLflow
    lets nobody change those. What is deleted here says why in a tag and is never restored.
    """

    def __init__(self, runs: TrialRuns, tags: Tags) -> None:
        self._runs = runs
        self._client = runs.client
        self._tags = tags
        self._found = runs.all(with_deleted=True)
        self._compared = 0
        self._doubles = 0

    def all(self, trials: Sequence[Trial]) -> Synced:
        """Makes the runs of all these trials right; they are all that have ended."""
        outcomes = connection.on_each(self._client, self._one, trials)
        known = {trial.number for trial in trials}
        strangers = [run for number, runs in self._found.items() if number not in known for run in runs]
        self._runs.settle()
        return Synced.of(outcomes, doubles=self._doubles, strangers=sum(map(connection.is_active, strangers)), entry="")

    def _one(self, trial: Trial) -> str:
        self._compared += 1
        if self._compared % TELL_EVERY == 0:
            LOG.info("%d trials compared with MLflow", self._compared)
        wanted = self._runs.tags_of(trial, self._tags)
        run, outcome = self._chosen(trial)
        if run is not None and _contradicts(run, trial):
            self._discard(run, "contradicted the store")
            run, outcome = None, "replaced"
        if run is None:
            self._runs.fill(self._runs.create(trial, wanted), trial)
            return outcome
        mended = self._mend(run, trial, wanted)
        return mended if outcome == "unchanged" else outcome

    def _chosen(self, trial: Trial) -> tuple[Run | None, str]:
        """The one run that stays, and what became of the trial by that."""
        found = self._found.get(trial.number, [])
        active = sorted(filter(connection.is_active, found), key=lambda run: _demerits(run, trial))
        for double in active[1:]:
            self._discard(double, f"double of {active[0].info.run_id}")
            self._doubles += 1
        if active:
            return active[0], "unchanged"
        deleted = [run for run in found if layout.DISCARDED not in run.data.tags and not _contradicts(run, trial)]
        if not deleted:
            return None, "created"
        self._client.restore_run(deleted[0].info.run_id)
        return deleted[0], "restored"

    def _mend(self, run: Run, trial: Trial, wanted: Mapping[str, str]) -> str:
        shown = self._runs.adopt(trial.number, run)
        is_complete = self._is_complete(run, trial)
        is_right = _has_right_tags(run, wanted) and _has_right_end(run, trial)
        if not is_complete:
            self._runs.fill(shown, trial)
        elif not _has_right_end(run, trial):
            self._runs.end(shown, trial)
        for name in _superfluous(run, wanted):
            self._client.delete_tag(run.info.run_id, name)
        self._runs.set_tags(shown, wanted)
        return "unchanged" if is_complete and is_right else "corrected" if is_complete else "completed"

    def _is_complete(self, run: Run, trial: Trial) -> bool:
        return (
            run.info.status != "RUNNING"
            and layout.trial_params(trial).keys() <= run.data.params.keys()
            and layout.last_values(trial).keys() <= run.data.metrics.keys()
            and (
                trial.candidate.architecture is None
                or "architecture.json" in connection.artifact_names(self._client, run.info)
            )
        )

    def _discard(self, run: Run, reason: str) -> None:
        self._client.set_tag(run.info.run_id, layout.DISCARDED, reason)
        self._client.delete_run(run.info.run_id)


def _contradicts(run: Run, trial: Trial) -> bool:
    """Whether the run says another thing than the trial, where both say something."""
    params, metrics = layout.trial_params(trial), layout.last_values(trial)
    return any(run.data.params.get(name, value) != value for name, value in params.items()) or not all(
        math.isclose(run.data.metrics.get(name, value), value, rel_tol=1e-12) for name, value in metrics.items()
    )


def _demerits(run: Run, trial: Trial) -> tuple[bool, bool, str]:
    """Smallest for the run that had best stay."""
    return _contradicts(run, trial), run.info.status == "RUNNING", run.info.run_id


def _has_right_tags(run: Run, wanted: Mapping[str, str]) -> bool:
    return not _superfluous(run, wanted) and all(run.data.tags.get(name) == value for name, value in wanted.items())


def _has_right_end(run: Run, trial: Trial) -> bool:
    ended = connection.milliseconds(trial.finished_at or 0.0)
    return (run.info.status, run.info.end_time) == (layout.STATUS[trial.state], ended)


def _superfluous(run: Run, wanted: Mapping[str, str]) -> list[str]:
    return sorted(layout.CHANGING_TAGS & run.data.tags.keys() - wanted.keys())
