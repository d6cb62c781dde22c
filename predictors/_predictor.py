"""The interface of a predictor, and the yardstick it is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evaluators import Suggestion, Trial


class PredictorError(ValueError):
    """A predictor was asked before it was fitted, or given an option it cannot use."""


@dataclass(frozen=True)
class Prediction:
    """Predicted losses, smaller is better, both `[n]`; only the order of `mean` need be meaningful.

    Raises:
        PredictorError: the two differ in shape.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.mean.shape != self.std.shape:
            raise PredictorError(f"mean and std must have one shape, but have {self.mean.shape} and {self.std.shape}")


class Predictor(Protocol):
    """Learns from finished trials, guesses for new suggestions.

    Promises: `fit` sees failed trials too, and what is likely to fail is expected to be worse; trials of one candidate
    may disagree, and losses of different rungs are never compared; equal trials and rng give equal predictions,
    whatever was fitted before;
    a prediction does not depend on what else is asked; `predict` changes nothing.
    """

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Learns the order of the trials by `metric`; returns itself."""
        ...

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Predicted losses of the suggestions, in their order.

        Raises:
            PredictorError: `fit` was never called.
        """
        ...


@runtime_checkable
class TellsFailures(Protocol):
    """A predictor that tells apart how good a candidate is and how likely it fails."""

    def apart(self, suggestions: Sequence[Suggestion]) -> tuple[Prediction, NDArray[np.float64]]:
        """Losses where they do not fail, and the chance `[n]` that they do.

        Raises:
            PredictorError: `fit` was never called.
        """
        ...


@dataclass(frozen=True)
class HeldOut:
    """What was said of candidates of one fold by what was fitted to the other folds, and how they were measured.

    Both `[n]`, smaller is better; only the order of each means something, and only within the fold.
    """

    predicted: NDArray[np.float64]
    measured: NDArray[np.float64]


@runtime_checkable
class CrossValidated(Protocol):
    """A predictor that cross-validates itself: whoever wants to know how well it orders need not do that again."""

    def held_out(self, trials: Sequence[Trial], metric: str) -> Sequence[HeldOut]:
        """By folds, from its last look at these trials or their beginning; none where it has not looked yet.

        A function of the trials. A `fit` to the same trials that follows looks no more.
        """
        ...
