"""Versions of what decides a number, found without importing it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

DECISIVE = ("ctr-automl", "torch", "numpy", "lightgbm")


def versions(names: tuple[str, ...] = DECISIVE) -> dict[str, str]:
    """Python's and each distribution's version; what is not installed stays out."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
