"""Random candidates of a space, each held to what every space promises, built on torch's `meta` device."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from automl.bench._timing import machine
from searchspaces import Candidate, FeatureSchema, Field, Kind, SearchSpace, count_assignments, load_plugin
from searchspaces.build import outlined_parameters
from searchspaces.cost import cost

ROOM = "searchspaces.spaces"
NUMERIC, CATEGORICAL, VOCABULARY = 13, 26, 1000
"""Fields as those of the public Criteo data; on `meta` a vocabulary costs nothing."""

MOST_TOLD = 20
"""Failures that are told in full; all are counted."""


@dataclass(frozen=True)
class Plan:
    """Which space with which options, how many candidates, and the seed of the draws."""

    space: str
    count: int
    seed: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


class BrokenPromise(Exception):
    """What a candidate, or what was made of it, does not keep."""


def spaces(plan: Plan) -> dict[str, Any]:
    """Draws candidates, and a mutant and a child of each with the one before, and counts broken promises.

    Seconds are those of drawing and checking together; the rate is candidates a second.
    """
    schema = wide_schema()
    space: SearchSpace = load_plugin(ROOM, plan.space)(schema, **plan.options)
    rng = np.random.default_rng(plan.seed)
    seen: set[str] = set()
    broken: list[str] = []
    parameters: list[int] = []
    started = time.perf_counter()
    other = space.sample(rng)
    for number in range(plan.count):
        try:
            candidate = space.sample(rng)
            parameters.append(checked(space, candidate, schema))
            _check_offspring(space, candidate, other, rng)
            seen.add(candidate.fingerprint)
            other = candidate
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            broken.append(f"candidate {number}: {type(error).__name__}: {error}")
    seconds = time.perf_counter() - started
    return {
        "space": plan.space,
        "options": dict(plan.options),
        "seed": plan.seed,
        "decisions": len(space.decisions()),
        "assignments": f"{count_assignments(space.decisions()):.3e}",
        "candidates": plan.count,
        "different": len(seen),
        "failed": len(broken),
        "failures": broken[:MOST_TOLD],
        "kinds_of_failure": dict(Counter(one.split(": ")[1] for one in broken)),
        "parameters": _spread(parameters),
        "seconds": round(seconds, 2),
        "candidates_per_second": round(plan.count / seconds, 2),
        "machine": machine(),
    }


def checked(space: SearchSpace, candidate: Candidate, schema: FeatureSchema) -> int:
    """Parameters of a candidate that is valid, survives JSON and its decisions, and can be built at its cost.

    Raises:
        BrokenPromise: it does not keep its fingerprint, or has another number of parameters than the closed form.
        SearchSpaceError: it is not valid, or cannot be built.
    """
    space.validate(candidate)
    again = Candidate.from_dict(candidate.to_dict())
    if again.fingerprint != candidate.fingerprint:
        raise BrokenPromise("JSON changed the fingerprint")
    if space.to_candidate(space.to_assignment(again)).fingerprint != candidate.fingerprint:
        raise BrokenPromise("its decisions lead to another fingerprint")
    if candidate.architecture is None:
        return 0
    known, built = cost(candidate.architecture, schema), outlined_parameters(candidate.architecture, schema)
    if known.parameters != built:
        raise BrokenPromise(f"the closed form counts {known.parameters} parameters, the model {built}")
    return built


def wide_schema() -> FeatureSchema:
    """The fields that candidates are built for."""
    numeric = [Field(f"n{number}", Kind.NUMERIC) for number in range(NUMERIC)]
    return FeatureSchema((*numeric, *(Field(f"c{at}", Kind.CATEGORICAL, VOCABULARY) for at in range(CATEGORICAL))))


def _check_offspring(space: SearchSpace, one: Candidate, other: Candidate, rng: np.random.Generator) -> None:
    mutant = space.mutate(one, rng)
    space.validate(mutant)
    if mutant.fingerprint == one.fingerprint:
        raise BrokenPromise("a mutation changed nothing")
    space.validate(space.crossover(one, other, rng))


def _spread(parameters: list[int]) -> dict[str, int]:
    if not parameters:
        return {}
    least, median, most = np.quantile(parameters, [0, 0.5, 1])
    return {"least": int(least), "median": int(median), "most": int(most)}
