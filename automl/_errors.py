"""Errors of deciding: configuration, studies, export.

AutomlError
├── ConfigError   a configuration file or option; lists every mistake at once
├── StudyError    a study cannot do what was asked in its state
│   └── NothingLeft   there is no trial to give: the budget is spent or the space exhausted
└── ExportError   a winner or weights file cannot be written, read or trusted
"""

from __future__ import annotations

from collections.abc import Sequence


class AutomlError(ValueError):
    """Base of every error that `automl` raises."""


class ConfigError(AutomlError):
    """A configuration breaks rules; `mistakes` holds one line for each."""

    def __init__(self, source: str, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = "one mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(f"{source} has {count}:\n" + "\n".join(f"  {mistake}" for mistake in self.mistakes))


class StudyError(AutomlError):
    """The study cannot do that now."""


class NothingLeft(StudyError):
    """Every trial that budget and space allow has been given out."""


class ExportError(AutomlError):
    """A winner or weights file is missing, malformed or contradicts itself."""
