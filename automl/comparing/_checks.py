"""What would end a comparison after hours, looked at before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from automl import plugins
from automl._errors import ConfigError, StudyError
from automl._wiring import check, recorded
from automl.config import StudyConfig
from evaluators._datasets import Dataset
from storage import StoreUnreadable, StudyNotFound, StudyRecord, open_store


def check_first(configs: Sequence[StudyConfig], dataset: Dataset) -> None:
    """Looks at the studies of one seed: what finals need, and what each entry says.

    Raises:
        ConfigError: what an entry says is wrong, or finals could not be held on what the studies will find.
    """
    wrong = list(_mistakes_for_finals(configs[0], dataset))
    if wrong:
        raise ConfigError("the comparison", wrong)
    for config in configs:
        check(config, dataset, is_started=False)


def check_begun(configs: Sequence[StudyConfig]) -> None:
    """Looks at the studies that have begun.

    Raises:
        StudyError: one of them began with other settings.
    """
    with suppress(StoreUnreadable):  # there is no store yet, or what is wrong with it shows when a study opens it
        store = open_store(configs[0].storage, create=False)
        try:
            for config in configs:
                with suppress(StudyNotFound):
                    check_settings(store.study(config.study.name), config)
        finally:
            store.close()


def check_settings(record: StudyRecord, config: StudyConfig) -> None:
    """Looks at one.

    Raises:
        StudyError: it began with other settings.
    """
    now = recorded(config)
    other = sorted(key for key in {*now, *record.config} if record.config.get(key) != now.get(key))
    if other:
        raise StudyError(
            f"a comparison goes on with what it began with, but study {record.name!r} has another {other[0]}; "
            "restore it, or choose another study.name"
        )


def _mistakes_for_finals(config: StudyConfig, dataset: Dataset) -> Iterator[str]:
    if not dataset.rows.get("test"):
        yield (
            f"winners are judged on the test part by finals, but {dataset.folder} has none; prepare the data with one"
        )
    if config.evaluator["name"] == "external":
        yield (
            "winners are judged by finals, which train with the evaluator 'train', but this one has a trainer of its "
            "own ('external'); take another evaluator"
        )
    name = config.space["name"]
    if not getattr(plugins.load("space", name), "has_models", True):
        yield (
            f"winners are judged by finals, which train models, but candidates of the space {name!r} have none; take "
            "a space of architectures"
        )
