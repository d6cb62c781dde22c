"""Search space of one machine's training run: processes, tables and their sharding, batch, number kinds, loading.

The settings are those that the evaluator `measured_run` launches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import ClassVar

from searchspaces._candidate import Candidate
from searchspaces._decided_space import DecidedSpace
from searchspaces._decisions import Assignment, Choice, Condition, Decision, OptionChoice
from searchspaces._errors import CandidateError, SpaceError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._run_knobs import KNOBS, checked

__all__ = ["RunSettings"]

SHARDING, GROUPS = "sharding", "groups"
EXCHANGED = (SHARDING, "wire")
"""Knobs that count only where the ranks of a group exchange something: where there are more ranks than groups."""

FALLBACK = "row"

GROWING = ("batch_size", "cohort", "embedding_dim", "prefetch")
"""Knobs of which more surely takes no less memory, as long as all others stay."""


class RunSettings(DecidedSpace):
    """How many processes train a model on one machine, and how.

    Candidates have system settings and no architecture. What contradicts itself is decoded into the nearest that does
    not: groups that do not divide the ranks into the most that do, and tables cut by column into tables cut by row
    where something is kept for a whole row (`rowwise_adagrad`, `int8`). Settings without effect are left out, so that
    no two candidates are one run.

    knobs   choices by knob where they are not the usual ones: {batch_size: [512, 1024], ranks: 2}

    Raises:
        SpaceError: a knob is not known, has no choices or one that no run can have, or a batch cannot be cut into
            equal pieces.
    """

    has_models: ClassVar[bool] = False

    def __init__(self, schema: FeatureSchema, *, knobs: Mapping[str, Choice | Sequence[Choice]] | None = None) -> None:
        del schema  # what is trained is the evaluator's
        super().__init__(_Settings(_choices({} if knobs is None else knobs)))

    @staticmethod
    def needs_no_less(one: Candidate, other: Candidate) -> bool:
        """Whether a run of `one` surely takes at least the memory of `other`: more of what grows, all else equal."""
        if one.system.keys() != other.system.keys():
            return False
        return all(
            _number(one, name) >= _number(other, name) if name in GROWING else one.system[name] == other.system[name]
            for name in one.system
        )


class _Settings:
    """The `Coding` of the space."""

    def __init__(self, choices: Mapping[str, tuple[Choice, ...]]) -> None:
        self._choices = choices
        self._decisions = tuple(OptionChoice(name, values, self._condition(name)) for name, values in choices.items())

    def decisions(self) -> Sequence[Decision]:
        """One for each knob."""
        return self._decisions

    def candidate(self, genotype: Assignment) -> Candidate:
        """Settings that count and do not contradict each other."""
        found = dict(genotype)
        if GROUPS in found:
            found[GROUPS] = max(one for one in _divisors(found["ranks"]) if one <= int(found[GROUPS]))
            if found[GROUPS] == 1:
                found.pop("sync_interval", None)
            if found[GROUPS] == found["ranks"]:
                found = {name: one for name, one in found.items() if name not in EXCHANGED}
        is_whole = found["table_optimizer"] == "rowwise_adagrad" or found["table_dtype"] == "int8"
        if found.get(SHARDING) == "column" and is_whole:
            found[SHARDING] = FALLBACK
        return Candidate(None, system=Options(found))

    def read(self, candidate: Candidate) -> Assignment:
        """Choices by knob.

        Raises:
            CandidateError: there is an architecture.
        """
        if candidate.architecture is not None:
            raise CandidateError("this space says how a model is trained, but the candidate has one of its own")
        return {name: one for name, one in candidate.system.items() if isinstance(one, bool | int | float | str)}

    def _condition(self, name: str) -> Condition | None:
        ranks, groups = self._choices["ranks"], self._choices[GROUPS]
        if name == GROUPS:
            return Condition("ranks", tuple(one for one in ranks if one != 1))
        if name == "sync_interval":
            return Condition(GROUPS, tuple(one for one in groups if one != 1))
        if name in EXCHANGED:
            return Condition(GROUPS, tuple(one for one in groups if int(one) < max(map(int, ranks))))
        if name == "prefetch":
            return Condition("loader_workers", tuple(one for one in self._choices["loader_workers"] if one == 0))
        return None


def _choices(given: Mapping[str, Choice | Sequence[Choice]]) -> dict[str, tuple[Choice, ...]]:
    named = checked(given)
    choices = {name: named.get(name, knob.usual) for name, knob in KNOBS.items()}
    found = {name: values for name, values in choices.items() if values}
    _check_batches(found)
    _check_columns(found)
    return found


def _check_batches(choices: Mapping[str, tuple[Choice, ...]]) -> None:
    for batch, ranks, pieces in product(choices["batch_size"], choices["ranks"], choices["accumulation"]):
        if int(batch) % (int(ranks) * int(pieces)):
            raise SpaceError(
                f"a batch is cut into equal pieces, but batch_size {batch} is no multiple of ranks {ranks} x "
                f"accumulation {pieces}; leave one out"
            )


def _check_columns(choices: Mapping[str, tuple[Choice, ...]]) -> None:
    if "column" not in choices[SHARDING] or FALLBACK in choices[SHARDING]:
        return
    for knob, value in (("table_optimizer", "rowwise_adagrad"), ("table_dtype", "int8")):
        if value in choices[knob]:
            raise SpaceError(
                f"sharding 'column' and {knob} {value!r} contradict each other; add sharding 'row', or leave one of "
                "them out"
            )


def _divisors(number: Choice) -> list[int]:
    return [one for one in range(1, int(number) + 1) if int(number) % one == 0]


def _number(candidate: Candidate, knob: str) -> float:
    value = candidate.system[knob]
    return float(value) if isinstance(value, int | float) else 0.0
