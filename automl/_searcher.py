"""The interface of a searcher: ask and tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from evaluators import Suggestion, Trial


class Searcher(Protocol):
    """Proposes what to try next.

    Promises: `ask` changes nothing and draws from `rng` alone, so the same tells and the same rng give
    the same suggestions; it never repeats a live graph at one fidelity and replicate, pending ones
    included; failed trials count as worst. `tell` is the only place where a searcher changes; it gets
    each finished trial once.

    What is told includes baselines (stage 'baseline'), inside the space and outside it: they are never asked
    again, and one that is no point of the space changes nothing else. The user's own model (origin 'baseline')
    is a start point for a searcher that works from what it was told; `proposals.is_start` says whether it can
    be. Every other baseline is there to compare with and is only remembered as tried; a searcher that fits a model
    to what it was told may take those that are points of the space for data, and says so.

    A constructor may take `space` and `objectives` (injected) and options by keyword; an option typed
    with the Protocol of a plug room takes `{name: ..., option: ...}` in a config.
    """

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer, even none, only when the space is exhausted."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learns from finished trials."""
        ...


@runtime_checkable
class LearnsFromRungs(Protocol):
    """A searcher with a model that knows of fidelities: on a ladder it also gets the trials of cheap rungs.

    To every searcher these are candidates that were tried, as `tell` has them, and nothing else. This one gets each of
    them here as well, with its fidelity and value, in the order in which all trials ended. It must not compare them
    with full trainings, but by a predictor, which keeps rungs apart; suggestions are still those of full training.
    """

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Learns from finished trials of the search that are no full training."""
        ...


@runtime_checkable
class Declares(Protocol):
    """A searcher with a model that says who has won: the best of many noisy measurements is a lucky one as well."""

    def declared(self) -> list[Trial]:
        """Candidates of the search within all bounds, by their first full training, the best expected quality first.

        Empty as long as it cannot tell.
        """
        ...
