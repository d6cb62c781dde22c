"""Says where the program keeps what it may make again: prepared data and the record of test openings."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder named by AUTOML_HOME, by default ~/.cache/ctr-automl; it need not exist yet."""
    named = os.environ.get("AUTOML_HOME")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "ctr-automl"
