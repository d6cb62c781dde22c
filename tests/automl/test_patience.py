from __future__ import annotations

import threading
from pathlib import Path

import pytest

from automl._patience import PATIENCE_SECONDS, patiently
from evaluators import Evaluation, Failure, Trial, TrialState
from storage import StoreUnavailable
from tests.automl.planted_study import planted_study


class _Flaky:
    """Fails so many times before it answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self) -> str:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the disk is full")
        return "answer"


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def __call__(self) -> float:
        return self.now


def test_a_call_is_repeated_until_the_store_is_back(caplog: pytest.LogCaptureFixture) -> None:
    clock = _Clock()
    assert patiently(_Flaky(3), is_over=clock.sleep, clock=clock) == "answer"
    assert clock.now == 0.5 + 1 + 2
    assert caplog.text.count("waiting for the store, for up to 10 minutes: the disk is full") == 1


def test_patience_ends() -> None:
    clock = _Clock()
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        patiently(_Flaky(10_000), is_over=clock.sleep, clock=clock)
    assert PATIENCE_SECONDS <= clock.now <= PATIENCE_SECONDS + 15


def test_patience_ends_when_the_search_is_stopped() -> None:
    with pytest.raises(StoreUnavailable):
        patiently(_Flaky(1), is_over=lambda _seconds: True)


def test_a_store_that_is_full_for_a_while_costs_no_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluation is not repeated: its outcome waits for the store."""
    monkeypatch.setattr("automl._patience.FIRST_PAUSE_SECONDS", 0.01)
    study = planted_study(tmp_path, budget={"trials": 5}, searcher={"name": "random_search"})
    store, calls, lock = study.store, iter(range(1000)), threading.Lock()
    finish, begin = store.finish, store.begin

    def full_now_and_then() -> None:
        with lock:
            if next(calls) % 3 != 2:
                raise StoreUnavailable("the disk is full")

    def flaky_finish(
        name: str, outcomes: list[tuple[int, Evaluation | Failure]], *, worker: str | None = None
    ) -> list[Trial]:
        full_now_and_then()
        return finish(name, outcomes, worker=worker)

    def begin_without_an_answer(*arguments: object, **options: object) -> list[Trial]:
        begun = begin(*arguments, **options)  # type: ignore[arg-type]
        full_now_and_then()
        return begun

    monkeypatch.setattr(store, "finish", flaky_finish)
    monkeypatch.setattr(store, "begin", begin_without_an_answer)
    study.optimize()
    assert [trial.number for trial in study.trials] == list(range(5))
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    assert {trial.losses for trial in study.trials} == {0}
    study.close()
