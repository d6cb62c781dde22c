"""Studies over planted evaluations: the whole loop in milliseconds."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from automl import Study, create_study
from automl.validation import prepare


def planted_data(folder: Path) -> Path:
    """A small prepared dataset."""
    if not (folder / "schema.json").exists():
        shutil.copytree(Path(_prepared().name) / "data", folder, dirs_exist_ok=True)
    return folder


@cache
def _prepared() -> tempfile.TemporaryDirectory[str]:
    """Prepared once: a copy costs a hundredth of that."""
    place = tempfile.TemporaryDirectory(prefix="planted-data-")
    prepare("synthetic", out=Path(place.name) / "data", options={"rows": 1000})
    return place


def planted_study(folder: Path, name: str = "s", **sections: Any) -> Study:
    """A study in `folder` with a closed-form evaluator and no baselines, unless said otherwise."""
    settings: dict[str, Any] = {"evaluator": {"name": "planted"}, "baselines": [], **sections}
    storage = settings.pop("storage", f"sqlite:///{folder / 'automl.db'}")
    return create_study(name, data=planted_data(folder / "data"), storage=storage, **settings)
