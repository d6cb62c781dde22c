"""The runs of a study's trials in MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from evaluators import Trial
from storage._store import StudyRecord
from storage._tracker import Tags
from storage.trackers import _mlflow_connection as connection
from storage.trackers import _mlflow_layout as layout

if TYPE_CHECKING:
    from mlflow.entities import Run, RunInfo
    from mlflow.tracking import MlflowClient


@dataclass
class Shown:
    """What is known of a trial's run; `is_written` once nothing but its tags can be missing."""

    info: RunInfo
    tags: dict[str, str]
    is_written: bool


class TrialRuns:
    """Gives each trial a run below its study's, and keeps its tags right."""

    def __init__(self, client: MlflowClient, experiment: str, record: StudyRecord, parent: str) -> None:
        self.client = client
        self._experiment = experiment
        self._record = record
        self._parent = parent
        self._shown: dict[int, Shown] = {}
        self._is_sure = False  # whether all that MLflow has is known: an error may hide that a write was done

    def show(self, trials: Sequence[Trial], tags: Tags) -> None:
        """Gives each trial a run with these tags; finishes a half-written one."""
        self._learn()
        self._is_sure = False
        connection.on_each(self.client, partial(self._show, tags=tags), trials)
        self._is_sure = True

    def retag(self, tags: Tags) -> None:
        """Sets the tags of trials that have runs, where they are others."""
        self._learn()
        known = [(self._shown[number], wanted) for number, wanted in tags.items() if number in self._shown]
        connection.on_each(self.client, lambda pair: self.set_tags(*pair), known)

    def info_of(self, number: int) -> RunInfo | None:
        """The run of a trial, where it has one."""
        self._learn()
        return self._shown[number].info if number in self._shown else None

    def all(self, *, with_deleted: bool = False) -> dict[int, list[Run]]:
        """Every run of the study's trials by their numbers."""
        found: dict[int, list[Run]] = {}
        begin = f"{self._record.uid}/"
        filter_string = connection.tag_begins("trial.uid", begin)
        for run in connection.search(self.client, [self._experiment], filter_string, with_deleted=with_deleted):
            uid = run.data.tags["trial.uid"]
            if uid.startswith(begin) and uid.removeprefix(begin).isdigit():
                found.setdefault(int(uid.removeprefix(begin)), []).append(run)
        return found

    def tags_of(self, trial: Trial, tags: Tags) -> dict[str, str]:
        """All tags that the trial's run should have."""
        return layout.trial_tags(self._record, trial, parent=self._parent) | dict(tags.get(trial.number, {}))

    def settle(self) -> None:
        """Says that every run has been adopted or created, so that MLflow need not be asked."""
        self._is_sure = True

    def adopt(self, number: int, run: Run) -> Shown:
        """Takes a run of MLflow for the trial's."""
        shown = Shown(run.info, dict(run.data.tags), run.info.status != "RUNNING")
        self._shown[number] = shown
        return shown

    def create(self, trial: Trial, tags: Mapping[str, str]) -> Shown:
        """A run for the trial, with its tags and nothing else yet."""
        ended = trial.finished_at or 0.0
        seconds = trial.evaluation.seconds if trial.evaluation else 0.0
        started = connection.milliseconds(trial.started_at or ended - seconds)
        run = self.client.create_run(self._experiment, started, dict(tags), f"trial {trial.number}")
        self._shown[trial.number] = Shown(run.info, dict(tags), is_written=False)
        return self._shown[trial.number]

    def fill(self, shown: Shown, trial: Trial) -> None:
        """Writes what a run lacks, and ends it; all of it may be written twice."""
        from mlflow.entities import Metric, Param

        ended = connection.milliseconds(trial.finished_at or 0.0)
        self.client.log_batch(
            shown.info.run_id,
            metrics=[Metric(one.name, one.value, ended, one.step) for one in layout.trial_readings(trial)],
            params=[Param(name, value) for name, value in layout.trial_params(trial).items()],
        )
        if trial.candidate.architecture:
            text = trial.candidate.architecture.to_json()
            connection.write_artifact(self.client, shown.info, "architecture.json", text)
        self.end(shown, trial)

    def end(self, shown: Shown, trial: Trial) -> None:
        """Gives the run the trial's state and time."""
        ended = connection.milliseconds(trial.finished_at or 0.0)
        self.client.set_terminated(shown.info.run_id, layout.STATUS[trial.state], ended)
        shown.is_written = True

    def set_tags(self, shown: Shown, wanted: Mapping[str, str]) -> None:
        """Writes the tags that are others in MLflow."""
        changed = {name: value for name, value in wanted.items() if shown.tags.get(name) != value}
        if len(changed) == 1:
            ((name, value),) = changed.items()
            self.client.set_tag(shown.info.run_id, name, value)
        elif changed:
            from mlflow.entities import RunTag

            self.client.log_batch(shown.info.run_id, tags=[RunTag(name, value) for name, value in changed.items()])
        shown.tags |= changed

    def _learn(self) -> None:
        """Asks MLflow for all runs, once, and again after an error."""
        if not self._is_sure:
            self._shown = {}
            for number, runs in self.all().items():
                self.adopt(number, min(runs, key=lambda run: run.info.status == "RUNNING"))
            self._is_sure = True

    def _show(self, trial: Trial, *, tags: Tags) -> None:
        wanted = self.tags_of(trial, tags)
        shown = self._shown.get(trial.number) or self.create(trial, wanted)
        if not shown.is_written:
            self.fill(shown, trial)
        self.set_tags(shown, wanted)
