"""Tables that a study reads its candidates or their outcomes from: what they held when it began, and what they hold.

A table is no part of the prepared data, and its path alone says nothing: other rows under the same name would change
what is searched and what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl._errors import StudyError
from automl.config import StudyConfig
from evaluators._datasets.digest import file_digest, source_digest
from evaluators._tabular.entries import FACTS_FILE, TRIALS_FILE

OPTIONS = {"space": ("file", "table"), "evaluator": ("table",)}
"""Options that name a table, by the section that they stand in."""

INSIDE = {"space": ("architecture", "system"), "evaluator": ("quality", "speed")}
"""Plug-ins inside a section, which may name tables as the section does."""


def table_digests(config: StudyConfig) -> dict[str, str]:
    """Digest of each table by the option that names it, such as `evaluator.table`.

    Of a folder those files count that are read; what is not there is left to who reads it.
    """
    digests = {option: _digest(Path(place)) for option, place in _places(config).items()}
    return {option: digest for option, digest in digests.items() if digest}


def _places(config: StudyConfig) -> dict[str, str]:
    """Paths of tables by the option that names them."""
    found: dict[str, str] = {}
    for name, section in (("space", config.space), ("evaluator", config.evaluator)):
        within = {
            f"{name}.{inner}": section[inner] for inner in INSIDE[name] if isinstance(section.get(inner), Mapping)
        }
        for key, one in {name: section, **within}.items():
            found |= {f"{key}.{option}": one[option] for option in OPTIONS[name] if isinstance(one.get(option), str)}
    return found


def check_tables(known: Mapping[str, Any], config: StudyConfig) -> None:
    """Compares the tables with those that the study began with, as far as that is known.

    Raises:
        StudyError: one of them holds something else.
    """
    for option, digest in table_digests(config).items():
        if option in known and known[option] != digest:
            raise StudyError(
                f"a study goes on with the tables it began with ({option} with digest {known[option]}), but "
                f"{_places(config)[option]} has {digest}; restore the file, or start a new study"
            )


def _digest(place: Path) -> str:
    """Hexadecimal; empty where there is nothing."""
    if place.is_file():
        return file_digest(place)
    files = [place / name for name in (TRIALS_FILE, FACTS_FILE) if (place / name).is_file()]
    return source_digest(files, {}) if files else ""
