"""What equations say of a candidate's metric, and whether memory can hold it: nothing here is learned from trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluators._codesign.coefficients import HALF_OF_PEAK, Coefficients, shipped_coefficients
from evaluators._codesign.foresight import Foresight, foresee, layouts_of
from predictors._predictor import PredictorError
from searchspaces import Candidate, SearchSpace, SearchSpaceError
from searchspaces.spaces.codesign import Codesign

CALIBRATED, PEAKS, NONE = "calibrated", "peaks", "none"
KINDS = (CALIBRATED, PEAKS, NONE)

MOST_REMEMBERED = 20_000
Vector = NDArray[np.float64]


@dataclass(eq=False)
class Equations:
    """The cost equations of the layout that a candidate of `codesign` is; silent on every other space."""

    _layouts: Codesign | None
    _coefficients: Coefficients | None
    _known: dict[str, Foresight | None] = field(default_factory=dict)

    @classmethod
    def of(cls, space: SearchSpace, kind: str) -> Equations:
        """`calibrated` takes the package's coefficients, `peaks` half of every peak, `none` leaves the bound alone.

        Raises:
            PredictorError: another kind.
        """
        if kind not in KINDS:
            raise PredictorError(f"equations must be one of {', '.join(KINDS)}, but is {kind!r}")
        layouts = layouts_of(space)
        if layouts is None or kind == NONE:
            return cls(layouts, None)
        return cls(layouts, shipped_coefficients() if kind == CALIBRATED else HALF_OF_PEAK)

    def values(self, candidates: Sequence[Candidate], metric: str) -> Vector | None:
        """The metric of each, `[n]`; None where the equations do not tell it of all of them."""
        if self._layouts is None or self._coefficients is None:
            return None
        found = [self._foreseen(one) for one in candidates]
        values = [None if one is None else one.metrics.get(metric) for one in found]
        return None if any(one is None for one in values) else np.array(values, dtype=np.float64)

    def are_too_large(self, candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
        """Whether the fullest device cannot hold what it must, `[n]`."""
        if self._layouts is None:
            return np.zeros(len(candidates), dtype=bool)
        found = [self._foreseen(one) for one in candidates]
        return np.array([one is not None and not one.memory.fits for one in found], dtype=bool)

    def _foreseen(self, candidate: Candidate) -> Foresight | None:
        """None for what is no layout, such as a baseline of another space."""
        name = candidate.fingerprint
        if name not in self._known:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[name] = self._computed(candidate)
        return self._known[name]

    def _computed(self, candidate: Candidate) -> Foresight | None:
        assert self._layouts is not None  # its callers asked
        try:
            plan = self._layouts.plan(candidate)
        except SearchSpaceError:
            return None
        return foresee(self._layouts.model, plan, self._coefficients or HALF_OF_PEAK)
