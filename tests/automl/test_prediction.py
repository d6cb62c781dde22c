"""The arithmetic of a prediction, by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from automl._prediction import (
    DiskNeed,
    MemoryNeed,
    Prediction,
    Range,
    Trials,
    allowed_trials,
    predicted_hours,
    warnings_of,
)
from automl.budget import Budget

GIB = 2**30


@dataclass
class Limits:
    timeout_seconds: float = 3600.0
    memory_limit_mb: int | None = None


FINE = Prediction(
    device="cpu",
    workers=1,
    trials=100,
    limited_by="trials",
    trial_seconds=Range(10.0, 36.0, 60.0),
    step_seconds=Range(0.1, 0.2, 0.3),
    start_seconds=3.0,
    hours=Range(0.5, 1.0, 2.0),
    memory=MemoryNeed(GIB, Range(GIB, GIB, GIB), GIB, 0, 4 * GIB),
    disk=DiskNeed(2000.0, 26000.0, 2.8e6, Range(1e6, 2e6, 3e6), GIB),
    rehearsed=8,
    load_per_core=0.1,
)


def _warnings(budget: Budget = Budget(trials=100), limits: Limits | None = None, **changes: object) -> list[str]:  # noqa: B008
    return warnings_of(replace(FINE, **changes), budget=budget, limits=limits or Limits())  # type: ignore[arg-type]


def test_a_range_is_the_mean_between_percentiles() -> None:
    assert Range.of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]) == Range(2.0, 6.0, 10.0)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (Budget(trials=10), Trials(10, "trials")),
        (Budget(trials=10, seconds=9.0), Trials(5, "seconds")),
        (Budget(seconds=9.0, rows=30), Trials(3, "rows")),
        (Budget(), Trials(None)),
    ],
)
def test_the_first_limit_ends_a_search(budget: Budget, expected: Trials) -> None:
    assert allowed_trials(budget, seconds=2.0, rows=10) == expected


def test_hours_are_trials_side_by_side_after_what_is_due_once() -> None:
    hours = predicted_hours(Range(36.0, 72.0, 108.0), trials=100, fixed_seconds=3600.0, workers=2)
    assert hours == Range(1.5, 2.0, 2.5)


def test_what_fits_needs_no_warning() -> None:
    assert _warnings() == []


def test_too_little_memory_is_told() -> None:
    memory = replace(FINE.memory, workers=8)
    assert _warnings(memory=memory) == [
        "8 trials at once may need 8.0 GiB of memory, but the machine has 4.0 GiB to give; "
        "take fewer workers, narrower widths or a hash_cap"
    ]


def test_a_limit_of_memory_that_is_too_tight_is_told() -> None:
    (text,) = _warnings(limits=Limits(memory_limit_mb=512))
    assert text.startswith("a trial may need 1.0 GiB of memory, but evaluator.memory_limit_mb allows 512.0 MiB; raise")


def test_too_little_disk_is_told() -> None:
    (text,) = _warnings(disk=replace(FINE.disk, free=1_000_000))
    assert text == "the search leaves about 5.5 MiB, but 976.6 KiB are free beside the store; make room"


def test_a_budget_of_seconds_that_ends_too_early_is_told() -> None:
    (text,) = _warnings(Budget(trials=100, seconds=1800.0), trials=50, limited_by="seconds")
    assert text == (
        "100 trials take about 1 hours, but budget.seconds ends the search after 0.5, at about trial 50; "
        "raise it, or lower rows or trials"
    )


def test_a_time_limit_that_trials_will_break_is_told() -> None:
    (text,) = _warnings(limits=Limits(timeout_seconds=50.0))
    assert text.startswith("a trial may take 50 seconds, but some will need about 60; raise evaluator.timeout_seconds")


def test_a_busy_machine_is_told() -> None:
    (text,) = _warnings(load_per_core=2.0)
    assert text.startswith("the machine is busy with other work (load 2.0 a core), so the hours are rough")
