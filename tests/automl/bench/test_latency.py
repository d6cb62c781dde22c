"""What an ask takes, and how often it is asked by default."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np
import pytest

from automl.bench.latency import ASKS, _asked, _record
from automl.cli.search_benches import latency
from automl.proposals import random_suggestion
from automl.proposals._trust import EVERY
from evaluators import Suggestion, Trial
from searchspaces.spaces.autoctr import AutoCTR
from tests.searchspaces.graphs import schema

SPACE = AutoCTR(schema(), blocks=3)


class OftenQuick:
    """Thinks for a second, and for five once in twenty trials: when told, or when asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, when_told: bool) -> None:
        self.when_told = when_told
        self.told = 0
        self.seconds = 0.0
        monkeypatch.setattr("automl.bench.latency._now", lambda: np.array([self.seconds, self.seconds]))

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        self.seconds += 5.0 if not self.when_told and self.told % EVERY == 0 else 1.0
        found = random_suggestion(SPACE, set(), rng)
        return [found] if found else []

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += len(trials)
        self.seconds += 5.0 if self.when_told and self.told % EVERY == 0 else 0.0


@pytest.mark.parametrize(("when_told", "largest", "largest_ask"), [(False, 5.0, 5.0), (True, 6.0, 1.0)])
def test_the_trial_that_takes_longest_in_twenty_is_among_those_asked_by_default(
    monkeypatch: pytest.MonkeyPatch, when_told: bool, largest: float, largest_ask: float
) -> None:
    found = _asked(OftenQuick(monkeypatch, when_told=when_told), SPACE, _record(SPACE, 25, 1), ASKS, 1)
    assert (found["largest"], found["largest_ask"]) == (largest, largest_ask)
    assert (found["median"], found["median_ask"]) == (1.0, 1.0)


def test_the_command_asks_as_often() -> None:
    assert inspect.signature(latency).parameters["asks"].default == ASKS


def test_the_first_ask_counts_with_the_tell_of_the_whole_record(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _asked(OftenQuick(monkeypatch, when_told=True), SPACE, _record(SPACE, 20, 1), 2, 1)
    assert (found["first"], found["largest"]) == (6.0, 1.0)
