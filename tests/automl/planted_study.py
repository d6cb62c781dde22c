"""Studies over planted evaluations: the whole loop in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl import Study, create_study
from automl.validation import prepare


def planted_data(folder: Path) -> Path:
    """A small prepared dataset."""
    if not (folder / "schema.json").exists():
        prepare("synthetic", out=folder, options={"rows": 1000})
    return folder


def planted_study(folder: Path, name: str = "s", **sections: Any) -> Study:
    """A study in `folder` with a closed-form evaluator and no baselines, unless said otherwise."""
    settings: dict[str, Any] = {"evaluator": {"name": "planted"}, "baselines": [], **sections}
    storage = settings.pop("storage", f"sqlite:///{folder / 'automl.db'}")
    return create_study(name, data=planted_data(folder / "data"), storage=storage, **settings)
