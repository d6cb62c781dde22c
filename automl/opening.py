"""Opens studies: a new one from settings, a known one from its store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from automl._errors import ConfigError, StudyError
from automl._wiring import new_record, recorded, wire
from automl.baseline import as_section
from automl.config import DEFAULT_STORAGE, SCHEMA_VERSION, StudyConfig, parse_config, resolve_paths, resolve_url
from automl.fidelity import AUDIT_STAGE
from automl.study import Study
from automl.tuning import TUNED_STAGE, TUNING_STAGE
from storage import StoreUnreadable, StudyExists, StudyNotFound, TrialStore, open_store

BESIDE = (AUDIT_STAGE, TUNING_STAGE, TUNED_STAGE)
"""Stages that may come before a search of the same study."""

MEASURES = ("study", "data", "space", "evaluator", "objectives", "baseline")
"""Sections that decide what is measured: what an audit found holds under others no more."""


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
    """A new study; `sections` are those of the YAML: space, searcher, evaluator, budget, tracker, baseline, ...

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
        known = _known(config)
        if known is not None:
            return _begun_beside(known, config)
    record = new_record(config, is_checked=is_checked)
    store = open_store(config.storage)
    try:
        store.create_study(record)
    except StudyExists:
        if not load_if_exists:
            store.close()
            raise
    return Study(store.study(config.study.name), store, partial(wire, config=config))


def open_audit(config: StudyConfig) -> Study:
    """The study whose rungs are to be audited: that of the name where there is one, whatever it has done so far.

    Raises:
        ConfigError: the configuration has no ladder.
        StudyError: the study measures something else than the configuration says.
    """
    if config.fidelity is None:
        way_out = "add a ladder, such as 'fidelity: {rungs: [{rows: 20000}, {}]}'"
        raise ConfigError("the configuration", [f"fidelity: an audit compares rungs with full training; {way_out}"])
    return open_beside(config)


def open_beside(config: StudyConfig) -> Study:
    """The study of the name for work beside its search, which may have begun or not: an audit, the tuning of baselines.

    Raises:
        StudyError: the study measures something else than the configuration says.
    """
    known = _known(config)
    if known is None:
        return open_new(config, is_checked=True)
    _check_measures_alike(known, config)
    if _is_not_searched(known):
        _take_settings(known, config)
    return known


def _known(config: StudyConfig) -> Study | None:
    """The study of that name, before anything costly is done; the store decides for good when a study begins."""
    with suppress(StoreUnreadable):
        store = open_store(config.storage, create=False)
        try:
            return Study(store.study(config.study.name), store, partial(wire, config=config))
        except StudyNotFound:
            store.close()
        except BaseException:
            store.close()
            raise
    return None


def _begun_beside(study: Study, config: StudyConfig) -> Study:
    """The study as the search's, where an audit or tuned baselines alone were there before; it takes its settings.

    Raises:
        StudyExists: somebody has searched.
        StudyError: what was there before measured something else.
    """
    if not _is_not_searched(study):
        study.close()
        raise StudyExists(f"a study named {study.name!r} exists; resume it, or choose another name")
    _check_measures_alike(study, config)
    _take_settings(study, config)
    return study


def _is_not_searched(study: Study) -> bool:
    trials = study.trials
    return bool(trials) and all(trial.stage in BESIDE for trial in trials)


def _take_settings(study: Study, config: StudyConfig) -> None:
    study.store.update_config(study.name, recorded(config))
    study.record = study.store.study(study.name)


def _check_measures_alike(study: Study, config: StudyConfig) -> None:
    now = recorded(config)
    other = [key for key in MEASURES if study.record.config.get(key) != now[key]]
    if _rungs(study.record.config) != _rungs(now):
        other.append("fidelity.rungs")
    if other:
        study.close()
        raise StudyError(
            f"all stages of a study measure alike, but study {study.name!r} has another {other[0]}; "
            "restore it, or choose another study.name"
        )


def _rungs(content: Mapping[str, Any]) -> Any:
    section = content.get("fidelity")
    return section["rungs"] if section else None


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
