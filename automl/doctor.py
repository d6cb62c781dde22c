"""Looks at installation, settings and store, changes nothing, and says what is wrong with the way out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automl._errors import AutomlError
from automl._finding import Finding, State
from automl._installation import (
    device_findings,
    disk_findings,
    machine_findings,
    plugin_findings,
    stranger_findings,
    version_findings,
)
from automl._settings_origin import setting_findings, settings_of
from automl._store_checks import store_findings
from automl._store_rows import RowsUnreadable, StoreRows, server_rows, sqlite_rows
from automl.config import DEFAULT_STORAGE, resolve_url
from searchspaces import PluginError
from storage import masked

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Question:
    """What is looked at: a configuration where there is one, and flags as for a search."""

    config: Path | None = None
    flags: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def examine(question: Question, *, now: float) -> list[Finding]:
    """Everything that can be found out; a finding that is a problem comes with the way out."""
    settings, store, is_named = _settings(question)
    return [
        *version_findings(),
        *stranger_findings(),
        *machine_findings(),
        *device_findings(),
        *disk_findings(_folders(store)),
        *plugin_findings(),
        *settings,
        *examine_store(store, now=now, is_named=is_named),
    ]


def examine_store(url: str, *, now: float, is_named: bool = True) -> list[Finding]:
    """What is wrong with a store, which is only read; one that is `is_named` must be there."""
    shown = masked(url)
    place = Finding("store", "address", shown)
    if url.startswith("memory:"):
        return [Finding("store", "address", f"{shown}: nothing is kept")]
    file = Path(url.removeprefix(SQLITE).partition("?")[0])
    if url.startswith(SQLITE) and not file.exists():
        state = State.PROBLEM if is_named else State.OK
        way_out = "check --storage, AUTOML_STORAGE and the configuration" if is_named else ""
        return [Finding("store", "address", f"{shown} is not there yet: a search makes it", state, way_out=way_out)]
    try:
        rows = sqlite_rows(file) if url.startswith(SQLITE) else server_rows(url)
    except RowsUnreadable as error:
        way_out = "name another store, or restore a copy; `sqlite3 FILE .recover` saves what can be read"
        text = f"{shown} cannot be read: {masked(str(error))}"
        return [place, Finding("store", "reading", text, State.PROBLEM, way_out=way_out)]
    return [place, *_judged(rows, shown, now)]


def _judged(rows: StoreRows, shown: str, now: float) -> list[Finding]:
    from storage.stores.sql._migrations import VERSIONS

    return store_findings(rows, newest=VERSIONS[-1], versions=VERSIONS, now=now, store=shown)


def _settings(question: Question) -> tuple[list[Finding], str, bool]:
    """Findings of the settings, the store that they name, and whether anybody named it."""
    flag, said = question.flags.get("storage"), question.environment.get("AUTOML_STORAGE")
    named = str(flag or said or "")
    url = resolve_url(named or DEFAULT_STORAGE, Path.cwd())
    if question.config is None:
        return setting_findings([], question.environment), url, bool(named)
    try:
        settings = settings_of(question.config, question.flags, question.environment)
    except (AutomlError, PluginError) as error:
        text = " ".join(str(error).split())
        broken = Finding("setting", str(question.config), text, State.PROBLEM, way_out="correct the file")
        return [broken, *setting_findings([], question.environment)], url, bool(named)
    return setting_findings(settings, question.environment), _store_of(question) or url, bool(named)


def _store_of(question: Question) -> str:
    """The store's whole address, password and all, which no finding shows."""
    from automl.config import load_config

    said = question.environment.get("AUTOML_STORAGE")
    flags = {**({"storage": said} if said else {}), **question.flags}
    return load_config(question.config, flags).storage if question.config else ""


def _folders(store: str) -> dict[str, Path]:
    return dict(_sqlite_folder(store))


def _sqlite_folder(store: str) -> Iterator[tuple[str, Path]]:
    if store.startswith(SQLITE):
        yield "store", Path(store.removeprefix(SQLITE).partition("?")[0]).absolute().parent
