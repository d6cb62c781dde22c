"""The benchmark itself: who trains what when, and which figures come of it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import numpy as np

from automl.bench._timing import machine
from automl.bench.evaluator.crew import Crew
from automl.bench.evaluator.drawing import CLASSES, SMALL, SizeClass, drawn, training_flops
from automl.bench.evaluator.figures import Difference, per_hour, per_processor_hour
from evaluators._datasets import Dataset, open_dataset
from searchspaces import Candidate, zoo

PARTS = ("limit", "cohorts", "throughput", "compiled", "grouped")
PROCESSES = 2
COHORT_SIZES = (1, 2, 4, 8)
CONTROLS = ("dcnv2", "deepfm")
"""Models that must agree in both precisions before the lower one is chosen."""

CLOCKS = ("processor", "wall")
"""Processor seconds are what idle cores would take; on a busy machine the wall clock tells of other programs too."""

FEWER_ROWS = 1.0 / 3.0
"""Share of the rows of a shorter training that is compared with a plain loop over all of them."""

LOG = logging.getLogger(__name__)

Speed = dict[str, float]
"""Trials an hour by each clock."""


@dataclass(frozen=True)
class Plan:
    """What is measured on which data.

    candidates  of each process and class
    cohort      candidates of one pass
    rows        training rows, the most recent ones; None takes all
    rounds      of each comparison; a round has a training seed of its own, and its ways come one after the other
    """

    data: str
    candidates: int = 8
    cohort: int = 8
    rows: int | None = None
    rounds: int = 2
    seed: int = 1
    parts: tuple[str, ...] = PARTS


@dataclass(frozen=True)
class Way:
    """How candidates are trained: by which loop, on which share of the rows, and whether losers are stopped."""

    name: str
    how: str
    share: float = 1.0
    is_raced: bool = False


def ways(chosen: str) -> tuple[Way, ...]:
    """The plain loop and what it is compared with, in the precision that the rule chooses."""
    return (
        Way("plain", "plain"),
        Way(chosen, chosen),
        Way(f"{chosen}, a third of the rows", chosen, FEWER_ROWS),
        Way(f"{chosen}, raced", chosen, is_raced=True),
    )


def evaluator(plan: Plan, *, kept: Path | None = None) -> Iterator[dict[str, Any]]:
    """Trials an hour beside a plain loop, what sharing a pass brings, and the distance to the machine's limit.

    Gives all figures so far after each part, so that a run that is stopped has what it measured. Each part has the plan
    that it was measured by; parts that this one leaves out are taken from the file `kept`.
    """
    dataset = open_dataset(plan.data)
    drawing = {one.name: _drawn(one, dataset, plan) for one in CLASSES}
    asked = asdict(plan) | {"data": dataset.facts.name}
    with Crew(PROCESSES, plan.data) as crew:
        rule = crew.ask([_precision(dataset)])[0]
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "limit": lambda: {name: _limit(crew, some, plan, rule["chosen"]) for name, some in drawing.items()},
            "cohorts": lambda: _cohorts(crew, drawing[SMALL.name], plan, rule["chosen"]),
            "compiled": lambda: {
                name: _compiled(crew, some[0], plan, rule["chosen"]) for name, some in drawing.items()
            },
            "grouped": lambda: {name: _grouped(crew, some, plan, rule["chosen"]) for name, some in drawing.items()},
            "throughput": lambda: _throughput(crew, drawing, plan, rule["chosen"], dataset),
        }
        found = json.loads(kept.read_text(encoding="utf-8")) if kept is not None and kept.exists() else {}
        found |= {
            "machine": {**machine(), "torch": crew.greetings[0]["torch"], "device": rule["device"]},
            "precision": rule,
        }
        mflop = {name: [round(1e-6 * one, 2) for one in _flops(some, dataset)] for name, some in drawing.items()}
        for name in PARTS:
            if name in plan.parts:
                LOG.info(f"measuring {name}")
                found[name] = {"plan": asked, "mflop": mflop, **parts[name](), "load": load()}
                yield found


def load() -> float | None:
    """Programs that wanted to run in the last minute, on average; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 1)
    except (AttributeError, OSError):
        return None


def _throughput(
    crew: Crew, drawing: dict[str, list[Candidate]], plan: Plan, chosen: str, dataset: Dataset
) -> dict[str, Any]:
    found = {name: _classwise(crew, some, plan, chosen, dataset) for name, some in drawing.items()}
    pooled = {way: [ne for one in found.values() for ne in one["ne"][way]] for way in found[SMALL.name]["ne"]}
    return {**found, "ne_difference_percent": _differences(pooled)}


def _classwise(
    crew: Crew, candidates: Sequence[Candidate], plan: Plan, chosen: str, dataset: Dataset
) -> dict[str, Any]:
    """All rounds of one class: the ways take turns, so that whatever else the machine does meets all of them."""
    known = ways(chosen)
    speeds: dict[str, list[Speed]] = {way.name: [] for way in known}
    nes: dict[str, list[float]] = {way.name: [] for way in known if not way.is_raced}
    trained: list[float] = []
    for number in range(plan.rounds):
        for way in known if number % 2 == 0 else known[::-1]:
            shares = [candidates[at::PROCESSES] for at in range(PROCESSES)]
            asked = [_training(one, plan, how=way.how, seed=plan.seed + number) for one in shares]
            answers = crew.ask([one | _especially(way, plan, dataset) for one in asked])
            speeds[way.name].append(_speed(len(candidates), answers))
            LOG.info(f"round {number}, {way.name}: {speeds[way.name][-1]['wall']:.0f} trials an hour")
            if way.is_raced:
                trained += [share for one in answers for share in one["trained"]]
            else:
                nes[way.name] += [ne for one in answers for ne in one["ne"]]
    return {
        "trials_per_hour": {way: _columns(found) for way, found in speeds.items()},
        "ratio_to_plain": {way: _ratios(found, speeds["plain"]) for way, found in speeds.items() if way != "plain"},
        "ne": {way: [round(one, 6) for one in found] for way, found in nes.items()},
        "ne_difference_percent": _differences(nes),
        "raced_share_of_rows": [round(one, 3) for one in trained],
    }


def _especially(way: Way, plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """What one way asks of a training beside what all do."""
    asked: dict[str, Any] = {}
    if way.share < 1.0:
        asked["rows"] = round(way.share * (plan.rows or dataset.rows["train"]))
    if way.is_raced:
        asked["control"] = zoo(CONTROLS[1], dataset.schema).to_dict()
    return asked


def _differences(nes: dict[str, list[float]]) -> dict[str, Any]:
    return {
        way: {name: round(value, 4) for name, value in asdict(Difference.of(found, nes["plain"])).items()}
        for way, found in nes.items()
        if way != "plain"
    }


def _cohorts(crew: Crew, candidates: Sequence[Candidate], plan: Plan, chosen: str) -> dict[str, Any]:
    """Cohorts of several sizes in one process, and how far the members' NE lie from what they have alone."""
    some = candidates[: max(COHORT_SIZES)]
    speeds: dict[int, list[Speed]] = {size: [] for size in COHORT_SIZES}
    nes: dict[int, list[float]] = {}
    for number in range(plan.rounds):
        for size in COHORT_SIZES if number % 2 == 0 else COHORT_SIZES[::-1]:
            answers = crew.ask([_training(some, plan, how=chosen, seed=plan.seed, cohort=size)])
            speeds[size].append(_speed(len(some), answers))
            nes[size] = answers[0]["ne"]
    return {
        "precision": chosen,
        "trials_per_hour": {str(size): _columns(found) for size, found in speeds.items()},
        "ratio_to_alone": {str(size): _ratios(found, speeds[1]) for size, found in speeds.items()},
        "largest_ne_difference": max(
            abs(one - alone) for found in nes.values() for one, alone in zip(found, nes[1], strict=True)
        ),
    }


def _compiled(crew: Crew, candidate: Candidate, plan: Plan, chosen: str) -> dict[str, Any]:
    """One candidate, first as it is and then compiled: processor seconds, compiling included, and both NE."""
    asked = _training([candidate], plan, how=chosen, seed=plan.seed)
    answers = [crew.ask([{**asked, "way": one}])[0] for one in ("memberwise", "compiled")]
    return {
        "processor_seconds": [round(one["processor_seconds"], 1) for one in answers],
        "ne": [round(one["ne"][0], 6) for one in answers],
    }


def _grouped(crew: Crew, candidates: Sequence[Candidate], plan: Plan, chosen: str) -> dict[str, Any]:
    """A cohort as drawn, and one of equal candidates: the speed with equal blocks at once, as a ratio to one by one."""
    found = {}
    crew.ask([_training(candidates[:1], plan, how=chosen, seed=plan.seed)])  # what a process does once is in no ratio
    for name, some in (("drawn", candidates[: plan.cohort]), ("alike", [candidates[0]] * plan.cohort)):
        asked = _training(some, plan, how=chosen, seed=plan.seed, cohort=len(some))
        rounds = [
            [crew.ask([{**asked, "way": way}])[0] for way in ("memberwise", "grouped")] for _ in range(plan.rounds)
        ]
        found[name] = {
            "ratio": round(
                geometric_mean(one["processor_seconds"] / two["processor_seconds"] for one, two in rounds), 3
            ),
            "largest_ne_difference": max(
                abs(one - two) for answers in rounds for one, two in zip(*(each["ne"] for each in answers), strict=True)
            ),
        }
    return found


def _limit(crew: Crew, candidates: Sequence[Candidate], plan: Plan, chosen: str) -> dict[str, Any]:
    some = [one.to_dict() for one in candidates[: plan.cohort]]
    shared = {"do": "limit", "candidates": some, "rows": plan.rows, "seed": plan.seed}
    return {how: crew.ask([{**shared, "how": how}])[0] for how in dict.fromkeys(("plain", "fp32", chosen))}


def _training(
    candidates: Sequence[Candidate], plan: Plan, *, how: str, seed: int, cohort: int | None = None
) -> dict[str, Any]:
    return {
        "do": "training",
        "how": how,
        "candidates": [one.to_dict() for one in candidates],
        "cohort": cohort or plan.cohort,
        "rows": plan.rows,
        "seed": seed,
    }


def _precision(dataset: Dataset) -> dict[str, Any]:
    controls = [zoo(name, dataset.schema).to_dict() for name in CONTROLS]
    return {"do": "precision", "candidates": controls, "digest": dataset.digest}


def _drawn(size: SizeClass, dataset: Dataset, plan: Plan) -> list[Candidate]:
    rng = np.random.default_rng([plan.seed, int(size.flops)])
    return drawn(size, dataset.schema, PROCESSES * plan.candidates, rng)


def _flops(candidates: Sequence[Candidate], dataset: Dataset) -> list[float]:
    return [training_flops(one.architecture, dataset.schema) for one in candidates if one.architecture]


def _speed(candidates: int, answers: Sequence[dict[str, Any]]) -> Speed:
    return {
        "processor": per_processor_hour(candidates, [one["processor_seconds"] for one in answers]),
        "wall": per_hour(candidates, [(one["span"][0], one["span"][1]) for one in answers]),
    }


def _columns(speeds: Sequence[Speed]) -> dict[str, list[float]]:
    return {clock: [round(one[clock], 1) for one in speeds] for clock in CLOCKS}


def _ratios(ours: Sequence[Speed], theirs: Sequence[Speed]) -> dict[str, Any]:
    """Of the rounds, each with itself."""
    found = {}
    for clock in CLOCKS:
        ratios = [one[clock] / other[clock] for one, other in zip(ours, theirs, strict=True)]
        found[clock] = {"mean": round(geometric_mean(ratios), 3), "rounds": [round(one, 3) for one in ratios]}
    return found
