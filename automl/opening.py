"""Opens studies: a new one from settings, a known one from its store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from automl._wiring import new_record, wire
from automl.baseline import as_section
from automl.config import DEFAULT_STORAGE, SCHEMA_VERSION, StudyConfig, parse_config, resolve_paths, resolve_url
from automl.study import Study
from storage import StoreUnreadable, StudyExists, StudyNotFound, TrialStore, open_store


def create_study(
    name: str,
    *,
    data: str | Path,
    seed: int = 0,
    storage: str | None = None,
    objectives: Sequence[str | Mapping[str, Any]] = ("ne", "flops"),
    load_if_exists: bool = False,
    **sections: Any,
) -> Study:
    """A new study; `sections` are those of the YAML: space, searcher, evaluator, budget, tracker, baseline, baselines.

    `baseline`, your own model, may also be a `Candidate` or an `Architecture`.

    >>> create_study  # study = create_study("first", data="data/movielens-100k", searcher={"name": "random_search"})
    <function create_study at ...>

    Raises:
        ConfigError: a setting is wrong; lists every mistake.
        StudyExists: the name is taken and `load_if_exists` is False.
        DataError: the data cannot be read.
    """
    content = {
        "schema_version": SCHEMA_VERSION,
        "study": {"name": name, "seed": seed},
        "data": str(data),
        "storage": storage or default_storage(),
        "objectives": [{"metric": one} if isinstance(one, str) else dict(one) for one in objectives],
        **sections,
        "baseline": as_section(sections.get("baseline")),
    }
    config = parse_config(resolve_paths(content, Path.cwd()), source="create_study")
    return open_new(config, load_if_exists=load_if_exists)


def open_new(config: StudyConfig, *, load_if_exists: bool = False, is_checked: bool = False) -> Study:
    """Begins the study of a configuration in its store, after everything that can be wrong has been built once.

    With `is_checked`, the evaluator is started as well, which takes seconds: a device that is not there then
    leaves no study behind.

    Raises:
        StudyExists: the name is taken and `load_if_exists` is False.
        EvaluatorError: the evaluator cannot work.
        DataError: the data cannot be read.
        SpaceError: the space has no valid candidate for this data.
    """
    if not load_if_exists:
        _refuse_taken(config)
    record = new_record(config, is_checked=is_checked)
    store = open_store(config.storage)
    try:
        store.create_study(record)
    except StudyExists:
        if not load_if_exists:
            store.close()
            raise
    return Study(store.study(config.study.name), store, partial(wire, config=config))


def _refuse_taken(config: StudyConfig) -> None:
    """Tells before anything costly is done; the store decides for good when the study begins."""
    with suppress(StoreUnreadable):
        store = open_store(config.storage, create=False)
        try:
            if any(record.name == config.study.name for record in store.studies()):
                raise StudyExists(f"a study named {config.study.name!r} exists; resume it, or choose another name")
        finally:
            store.close()


def load_study(name: str, *, storage: str | None = None) -> Study:
    """A study that is in the store.

    Raises:
        StudyNotFound: the store has no study of that name.
    """
    store = existing_store(storage)
    try:
        return Study(store.study(name), store, wire)
    except StudyNotFound:
        store.close()
        raise


def existing_store(storage: str | None) -> TrialStore:
    """The store that is named, else the default one; looking never makes a new file.

    Raises:
        StoreUnreadable: there is no such file.
    """
    return open_store(resolve_url(storage or default_storage(), Path.cwd()), create=False)


def default_storage() -> str:
    """The store that is used where none is named: AUTOML_STORAGE, else a file in the working directory."""
    return os.environ.get("AUTOML_STORAGE") or DEFAULT_STORAGE
