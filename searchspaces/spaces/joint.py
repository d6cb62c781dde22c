"""Search space of a model and the way to train it: an architecture and system settings in one candidate.

Each side is a space of its own, named with its options: so every architecture space meets every system space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._decisions import Assignment, Condition, Decision
from searchspaces._errors import CandidateError, SearchSpaceError, SpaceError
from searchspaces._plugins import load_plugin
from searchspaces._schema import FeatureSchema
from searchspaces._space import SearchSpace

__all__ = ["JointSpace"]

ROOM = "searchspaces.spaces"
ARCHITECTURE, SYSTEM = "architecture", "system"
HAS_MODELS = MappingProxyType({ARCHITECTURE: True, SYSTEM: False})
"""What each side is of: candidates with an architecture, or with system settings alone."""


class JointSpace:
    """Every candidate of one space together with every candidate of another, in slots `architecture.X` and `system.X`.

    A mutation edits one side, each as often as the other; a child has of each side that of one parent, of the other, or
    a crossover of both, which are equally likely. The code is the one side's behind the other's.

    architecture   space of models, with its options: {name: autoctr, blocks: 4}
    system         space of ways to train one: {name: run_settings, knobs: {ranks: [1, 2]}}

    Raises:
        SpaceError: a side is no space of its kind, one of its options is wrong, or no side has a choice.
        PluginError: there is no space of that name.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        architecture: SearchSpace | Mapping[str, Any],
        system: SearchSpace | Mapping[str, Any],
    ) -> None:
        given = {ARCHITECTURE: architecture, SYSTEM: system}
        self._sides = {name: _checked(name, _made(name, one, schema)) for name, one in given.items()}
        self._decisions = tuple(_named(name, one) for name, space in self._sides.items() for one in space.decisions())
        self._open = [
            name for name, space in self._sides.items() if any(len(one.choices) > 1 for one in space.decisions())
        ]
        if not self._open:
            raise SpaceError("a search needs two candidates, but both sides of this space have one; give more choices")
        self._last: tuple[Candidate, dict[str, Candidate]] | None = None

    @property
    def architectures(self) -> SearchSpace:
        """The side of models."""
        return self._sides[ARCHITECTURE]

    @property
    def systems(self) -> SearchSpace:
        """The side of ways to train one."""
        return self._sides[SYSTEM]

    def decisions(self) -> tuple[Decision, ...]:
        """Those of the model, then those of the system."""
        return self._decisions

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """Decodes each side's own slots.

        Raises:
            CandidateError: a counting decision is missing or has a value that is no choice of it.
        """
        return self._joined(lambda name, space: space.to_candidate(_own(name, assignment)))

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """Both sides' assignments.

        Raises:
            CandidateError: a side of the candidate is no point of its space.
        """
        parts, found = self._parts(candidate), {}
        for name, space in self._sides.items():
            with _telling(name):
                told = space.to_assignment(parts[name])
            found.update({f"{name}.{slot}": choice for slot, choice in told.items()})
        return found

    def validate(self, candidate: Candidate) -> None:
        """Returns silently for a point of the space.

        Raises:
            CandidateError: a side of the candidate is no point of its space.
        """
        parts = self._parts(candidate)
        for name, space in self._sides.items():
            with _telling(name):
                space.validate(parts[name])

    def sample(self, rng: np.random.Generator) -> Candidate:
        """A random candidate of each side."""
        return self._joined(lambda _, space: space.sample(rng))

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """A neighbour in one side, drawn at random among those that have more than one candidate.

        Raises:
            CandidateError: the parent is not a point of this space.
        """
        self.validate(parent)
        parts = self._parts(parent)
        chosen = self._open[int(rng.integers(len(self._open)))]
        return self._joined(
            lambda name, space: space.mutate(parts[name], rng) if name == chosen else parts[name],
        )

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """Each side from one parent, the other, or a crossover of theirs.

        Raises:
            CandidateError: a parent is not a point of this space.
        """
        self.validate(one)
        left = self._parts(one)
        self.validate(other)
        right = self._parts(other)

        def mixed(name: str, space: SearchSpace) -> Candidate:
            crossed = space.crossover(left[name], right[name], rng)
            return (left[name], right[name], crossed)[int(rng.integers(3))]

        return self._joined(mixed)

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """The code of the model, then that of the system.

        Raises:
            CandidateError: a side of the candidate is no point of its space.
        """
        parts, codes = self._parts(candidate), []
        for name, space in self._sides.items():
            with _telling(name):
                codes.append(np.asarray(space.encode(parts[name]), np.float64))
        return np.concatenate(codes)

    def _parts(self, candidate: Candidate) -> dict[str, Candidate]:
        """Both sides of a candidate; the same objects for the same one, as spaces remember whom they were asked last.

        Raises:
            CandidateError: it has no architecture.
        """
        if candidate.architecture is None:
            raise CandidateError("architecture side: a candidate of this space has an architecture, but this has none")
        if self._last is None or self._last[0] is not candidate:
            model = Candidate(candidate.architecture, candidate.training)
            self._last = candidate, {ARCHITECTURE: model, SYSTEM: Candidate(None, system=candidate.system)}
        return self._last[1]

    def _joined(self, part: Callable[[str, SearchSpace], Candidate]) -> Candidate:
        """One candidate of both sides' parts.

        Raises:
            CandidateError: a side cannot make its part, or a part has settings of the other side.
        """
        parts = {}
        for name, space in self._sides.items():
            with _telling(name):
                parts[name] = part(name, space)
        model, system = parts[ARCHITECTURE], parts[SYSTEM]
        if model.system or system.training:
            wrong = dict(model.system) or dict(system.training)
            raise CandidateError(f"each side decides settings of its own, but one of them has {wrong} of the other's")
        return Candidate(model.architecture, model.training, system.system)


def _made(name: str, given: SearchSpace | Mapping[str, Any], schema: FeatureSchema) -> SearchSpace:
    """A side from its name and options.

    Raises:
        SpaceError: there is no name, or an option is wrong.
        PluginError: there is no space of that name.
    """
    if not isinstance(given, Mapping):
        return given
    options = {key: value for key, value in given.items() if key != "name"}
    if not isinstance(given.get("name"), str):
        raise SpaceError(f"{name} side: names its space as {{name: ..., option: ...}}, but is {dict(given)!r}")
    try:
        made: SearchSpace = load_plugin(ROOM, given["name"])(schema, **options)
    except SearchSpaceError as error:
        raise type(error)(f"{name} side: {error}") from error
    except TypeError as error:
        raise SpaceError(f"{name} side: the options of {given['name']!r} do not fit: {error}") from error
    return made


def _checked(name: str, space: SearchSpace) -> SearchSpace:
    """The side, if it is one of its kind.

    Raises:
        SpaceError: it is not.
    """
    if isinstance(space, JointSpace) or getattr(space, "has_models", True) is not HAS_MODELS[name]:
        wanted = "models, such as autoctr" if HAS_MODELS[name] else "ways to train one, such as run_settings"
        raise SpaceError(f"{name} side: is a space of {wanted}, but {type(space).__name__} is none")
    return space


def _named(name: str, decision: Decision) -> Decision:
    condition = decision.condition
    hanging = None if condition is None else Condition(f"{name}.{condition.slot}", condition.values)
    return replace(decision, slot=f"{name}.{decision.slot}", condition=hanging)


def _own(name: str, assignment: Assignment) -> Assignment:
    return {slot.removeprefix(f"{name}."): choice for slot, choice in assignment.items() if slot.startswith(f"{name}.")}


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Names the side in what it raises.

    Raises:
        CandidateError: as the side raises it.
    """
    try:
        yield
    except CandidateError as error:
        raise CandidateError(f"{name} side: {error}") from error
