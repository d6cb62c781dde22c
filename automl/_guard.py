"""Refuses to run where another distribution has taken one of our five top-level names.

The package index has distributions named `storage`, `evaluators`, `predictors` and `automl`; installing one
beside ours silently replaces modules.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

OURS = "ctr-automl"
PACKAGES = ("automl", "searchspaces", "evaluators", "predictors", "storage")


def strangers(claims: Mapping[str, Sequence[str]], folders: Mapping[str, Path | None]) -> list[str]:
    """What is wrong with the five packages: claims of other distributions, and folders that differ."""
    wrong = [
        f"the distribution {other!r} also installs a package named {name!r}"
        for name in PACKAGES
        for other in sorted(set(claims.get(name, ())))
        if other.lower().replace("_", "-") != OURS
    ]
    home = folders["automl"]
    wrong += [
        f"{name!r} is loaded from {folder}, not from {home}" for name, folder in folders.items() if folder != home
    ]
    return wrong


def check_installation(*, thoroughly: bool = True) -> None:
    """Ends the program with exit code 1 and the stranger's name, where there is one.

    Asking every installed distribution takes a third of a second; `thoroughly=False` compares folders only.
    """
    claims = packages_distributions() if thoroughly else {}
    wrong = strangers(claims, {name: _folder(name) for name in PACKAGES})
    if wrong:
        sys.stderr.write(
            f"automl: {OURS} cannot run safely: {'; '.join(wrong)}. "
            f"Uninstall the other distribution and reinstall {OURS}, best in an environment of its own.\n"
        )
        raise SystemExit(1)


def _folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
