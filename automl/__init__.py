"""Decides: the study loop, searchers, configuration, command line, export and report.

Names are loaded on first use, so that `automl --help` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl._errors import AutomlError, ConfigError, ExportError, StudyError
    from automl._searcher import Declares, LearnsFromRungs, Searcher
    from automl.budget import Budget
    from automl.opening import create_study, load_study
    from automl.study import Study

__all__ = [
    "AutomlError",
    "Budget",
    "ConfigError",
    "Declares",
    "ExportError",
    "LearnsFromRungs",
    "Searcher",
    "Study",
    "StudyError",
    "create_study",
    "load_study",
]

_HOMES = {
    "AutomlError": "automl._errors",
    "Budget": "automl.budget",
    "ConfigError": "automl._errors",
    "Declares": "automl._searcher",
    "ExportError": "automl._errors",
    "LearnsFromRungs": "automl._searcher",
    "Searcher": "automl._searcher",
    "Study": "automl.study",
    "StudyError": "automl._errors",
    "create_study": "automl.opening",
    "load_study": "automl.opening",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'automl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
