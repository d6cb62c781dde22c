"""Opens data, whether it is prepared yet or not."""

from __future__ import annotations

from pathlib import Path

from evaluators._datasets.dataset import Dataset, is_prepared, read_dataset
from evaluators._datasets.described import NO_DATA, is_description, no_data, read_description


def open_dataset(source: str | Path) -> Dataset:
    """Opens a prepared folder, or a description of columns without rows; any other source is prepared first.

    The source "none" is no data at all, for studies that train nothing.

    Raises:
        DataError: the folder is of another format version or damaged, or the source cannot be prepared.
    """
    folder = Path(source)
    if str(source) == NO_DATA and not folder.exists():
        return no_data()
    if is_prepared(folder):
        return read_dataset(folder)
    if is_description(folder):
        return read_description(folder)
    from evaluators._datasets.preparation import prepare

    return prepare(source)
