"""Search space of one machine's training run: processes, sharding, batch, number kinds, loading.

The settings are those that the evaluator `measured_run` launches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import ClassVar

from searchspaces._candidate import Candidate
from searchspaces._decided_space import DecidedSpace
from searchspaces._decisions import Assignment, Choice, Condition, Decision, OptionChoice
from searchspaces._errors import CandidateError, SpaceError, did_you_mean
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema

__all__ = ["RunSettings"]

KNOBS: Mapping[str, tuple[Choice, ...]] = MappingProxyType(
    {
        "batch_size": (256, 512, 1024, 2048, 4096),
        "ranks": (1, 2),
        "threads": (1, 2),
        "table_optimizer": ("adagrad", "rowwise_adagrad", "sparse_adam", "sgd"),
        "sharding": ("table", "row", "column", "data_parallel"),
        "groups": (1, 2),
        "sync_interval": (1, 4, 16),
        "wire": ("fp32", "bf16"),
        "accumulation": (1, 2, 4),
        "dtype": ("fp32", "bf16"),
        "deduplicated": (False, True),
        "prefetch": (0, 1, 2),
        "compiled": (False,),
    }
)
"""Usual choices. The later ones of a condition come after what they hang on; compiling takes a minute, so it is off."""

HANGS_ON = MappingProxyType({"sharding": "ranks", "groups": "ranks", "wire": "ranks", "sync_interval": "groups"})
"""Knobs that count only where another one is more than 1."""

FALLBACK = "row"


class RunSettings(DecidedSpace):
    """How many processes train a model on one machine, and how.

    Candidates have system settings and no architecture. What contradicts itself is decoded into the nearest that does
    not: groups that do not divide the ranks into the most that do, `rowwise_adagrad` on tables cut by column into
    tables cut by row.

    knobs   choices by knob where they are not the usual ones: {batch_size: [512, 1024], ranks: [1, 2, 4]}

    Raises:
        SpaceError: a knob is not known or has no choices, or a batch cannot be cut into equal pieces.
    """

    has_models: ClassVar[bool] = False

    def __init__(self, schema: FeatureSchema, *, knobs: Mapping[str, Sequence[Choice]] | None = None) -> None:
        del schema  # what is trained is the evaluator's
        super().__init__(_Settings(_choices(knobs or {})))


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
        if "groups" in found:
            found["groups"] = max(one for one in _divisors(found["ranks"]) if one <= _number(found["groups"]))
            if found["groups"] == 1:
                found.pop("sync_interval", None)
        if found.get("sharding") == "column" and found["table_optimizer"] == "rowwise_adagrad":
            found["sharding"] = FALLBACK
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
        if name not in HANGS_ON:
            return None
        other = HANGS_ON[name]
        return Condition(other, tuple(one for one in self._choices[other] if one != 1))


def _choices(given: Mapping[str, Sequence[Choice]]) -> dict[str, tuple[Choice, ...]]:
    wrong = [f"no knob {name!r}; {did_you_mean(name, tuple(KNOBS))}" for name in given if name not in KNOBS]
    wrong += [f"the knob {name!r} has no choices; name one or more" for name, values in given.items() if not values]
    if wrong:
        raise SpaceError("; ".join(wrong))
    choices = {name: tuple(given.get(name, usual)) for name, usual in KNOBS.items()}
    _check_batches(choices)
    kinds = choices["sharding"]
    if "column" in kinds and FALLBACK not in kinds and "rowwise_adagrad" in choices["table_optimizer"]:
        raise SpaceError(
            "sharding 'column' and table_optimizer 'rowwise_adagrad' contradict each other; add sharding 'row', or "
            "leave one of them out"
        )
    return choices


def _check_batches(choices: Mapping[str, tuple[Choice, ...]]) -> None:
    for batch, ranks, pieces in product(choices["batch_size"], choices["ranks"], choices["accumulation"]):
        if _number(batch) % (_number(ranks) * _number(pieces)):
            raise SpaceError(
                f"a batch is cut into equal pieces, but batch_size {batch} is no multiple of ranks {ranks} x "
                f"accumulation {pieces}; leave one out"
            )


def _divisors(number: Choice) -> list[int]:
    return [one for one in range(1, _number(number) + 1) if _number(number) % one == 0]


def _number(value: Choice) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SpaceError(f"batch sizes, ranks, groups and pieces are whole numbers of at least 1, but one is {value!r}")
    return value
