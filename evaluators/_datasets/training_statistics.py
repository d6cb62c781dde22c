"""What sources need of the training part beside the schema: quantiles of numbers and counts of ids.

They follow from the training part alone, so they are no part of the prepared form: any prepared folder will do,
whenever it was made. They are found when a source first asks, in bounded memory, and kept in `home()` under the
digest of the data, so that the next process only reads them.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators._datasets.home import home
from evaluators._datasets.part import stored_part
from evaluators._datasets.stored import Stored
from evaluators._errors import DataError
from searchspaces import EDGES, FeatureSchema

STATISTICS_VERSION = 1
"""Part of the name that they are kept under: raise it when the same rows would give others."""

SAMPLED_VALUES = 1 << 24
"""Numbers of all fields together that quantiles are taken from; of more rows every k-th is looked at."""

COUNTED_BYTES = 1 << 26
"""Ids that are counted at once: each time a whole vocabulary is added up."""


class TrainingStatistics:
    """Statistics of a prepared folder's training part (see `searchspaces.Statistics`)."""

    def __init__(self, folder: Path, schema: FeatureSchema, digest: str) -> None:
        self._folder, self._digest = folder, digest
        self._numeric = [field.name for field in schema.numeric]
        self._categorical = [field.name for field in schema.categorical]
        self._sizes = [field.vocabulary_size for field in schema.categorical]
        self._known: dict[str, NDArray[Any]] = {}

    def edges(self, field: str) -> NDArray[np.float32]:
        """Quantiles of a numeric field.

        Raises:
            DataError: the training part cannot be read.
        """
        shape = (len(self._numeric), EDGES)
        found = self._found("edges", shape, np.float32, lambda: _edges(self._train("numeric")))
        quantiles: NDArray[np.float32] = found[self._numeric.index(field)]
        return quantiles

    def counts(self, field: str) -> NDArray[np.int64]:
        """Counts of a categorical field's ids.

        Raises:
            DataError: the training part cannot be read, or has an id beyond the vocabulary.
        """
        found = self._found("counts", (sum(self._sizes),), np.int64, self._counted)
        at = self._categorical.index(field)
        first = sum(self._sizes[:at])
        counts: NDArray[np.int64] = found[first : first + self._sizes[at]]
        return counts

    def _found(self, name: str, shape: tuple[int, ...], kind: Any, find: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        if name not in self._known:
            path = self._path(name)
            kept = _read(path)
            if kept is None or kept.shape != shape or kept.dtype != np.dtype(kind):
                kept = find()
                _keep(path, kept)
            self._known[name] = kept
        return self._known[name]

    def _path(self, name: str) -> Path:
        digest = re.sub(r"\W", "_", self._digest)[-64:]  # of a folder that somebody wrote by hand it may be any text
        return home() / "statistics" / f"{digest}-{name}-v{STATISTICS_VERSION}.npy"

    def _train(self, kind: str) -> Stored:
        try:
            return stored_part(self._folder, "train")[kind]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"statistics are taken from the training part, but {self._folder / 'train'} cannot be read ({error}); "
                "prepare the data again"
            ) from error

    def _counted(self) -> NDArray[np.int64]:
        counts = [np.zeros(size, np.int64) for size in self._sizes]
        train = self._train("categorical")
        for block in train.blocks(max(1, COUNTED_BYTES // max(1, train.row_bytes))):
            for at, (name, size) in enumerate(zip(self._categorical, self._sizes, strict=True)):
                if block[:, at].min() < 0 or block[:, at].max() >= size:
                    raise DataError(
                        f"ids run from 0 to the size of the vocabulary, {size}, but {name!r} has others in "
                        f"{train.path}; prepare the data again"
                    )
                counts[at] += np.bincount(block[:, at], minlength=size)
        return np.concatenate(counts) if counts else np.zeros(0, np.int64)


def _edges(train: Stored) -> NDArray[np.float32]:
    """Quantiles of each column, [columns, EDGES]; they are values that occur."""
    sample = np.concatenate(list(_sampled(train)))
    found = np.zeros((sample.shape[1], EDGES), np.float32)
    for edges, column in zip(found, sample.T, strict=True):
        known = column[~np.isnan(column)]
        if len(known):
            edges[:] = np.quantile(known, np.linspace(0.0, 1.0, EDGES), method="inverted_cdf")
    return found


def _sampled(train: Stored) -> Iterator[NDArray[np.float32]]:
    every = max(1, math.ceil(train.rows * int(np.prod(train.shape)) / SAMPLED_VALUES))
    start = 0
    for block in train.blocks():
        yield block[(-start) % every :: every].copy()
        start += len(block)


def _read(path: Path) -> NDArray[Any] | None:
    with suppress(OSError, ValueError, EOFError):
        found: NDArray[Any] = np.load(path, allow_pickle=False)
        return found
    return None


def _keep(path: Path, found: NDArray[Any]) -> None:
    with suppress(OSError):  # they are found again the next time
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{time.monotonic_ns()}.tmp")
        with fresh.open("wb") as file:
            np.save(file, found)
        fresh.replace(path)
