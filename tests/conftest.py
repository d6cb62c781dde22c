"""Shape annotations of blocks are checked in every test; real data is found or skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

SHAPED = [
    "searchspaces.block",
    "searchspaces.blocks",
    "searchspaces.embeddings",
    "searchspaces.build",
    "searchspaces._token_layers",
]
install_import_hook(SHAPED, "beartype.beartype")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches and ledgers of tests stay out of the user's home."""
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    for name in ("AUTOML_STORAGE", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real datasets; tests that need it are skipped where it is not."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AUTOML_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the real datasets in {folder}, or in the folder that AUTOML_SHARED_DATA names")
    return folder
