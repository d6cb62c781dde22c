"""Records the losses of random pairs of sub-networks, and tells by how many batches each way puts them in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl import plugins
from automl._errors import AutomlError
from automl._versions import versions
from automl.bench._remembering import remember
from automl.bench._timing import machine
from automl.bench.order.ordering import (
    DISTINCT,
    WAYS,
    WITHOUT,
    Order,
    Records,
    Resamples,
    orders,
    validation_gap,
)
from automl.bench.order.recording import CALIBRATION_ROWS, Plan, recorded
from evaluators._datasets import Dataset, open_dataset
from evaluators._training.supernet.scoring import held_out
from searchspaces import SearchSpace

RESAMPLES = 2000
CONFIDENCE = 0.95
FEWEST_BATCHES = 2
Vector = NDArray[np.float64]


def order(plan: Plan) -> dict[str, Any]:
    """Of each way the median of batches that pairs take, how many pairs it orders, and what it saves.

    Raises:
        AutomlError: the stream is too short or longer than the data, the space has too few candidates, or the folder
            holds another plan's records.
    """
    dataset = open_dataset(plan.data)
    _check(plan, len(held_out(dataset.part("train"), CALIBRATION_ROWS)[0]))
    space: SearchSpace = plugins.construct("space", _spec(plan), {"schema": dataset.schema})
    remember(plan.folder, {**_facts(plan, dataset), "pairs": None})  # a longer list begins like a shorter
    records, cost = recorded(plan, dataset, space)
    return {
        "plan": _facts(plan, dataset),
        **compared(records, seed=plan.seed),
        "training": cost,
        "machine": {**machine(), "torch": versions()["torch"]},
    }


def compared(records: Records, *, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """What the records say; neighbours in them, the first and the second and so on, are pairs."""
    batches = records.batches.shape[1]
    drawn = Resamples.drawn(batches, resamples, np.random.default_rng([seed, 2]))
    rows = [_pair(records, first, drawn) for first in range(0, len(records.batches), 2)]
    told = [one for one in rows if one["orders"] is not None]
    return {
        "batches": batches,
        "pairs": len(rows),
        "indistinguishable": len(rows) - len(told),
        "turned": sum(one["turned"] for one in told),
        "ways": [_row(way, [one["orders"] for one in told], seed=seed) for way in WAYS] if told else [],
        "losses": _losses(records),
        "of_pairs": [_as_json(one) for one in rows],
    }


def _pair(records: Records, first: int, drawn: Resamples) -> dict[str, Any]:
    """One pair; without orders where rows of validation do not tell which is better."""
    gap, error = validation_gap(records, first, first + 1)
    record_gap = float((records.batches[first + 1] - records.batches[first]).mean())
    found: dict[str, Any] = {"gap": gap, "error": error, "gap_on_record": record_gap, "orders": None}
    if abs(gap) >= DISTINCT * error and gap != 0.0:
        found["orders"] = orders(records, first, first + 1, math.copysign(1.0, gap), drawn)
    return {**found, "turned": gap * record_gap < 0.0}


def _row(way: str, found: Sequence[Mapping[str, Order]], *, seed: int) -> dict[str, Any]:
    needed = np.array([_or_never(one[way].batches) for one in found])
    closed = np.array([_or_never(one[way].closed_form) for one in found])
    ratios = np.array([one[WITHOUT].noise / one[way].noise for one in found])
    return {
        "way": way,
        "ordered": int(np.isfinite(needed).sum()),
        "batches": _quartiles(needed),
        "closed_form": _quartiles(closed),
        "fewer": round(float(np.median(ratios)), 3),
        "fewer_interval": _interval(ratios, seed=seed),
    }


def _losses(records: Records) -> dict[str, float]:
    """Medians over sub-networks: spread of a batch's loss, and how much of it the baseline takes out."""
    apart = records.batches - records.baseline
    together = [float(np.corrcoef(one, records.baseline)[0, 1]) for one in records.batches]
    return {
        "mean": round(float(np.median(records.batches.mean(axis=1))), 5),
        "mean_of_baseline": round(float(records.baseline.mean()), 5),
        "sd_of_a_batch": round(float(np.median(records.batches.std(axis=1, ddof=1))), 5),
        "sd_of_the_difference_to_the_baseline": round(float(np.median(apart.std(axis=1, ddof=1))), 5),
        "correlation_with_the_baseline": round(float(np.median(together)), 4),
    }


def _or_never(batches: float | None) -> float:
    return math.inf if batches is None else float(batches)


def _quartiles(values: Vector) -> list[float | None]:
    """Order statistics, so that pairs that are never ordered have their place; None where one of them is there."""
    found = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
    return [round(float(one), 1) if math.isfinite(one) else None for one in found]


def _interval(ratios: Vector, *, seed: int) -> list[float]:
    """Of the median over pairs, by draws of pairs."""
    rng = np.random.default_rng([seed, 3])
    medians = np.median(ratios[rng.integers(0, len(ratios), (RESAMPLES, len(ratios)))], axis=1)
    low, high = np.quantile(medians, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return [round(float(low), 3), round(float(high), 3)]


def _as_json(pair: Mapping[str, Any]) -> dict[str, Any]:
    ways = pair["orders"]
    told = None if ways is None else {way: _figures(one) for way, one in ways.items()}
    return {**{name: _short(pair[name]) for name in ("gap", "error", "gap_on_record")}, "orders": told}


def _figures(one: Order) -> dict[str, Any]:
    closed = None if one.closed_form is None else round(one.closed_form, 1)
    return {**asdict(one), "closed_form": closed, "noise": _short(one.noise)}


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _check(plan: Plan, rows: int) -> None:
    if plan.rows > rows:
        raise AutomlError(
            f"rows that come again would not be new to the weights, so the stream has at most those of the training "
            f"part that are not held out to calibrate, {rows}, but --rows is {plan.rows}; lower it"
        )
    if not 1 <= plan.trained_steps <= plan.steps - FEWEST_BATCHES:
        raise AutomlError(
            f"a stream is trained on and then recorded on at least {FEWEST_BATCHES} batches, but {plan.rows} rows are "
            f"{plan.steps} batches, {plan.trained_steps} of them trained; raise --rows, or change --trained"
        )


def _spec(plan: Plan) -> dict[str, Any]:
    return {"name": plan.space, **plan.options}


def _facts(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    kept = {name: value for name, value in asdict(plan).items() if name not in {"folder", "space", "options", "data"}}
    return {"data": dataset.name, "digest": dataset.digest, "space": _spec(plan), **kept}
