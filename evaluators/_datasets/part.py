"""One part of a prepared dataset (train, valid or test) as arrays, and how it lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import DataError

Scalar = TypeVar("Scalar", bound=np.generic)
PART_NAMES = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Part:
    """Rows to train or measure on, in time order where the dataset has a time column.

    label        float32 [rows], 0 or 1; NaN where data to score has none
    numeric      float32 [rows, numeric fields], raw values, NaN where missing
    categorical  int32 [rows, categorical fields], ids, 0 out of vocabulary
    time         float64 [rows], or None; dates are milliseconds since 1970
    """

    label: NDArray[np.float32]
    numeric: NDArray[np.float32]
    categorical: NDArray[np.int32]
    time: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """How many rows."""
        return len(self.label)


def read_part(folder: Path, name: str) -> Part:
    """Opens the arrays of one part, memory-mapped and read-only.

    Raises:
        DataError: an array is missing, damaged, or not as long as the others.
    """
    time_file = folder / name / "time.npy"
    part = Part(
        label=_open(folder / name / "label.npy", np.float32),
        numeric=_open(folder / name / "numeric.npy", np.float32),
        categorical=_open(folder / name / "categorical.npy", np.int32),
        time=_open(time_file, np.float64) if time_file.exists() else None,
    )
    lengths = {len(part.label), len(part.numeric), len(part.categorical)}
    if len(lengths) > 1:
        raise DataError(
            f"all arrays of a part must have the same number of rows, but in {folder / name} they have "
            f"{sorted(lengths)}; prepare the data again"
        )
    return part


def write_part(folder: Path, part: Part) -> None:
    """Writes one part as `read_part` expects it."""
    folder.mkdir(parents=True)
    _save(folder / "label.npy", part.label, kind=np.float32)
    _save(folder / "numeric.npy", part.numeric, kind=np.float32)
    _save(folder / "categorical.npy", part.categorical, kind=np.int32)
    if part.time is not None:
        _save(folder / "time.npy", part.time, kind=np.float64)


def _save(path: Path, array: NDArray[np.generic], *, kind: type[np.generic]) -> None:
    np.save(path, np.ascontiguousarray(array, dtype=kind), allow_pickle=False)


def _open(path: Path, kind: type[Scalar]) -> NDArray[Scalar]:
    try:
        array: NDArray[Scalar] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"a prepared part needs its arrays, but {path} cannot be read ({error}); prepare the data again"
        ) from error
    if array.dtype != np.dtype(kind):
        raise DataError(
            f"{path.name} of a prepared part holds {np.dtype(kind)}, but {path} holds {array.dtype}; "
            "prepare the data again"
        )
    return array
