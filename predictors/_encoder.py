"""Turns candidates into rows of numbers, each candidate once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from searchspaces import Candidate, SearchSpace


class Encoder:
    """The flat encoding of a space, remembered: a study refits after every trial on a record that only grows."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._known: dict[str, NDArray[np.float64]] = {}

    def learned(self, candidates: Iterable[Candidate]) -> NDArray[np.float64]:
        """Codes `[n, d]` of candidates of the record, which will be asked for again; at least one."""
        return np.stack([self._remembered(candidate) for candidate in candidates])

    def passing(self, candidates: Iterable[Candidate]) -> NDArray[np.float64]:
        """Codes `[n, d]` of candidates that are only looked at; at least one."""
        return np.stack([self._code(candidate) for candidate in candidates])

    def _remembered(self, candidate: Candidate) -> NDArray[np.float64]:
        if candidate.fingerprint not in self._known:
            self._known[candidate.fingerprint] = self._space.encode(candidate)
        return self._known[candidate.fingerprint]

    def _code(self, candidate: Candidate) -> NDArray[np.float64]:
        known = self._known.get(candidate.fingerprint)
        return self._space.encode(candidate) if known is None else known
