"""A folder of kept results remembers of which plan they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl._errors import AutomlError
from automl._files import write_text

PLAN_FILE = "plan.json"


def remember(folder: Path, facts: Mapping[str, Any]) -> None:
    """Writes down of what the folder's results are, as JSON types.

    Raises:
        AutomlError: they are of another plan.
    """
    path, text = folder / PLAN_FILE, json.dumps(facts, indent=2) + "\n"
    if not path.exists():
        write_text(path, text)
    known, asked = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
    differing = [name for name in {**asked, **known} if known.get(name) != asked.get(name)]
    if differing:
        raise AutomlError(
            f"a folder holds the results of one plan, but {path} has another {', '.join(differing)}; "
            "choose a new folder, or ask for what it was begun with"
        )
