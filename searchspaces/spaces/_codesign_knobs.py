"""The knobs of a training system: their usual choices, and whether a choice can change what is learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from searchspaces._decisions import Choice, Condition, Decision, OptionChoice
from searchspaces._errors import SpaceError, did_you_mean
from searchspaces.deployment.plan import BYTES, COLUMNS, DENSE, SHARDINGS, TIERS

SHARDING = "sharding"
CLUSTER = ("device", "hosts", "devices_per_host")
LEAST_COLUMNS = 4
"""Numbers of a row that a slice of a table has at least."""


@dataclass(frozen=True)
class Knob:
    """One knob. `is_neutral`: no choice of it changes what is learned beyond the order of sums.

    `known` are the choices that there can be at all; numbers from 1 on where it is empty, from `least` on.
    It counts only where another knob has another value than `unless[1]`.
    """

    name: str
    choices: tuple[Choice, ...]
    is_neutral: bool
    known: tuple[Choice, ...] = ()
    least: int = 1
    unless: tuple[str, Choice] | None = None


_NUMBERS = tuple(BYTES)
KNOBS: Mapping[str, Knob] = MappingProxyType(
    {
        knob.name: knob
        for knob in (
            Knob("global_batch", (8_192, 16_384, 32_768, 65_536, 131_072), is_neutral=False),
            Knob("groups", (1, 2, 4, 8), is_neutral=False),
            Knob("sync_interval", (1, 4, 16), is_neutral=False, unless=("groups", 1)),
            Knob("towers", (1, 2, 4, 8), is_neutral=False),
            Knob("compression", (1, 2, 4, 8), is_neutral=False, unless=("towers", 1)),
            Knob("dense", DENSE, is_neutral=True, known=DENSE),
            Knob("compute_dtype", ("tf32", "bf16", "fp8"), is_neutral=False, known=_NUMBERS),
            Knob("table_dtype", ("fp32", "fp16"), is_neutral=False, known=_NUMBERS),
            Knob("forward_dtype", ("fp32", "fp16", "fp8"), is_neutral=False, known=_NUMBERS),
            Knob("backward_dtype", ("fp32", "bf16"), is_neutral=False, known=_NUMBERS),
            Knob("all_reduce_dtype", ("fp32", "bf16"), is_neutral=False, known=_NUMBERS),
            Knob("accumulation", (1, 2, 4), is_neutral=True),
            Knob("tier", TIERS, is_neutral=True, known=TIERS),
            Knob("cache_ratio", (0.05, 0.1, 0.2, 0.5), is_neutral=True),
            Knob("prefetch", (0, 1, 2), is_neutral=True, least=0),
            Knob("compiled", (False, True), is_neutral=True, known=(False, True)),
            Knob("loader_workers", (4, 8, 16, 32), is_neutral=True),
        )
    }
)
"""All but those of the cluster and of each table. The cluster's are neutral since the global batch is a knob itself."""

_PLACEABLE = tuple(one for one in SHARDINGS if one != "even")
NEUTRAL = frozenset({*CLUSTER, SHARDING, *(knob.name for knob in KNOBS.values() if knob.is_neutral)})


def is_neutral(slot: str) -> bool:
    """Whether the knob in a slot leaves what is learned alone; sharding of a table is in a slot `sharding.NAME`."""
    return slot.partition(".")[0] in NEUTRAL


def chosen(knobs: Mapping[str, Any]) -> dict[str, tuple[Choice, ...]]:
    """Choices of every knob, `sharding` among them: those that are given, the usual ones of the rest.

    Raises:
        SpaceError: a knob is not known, or has no choices or ones that it cannot have; with every mistake found.
    """
    names = (SHARDING, *KNOBS)
    wrong = [f"no knob {name!r}; {did_you_mean(str(name), names)}" for name in knobs if name not in names]
    found: dict[str, tuple[Choice, ...]] = {}
    for name in names:
        values = knobs.get(name)
        usual = _PLACEABLE if name == SHARDING else KNOBS[name].choices
        found[name] = usual if values is None else tuple(values) if isinstance(values, list | tuple) else (values,)
        wrong += _mistakes(name, found[name])
    if wrong:
        raise SpaceError(f"a knob is given by its choices, but: {'; '.join(wrong)}")
    return found


def table_choices(name: str, dim: int, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Ways to spread a table of this dimension, which slices of columns must divide.

    Raises:
        SpaceError: none is left; the message names the pair.
    """
    left = tuple(one for one in choices if _divides(COLUMNS.get(str(one), 1), dim))
    if not left:
        raise SpaceError(
            f"sharding={list(choices)} and dim={dim} of table {name!r} contradict each other: slices of columns divide "
            f"the dimension and have at least {LEAST_COLUMNS} numbers; allow 'table' or 'row'"
        )
    return left


def decisions(choices: Mapping[str, Sequence[Choice]], tables: Mapping[str, Sequence[Choice]]) -> Iterator[Decision]:
    """The cluster's slots, each knob's, and one a table."""
    for name in CLUSTER:
        yield OptionChoice(name, tuple(choices[name]))
    for knob in KNOBS.values():
        yield OptionChoice(knob.name, tuple(choices[knob.name]), _condition(knob, choices))
    for name, own in tables.items():
        yield OptionChoice(f"{SHARDING}.{name}", tuple(own))


def _condition(knob: Knob, choices: Mapping[str, Sequence[Choice]]) -> Condition | None:
    if knob.name == "cache_ratio":
        return Condition("tier", ("cached",))
    if knob.unless is None:
        return None
    other, value = knob.unless
    return Condition(other, tuple(one for one in choices[other] if one != value))


def _divides(slices: int, dim: int) -> bool:
    return slices == 1 or (dim % slices == 0 and dim // slices >= LEAST_COLUMNS)


def _mistakes(name: str, values: tuple[Choice, ...]) -> list[str]:
    if not values or len({repr(one) for one in values}) < len(values):
        return [f"{name}: needs choices that differ, but has {list(values)}"]
    known = _PLACEABLE if name == SHARDING else KNOBS[name].known
    if known:
        return [
            f"{name}: has no {one!r}; {did_you_mean(str(one), list(map(str, known)))}"
            for one in values
            if one not in known
        ]
    if name == "cache_ratio":
        return [f"{name}: must be a share between 0 and 1, but has {one!r}" for one in values if not _is_share(one)]
    least = KNOBS[name].least
    wrong = [one for one in values if type(one) is not int or one < least]
    if wrong or list(values) != sorted(values):
        return [f"{name}: must be ascending whole numbers from {least} on, but is {list(values)}"]
    return []


def _is_share(value: Choice) -> bool:
    return isinstance(value, float) and 0.0 < value < 1.0
