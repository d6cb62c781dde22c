"""Shape annotations of blocks are checked in every test; real data is found or skipped."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
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


def pytest_collection_finish() -> None:
    """What collecting the tests has loaded lives to the end: each `gc.collect` would look through all of it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches and ledgers of tests, and of what tests share, stay out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOML_HOME", str(tmp_path_factory.getbasetemp() / "home"))
        for name in ("AUTOML_STORAGE", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real datasets; tests that need it are skipped where it is not."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AUTOML_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the real datasets in {folder}, or in the folder that AUTOML_SHARED_DATA names")
    return folder
