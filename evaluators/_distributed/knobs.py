"""A candidate's system settings as a training: names, kinds and values that are allowed. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from evaluators._distributed.launch import Training
from evaluators._distributed.sharding import Layout, Rule, Sharding
from evaluators._errors import EvaluatorError

TYPES = ("fp32", "bf16")


def _whole(least: int) -> Callable[[str, Any], int]:
    def checked(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise EvaluatorError(f"the knob {name!r} must be a whole number of at least {least}, but is {value!r}")
        return value

    return checked


def _one_of(known: tuple[str, ...]) -> Callable[[str, Any], str]:
    def checked(name: str, value: Any) -> str:
        if value not in known:
            raise EvaluatorError(f"the knob {name!r} must be one of {', '.join(known)}, but is {value!r}")
        return str(value)

    return checked


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluatorError(f"the knob {name!r} must be true or false, but is {value!r}")
    return value


def _names(kind: type[StrEnum]) -> tuple[str, ...]:
    return tuple(one.value for one in kind)


KNOBS: Mapping[str, Callable[[str, Any], Any]] = MappingProxyType(
    {
        "batch_size": _whole(1),
        "ranks": _whole(1),
        "threads": _whole(1),
        "sharding": _one_of(_names(Sharding)),
        "groups": _whole(1),
        "sync_interval": _whole(1),
        "accumulation": _whole(1),
        "dtype": _one_of(TYPES),
        "wire": _one_of(TYPES),
        "deduplicated": _switch,
        "table_optimizer": _one_of(_names(Rule)),
        "prefetch": _whole(0),
        "compiled": _switch,
    }
)
"""What a run can be told. Batch size, groups, types and the tables' optimizer change what is learned, the others
nothing but rounding."""

NEUTRAL = frozenset({"ranks", "threads", "sharding", "accumulation", "deduplicated", "prefetch", "compiled"})
"""Knobs that change speed and memory alone."""


def trained_with(base: Training, given: Mapping[str, Any]) -> Training:
    """The training `base` under other settings.

    Raises:
        EvaluatorError: a knob is unknown, a value is not allowed, or two of them contradict each other.
    """
    unknown = sorted(set(given) - set(KNOBS))
    if unknown:
        raise EvaluatorError(f"a measured run has the knobs {', '.join(KNOBS)}, but {unknown[0]!r} is asked for")
    found = {name: KNOBS[name](name, value) for name, value in given.items()}
    _check_pairs(base, found)
    renamed = {"deduplicated": "is_deduplicated", "compiled": "is_compiled", "table_optimizer": "rule"}
    fields = {renamed.get(name, name): value for name, value in found.items() if name not in _OF_LAYOUT}
    if "rule" in fields:
        fields["rule"] = Rule(fields["rule"])
    if "wire" in fields:
        fields["forward"] = fields["backward"] = fields.pop("wire")
    return replace(base, layout=_layout(base.layout, found), **fields)


_OF_LAYOUT = frozenset({"sharding", "groups", "sync_interval"})


def _layout(base: Layout, found: Mapping[str, Any]) -> Layout:
    groups = found.get("groups", base.groups)
    kind = Sharding(found.get("sharding", base.default))
    return Layout(kind, base.by_table, groups, found.get("sync_interval", base.sync_interval), float(groups))


def _check_pairs(base: Training, found: Mapping[str, Any]) -> None:
    ranks, groups = found.get("ranks", base.ranks), found.get("groups", base.layout.groups)
    if ranks % groups:
        raise EvaluatorError(
            f"the knobs 'ranks' and 'groups' contradict each other: {ranks} ranks cannot be cut into {groups} groups "
            "of equal size; choose ranks that are a multiple of the groups"
        )
    if found.get("sync_interval", base.layout.sync_interval) > 1 and groups == 1:
        raise EvaluatorError(
            "the knobs 'sync_interval' and 'groups' contradict each other: one group has nothing to synchronise with; "
            "leave 'sync_interval' at 1, or choose 2 groups or more"
        )
    rule, kind = found.get("table_optimizer", base.rule), found.get("sharding", base.layout.default)
    if rule == Rule.ROWWISE_ADAGRAD and kind == Sharding.COLUMN and ranks > groups:
        raise EvaluatorError(
            "the knobs 'table_optimizer' and 'sharding' contradict each other: rowwise_adagrad keeps one sum for a "
            "whole row, but column sharding cuts rows apart; choose adagrad, or another sharding"
        )
