"""The winners of studies in MLflow's registry: a model per problem, a version per winner, aliases for the latest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluators import Objective
from storage._store import StudyRecord
from storage._tracker import Winner
from storage.trackers import _mlflow_connection as connection
from storage.trackers import _mlflow_layout as layout

if TYPE_CHECKING:
    from mlflow.entities import RunInfo
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

FOLDER = "winner"
"""Where the winner's files lie among the artifacts of its run."""

ALIAS = "winner"
DESCRIPTION = (
    "Winners of the studies of one problem, as files that `automl train` and `automl predict` read. `@winner` is the "
    "best of them by the first objective, `@winner-STUDY` that of a study. No version holds weights."
)


def register(client: MlflowClient, record: StudyRecord, winner: Winner, run: RunInfo) -> None:
    """Gives the winner a version that points at its run, unless it has one, and moves the aliases to it.

    `winner-STUDY` goes to it in any case, `winner` only where it is better than every other study's.
    """
    model = layout.model_name(record.problem)
    _create_model(client, model)
    uid = layout.trial_uid(record, winner.trial)
    tags = {"study.name": record.name, "study.uid": record.uid, "trial.uid": uid, **(winner.facts or {})}
    tags["trial.number"] = str(winner.trial.number)
    versions = _versions(client, model)
    same = [one for one in versions if one.run_id == run.run_id and one.tags.get("trial.uid") == uid]
    if not {file.name for file in winner.files} <= connection.artifact_names(client, run, FOLDER):
        for file in winner.files:
            connection.upload(client, run, file, FOLDER)
    version = same[0] if same else _create_version(client, model, run, tags)
    for name, value in tags.items():
        if version.tags.get(name) != value:
            client.set_model_version_tag(model, version.version, name, value)
    aliases = {alias: str(number) for alias, number in client.get_registered_model(model).aliases.items()}
    aliases = _move(client, model, layout.winner_alias(record.name), version, aliases)
    standing = [one for one in [*versions, version] if str(one.version) in _of_studies(aliases)]
    _move(client, model, ALIAS, _best(standing, winner.objective, version), aliases)


def _create_model(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    if client.search_registered_models(f"name = '{name}'"):
        return
    try:
        client.create_registered_model(name, description=DESCRIPTION)
    except MlflowException:  # another study of this problem may have been faster
        client.get_registered_model(name)


def _versions(client: MlflowClient, model: str) -> list[ModelVersion]:
    """All versions, newest first."""
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return sorted(found, key=lambda one: -int(one.version))


def _create_version(client: MlflowClient, model: str, run: RunInfo, tags: dict[str, str]) -> ModelVersion:
    description = f"Trial {tags['trial.number']} of study {tags['study.name']!r}."
    return client.create_model_version(model, f"{run.artifact_uri}/{FOLDER}", run.run_id, tags, description=description)


def _move(
    client: MlflowClient, model: str, alias: str, version: ModelVersion, aliases: dict[str, str]
) -> dict[str, str]:
    if aliases.get(alias) != str(version.version):
        client.set_registered_model_alias(model, alias, str(version.version))
    return {**aliases, alias: str(version.version)}


def _of_studies(aliases: dict[str, str]) -> set[str]:
    return {version for alias, version in aliases.items() if alias.startswith(f"{ALIAS}-")}


def _best(standing: Sequence[ModelVersion], objective: Objective, otherwise: ModelVersion) -> ModelVersion:
    """The best by the objective; of equal ones the oldest, which has the alias already."""
    measured = [one for one in standing if objective.metric in one.tags]
    ordered = sorted(measured, key=lambda one: (objective.loss(float(one.tags[objective.metric])), int(one.version)))
    return ordered[0] if ordered else otherwise
