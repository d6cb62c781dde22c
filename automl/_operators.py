"""Which operators a search can choose, and whether each of them works on the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automl import plugins
from searchspaces import Candidate, OperatorChoice, SearchSpace

DRAWS = 64
"""Random candidates in which operators are looked for; as many again, up to `MOST_DRAWS`, while one is missing."""

MOST_DRAWS = 1024
TRIES = 4
"""Candidates that an operator is tried in: one wiring alone may give it nothing to do."""

Check = Callable[[Candidate], Mapping[str, str]]


@dataclass(frozen=True)
class Operator:
    """How an operator fared: 'ok', 'sometimes' wrong, 'broken', or 'unreached' by any candidate."""

    name: str
    state: str
    reason: str = ""


def check_operators(
    space: SearchSpace, check: Check, rng: np.random.Generator, *, others: Iterable[Candidate] = ()
) -> list[Operator]:
    """Tries each operator of the space, and each block of the `others`, until it works once.

    `check` says what is wrong with a candidate's blocks; an empty key stands for a block that cannot be told.
    """
    samples = _samples(space, rng)
    found = [_tried(name, candidates, check) for name, candidates in _by_block([*samples, *others]).items()]
    missing = _wanted(space) - {one.name for one in found}
    unreached = [Operator(name, "unreached", f"in none of {len(samples)} random candidates") for name in missing]
    return sorted([*found, *unreached], key=lambda one: one.name)


def _tried(name: str, candidates: Sequence[Candidate], check: Check) -> Operator:
    reason = ""
    for candidate in candidates[:TRIES]:
        faults = check(candidate)
        fault = faults.get(name) or faults.get("", "")
        if not fault and name not in faults and not _is_masked(faults):
            return Operator(name, "sometimes", reason) if _is_serious(reason) else Operator(name, "ok")
        reason = reason or fault
    return Operator(name, "broken", reason) if reason else Operator(name, "unreached", "its neighbours do not work")


def _is_masked(faults: Mapping[str, str]) -> bool:
    """Whether another block kept this one from being tried."""
    return any("no gradient" not in text for text in faults.values())


def _is_serious(reason: str) -> bool:
    """A block that had nothing to do in one wiring is fine; one that failed in it is not."""
    return bool(reason) and "no gradient" not in reason


def _samples(space: SearchSpace, rng: np.random.Generator) -> list[Candidate]:
    wanted = _wanted(space)
    samples: list[Candidate] = []
    while len(samples) < MOST_DRAWS:
        samples += [space.sample(rng) for _ in range(DRAWS)]
        if wanted <= _by_block(samples).keys():
            break
    return samples


def _wanted(space: SearchSpace) -> set[str]:
    """The choices of operators that are names of blocks."""
    known = {*plugins.names("block"), *plugins.names("embedding")}
    decisions = (decision for decision in space.decisions() if isinstance(decision, OperatorChoice))
    return {str(choice) for decision in decisions for choice in decision.choices} & known


def _by_block(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """Candidates by the blocks that they have, those with few nodes first."""
    found: dict[str, list[Candidate]] = {}
    architectures = [one for one in candidates if one.architecture]
    for candidate in sorted(architectures, key=_nodes):
        assert candidate.architecture
        for name in {node.block for node in candidate.architecture.nodes}:
            found.setdefault(name, []).append(candidate)
    return found


def _nodes(candidate: Candidate) -> int:
    return len(candidate.architecture.nodes) if candidate.architecture else 0
