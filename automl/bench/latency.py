"""How long a searcher thinks: one trial after another on a record that already has so many."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl import plugins
from automl._searcher import Searcher
from automl.bench._timing import machine
from automl.bench.spaces import wide_schema
from evaluators import Evaluation, Objective, Suggestion, Trial, TrialState
from evaluators.planted import Planted
from searchspaces import SearchSpace
from searchspaces.spaces.autoctr import AutoCTR

OBJECTIVES = (Objective("ne"), Objective("flops"))
NOISE = 0.002


ASKS = 21
"""In twenty trials in a row a guide is cross-validated once, which belongs to what a searcher takes."""


def latency(specs: Sequence[Mapping[str, Any]], *, sizes: Sequence[int], asks: int = ASKS, seed: int) -> dict[str, Any]:
    """Seconds of the clock and of the processor of an ask with the tell before it, on `sizes` planted trials.

    `first` is the tell of the whole record with the first ask, as after a resume; the median, the largest one and the
    processor's median are of the `asks` after it. `median_ask` and `largest_ask` leave the tells out. The space is
    `autoctr` as it is by default, with 13 numeric and 26 categorical fields.

    Raises:
        ConfigError: a searcher's options do not fit.
    """
    schema = wide_schema()
    space = AutoCTR(schema)
    context = {"space": space, "schema": schema, "objectives": OBJECTIVES, "study_seed": seed, "controls": ()}
    record = _record(space, max(sizes), seed)
    rows = []
    for spec in specs:
        for size in sizes:
            searcher: Searcher = plugins.construct("searcher", spec, {**context, "budget_trials": None})
            found = _asked(searcher, space, record[:size], asks, seed)
            rows.append({"searcher": _named(spec), "trials": size, **found})
    return {"space": "autoctr", "asks": asks, "seed": seed, "machine": machine(), "rows": rows}


def _asked(searcher: Searcher, space: SearchSpace, record: Sequence[Trial], asks: int, seed: int) -> dict[str, Any]:
    evaluator, asking, telling = Planted(space, seed, noise=NOISE), [], []
    told, size = list(record), len(record)
    for number in range(asks + 1):
        before = _now()
        searcher.tell(told)
        between = _now()
        suggestions = searcher.ask(1, np.random.default_rng([seed, size, number]))
        telling.append(between - before)
        asking.append(_now() - between)
        told = [_trial(evaluator, one, size + number) for one in suggestions]
    whole = np.array(asking) + np.array(telling)
    clock, work = whole[1:].T
    alone = np.array(asking)[1:, 0]
    figures = {
        "first": whole[0, 0],
        "median": np.median(clock),
        "largest": clock.max(),
        "median_of_processor": np.median(work),
        "median_ask": np.median(alone),
        "largest_ask": alone.max(),
    }
    return {name: round(float(seconds), 3) for name, seconds in figures.items()}


def _now() -> NDArray[np.float64]:
    """Seconds of the clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def _record(space: SearchSpace, count: int, seed: int) -> list[Trial]:
    """Different random candidates with planted values."""
    evaluator, rng = Planted(space, seed, noise=NOISE), np.random.default_rng(seed)
    found: dict[str, Trial] = {}
    while len(found) < count:
        candidate = space.sample(rng)
        if candidate.fingerprint not in found:
            found[candidate.fingerprint] = _trial(evaluator, Suggestion(candidate, origin="random"), len(found))
    return list(found.values())


def _trial(evaluator: Planted, suggestion: Suggestion, number: int) -> Trial:
    ((_, outcome),) = evaluator.evaluate([suggestion])
    assert isinstance(outcome, Evaluation)  # planted ones do not fail unless they are told to
    return Trial(number, "search", suggestion, TrialState.COMPLETE, evaluation=outcome, finish_order=number + 1)


def _named(spec: Mapping[str, Any]) -> str:
    return ":".join([spec["name"], *(f"{name}={value}" for name, value in spec.items() if name != "name")])
