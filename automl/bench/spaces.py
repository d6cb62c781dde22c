"""Random candidates of a space, each held to what every space promises, built on torch's `meta` device."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from automl.bench._timing import machine
from searchspaces import Candidate, FeatureSchema, Field, Kind, SearchSpace, count_assignments, load_plugin
from searchspaces.build import Outlines
from searchspaces.cost import cost

ROOM = "searchspaces.spaces"
NUMERIC, CATEGORICAL, VOCABULARY = 13, 26, 1000
"""Fields as those of the public Criteo data; on `meta` a vocabulary costs nothing."""

EVERY: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("autoctr", {}),
    ("nasrec", {"variant": "full"}),
    ("nasrec", {"variant": "small"}),
    ("rankitect_scratch", {}),
    ("dhen", {}),
    ("wukong", {}),
    ("table", {}),
)
"""What `every_space` goes through."""

ROWS = 300
"""Candidates of each other space in the table that is made where none is given."""

SECONDS_BETWEEN = 30.0
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


def every_space(
    count: int, seed: int = 1, *, kept: Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> Iterator[dict[str, Any]]:
    """What `spaces` finds of each of `EVERY`, all there is so far after each; what `kept` has is not done again."""
    found: list[dict[str, Any]] = []
    if kept is not None and kept.exists():
        found = json.loads(kept.read_text(encoding="utf-8"))["spaces"]
    for name, options in EVERY:
        plan = Plan(name, count, seed=seed, options=options)
        if not any(_is_of(one, plan) for one in found):
            found.append(spaces(plan, tell=tell))
        yield {"spaces": found}


def spaces(plan: Plan, *, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Draws candidates, and a mutant and a child of each with the one before, and counts broken promises.

    Seconds are those of drawing and checking together; the rates are candidates a second and, on a busy machine, a
    second of the processor. A `table` without a file is one of candidates of all other spaces.
    """
    schema = wide_schema()
    progress = Progress(f"{plan.space} {dict(plan.options)}", plan.count, tell)
    with ExitStack() as stack:
        options = dict(plan.options)
        if plan.space == "table" and "file" not in options:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="spaces-"))
            options["file"] = str(_written_table(Path(folder) / "rows.jsonl", schema, plan.seed))
        space: SearchSpace = load_plugin(ROOM, plan.space)(schema, **options)
    started, worked = time.perf_counter(), time.process_time()
    drawn = _drawn(space, schema, plan, progress)
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    return {
        "space": plan.space,
        "options": dict(plan.options),
        "seed": plan.seed,
        "decisions": len(space.decisions()),
        "assignments": f"{count_assignments(space.decisions()):.3e}",
        "candidates": plan.count,
        "different": len(drawn.fingerprints),
        "failed": len(drawn.broken),
        "failures": drawn.broken[:MOST_TOLD],
        "kinds_of_failure": dict(Counter(one.split(": ")[1] for one in drawn.broken)),
        "parameters": _spread(drawn.parameters),
        "seconds": round(seconds, 2),
        "candidates_per_second": round(plan.count / seconds, 2),
        "candidates_per_processor_second": round(plan.count / worked, 2),
        "machine": machine(),
    }


@dataclass
class Progress:
    """Tells every half a minute how many candidates are done and how long the rest will take at that pace."""

    name: str
    count: int
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self._started = self._told = self.clock()

    def done(self, number: int) -> None:
        """So many candidates are done."""
        now = self.clock()
        if now - self._told >= SECONDS_BETWEEN:
            self._told = now
            left = (now - self._started) / number * (self.count - number) / 60
            self.tell(f"{self.name}: {number} of {self.count}, {left:.0f} minutes left")


@dataclass
class _Drawn:
    fingerprints: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)


def _drawn(space: SearchSpace, schema: FeatureSchema, plan: Plan, progress: Progress) -> _Drawn:
    outlines, rng, found = Outlines(schema), np.random.default_rng(plan.seed), _Drawn()
    other = space.sample(rng)
    for number in range(plan.count):
        try:
            candidate = space.sample(rng)
            found.parameters.append(checked(space, candidate, schema, outlines))
            _check_offspring(space, candidate, other, rng)
            found.fingerprints.add(candidate.fingerprint)
            other = candidate
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            found.broken.append(f"candidate {number}: {type(error).__name__}: {error}")
        progress.done(number + 1)
    return found


def _is_of(found: Mapping[str, Any], plan: Plan) -> bool:
    asked = {"space": plan.space, "options": dict(plan.options), "seed": plan.seed, "candidates": plan.count}
    return all(found[name] == value for name, value in asked.items())


def _written_table(file: Path, schema: FeatureSchema, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    others = [load_plugin(ROOM, name)(schema, **options) for name, options in EVERY if name != "table"]
    rows = [{"candidate": space.sample(rng).to_dict()} for space in others for _ in range(ROWS)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def checked(space: SearchSpace, candidate: Candidate, schema: FeatureSchema, outlines: Outlines) -> int:
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
    known, built = cost(candidate.architecture, schema), outlines.parameters(candidate.architecture)
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
