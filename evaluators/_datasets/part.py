"""One part of a prepared dataset (train, valid or test) as arrays, and how it lies on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluators._datasets.stored import Appended, Stored, open_npy
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


def joined(parts: Sequence[Part]) -> Part:
    """Parts one after the other, at least one."""
    if len(parts) == 1:
        return parts[0]
    times = [part.time for part in parts if part.time is not None]
    return Part(
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.numeric for part in parts]),
        np.concatenate([part.categorical for part in parts]),
        np.concatenate(times) if times else None,
    )


def read_part(folder: Path, name: str) -> Part:
    """Opens the arrays of one part, memory-mapped and read-only.

    Raises:
        DataError: an array is missing, damaged, or not as long as the others.
    """
    time_file = folder / name / "time.npy"
    part = Part(
        label=_open(folder / name / "label.npy", np.float32, axes=1),
        numeric=_open(folder / name / "numeric.npy", np.float32, axes=2),
        categorical=_open(folder / name / "categorical.npy", np.int32, axes=2),
        time=_open(time_file, np.float64, axes=1) if time_file.exists() else None,
    )
    lengths = {len(one) for one in (part.label, part.numeric, part.categorical, part.time) if one is not None}
    if len(lengths) > 1:
        raise DataError(
            f"all arrays of a part must have the same number of rows, but in {folder / name} they have "
            f"{sorted(lengths)}; prepare the data again"
        )
    return part


def read_rows(part: Part, first: int, last: int) -> Part:
    """Rows `first` to `last` (left out) in memory, read in sequence.

    From the files where there are any, not through the map: what is mapped stays the program's as long as it is.
    """
    time = None if part.time is None else _rows(part.time, first, last)
    return Part(
        _rows(part.label, first, last), _rows(part.numeric, first, last), _rows(part.categorical, first, last), time
    )


def _rows(array: NDArray[Scalar], first: int, last: int) -> NDArray[Scalar]:
    if isinstance(array, np.memmap) and isinstance(array.base, mmap) and array.filename is not None:  # no slice
        shape = array.shape[1:]
        stored = Stored(Path(array.filename), array.dtype, len(array), shape, int(array.offset))
        return stored.read(first, last)
    return np.asarray(array[first:last])


class PartWriter:
    """Writes one part as `read_part` expects it, some rows at a time; the number of rows is known before."""

    def __init__(self, folder: Path, rows: int, *, numeric: int, categorical: int, has_time: bool) -> None:
        folder.mkdir(parents=True)
        self._files = {
            "label": Appended(folder / "label.npy", np.float32, header=rows),
            "numeric": Appended(folder / "numeric.npy", np.float32, (numeric,), header=rows),
            "categorical": Appended(folder / "categorical.npy", np.int32, (categorical,), header=rows),
        }
        if has_time:
            self._files["time"] = Appended(folder / "time.npy", np.float64, header=rows)

    def append(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Adds rows: label, numeric, categorical and, where there is one, time."""
        for name, file in self._files.items():
            file.append(arrays[name])

    def close(self) -> None:
        """Ends the writing."""
        for file in self._files.values():
            file.close()


def stored_part(folder: Path, name: str) -> dict[str, Stored]:
    """The arrays of one part for reading in blocks, by name."""
    files = {kind: folder / name / f"{kind}.npy" for kind in ("label", "numeric", "categorical", "time")}
    return {kind: open_npy(file) for kind, file in files.items() if file.exists()}


def _open(path: Path, kind: type[Scalar], *, axes: int) -> NDArray[Scalar]:
    try:
        array: NDArray[Scalar] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, and may raise anything
        raise DataError(
            f"a prepared part needs its arrays, but {path} cannot be read ({error}); prepare the data again"
        ) from error
    if array.dtype != np.dtype(kind) or array.ndim != axes:
        raise DataError(
            f"{path.name} of a prepared part holds {np.dtype(kind)} in {axes} dimensions, but {path} holds "
            f"{array.dtype} in {array.ndim}; prepare the data again"
        )
    return array
