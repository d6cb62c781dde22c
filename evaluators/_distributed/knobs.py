"""A candidate's system settings as a training: names, kinds and values that are allowed. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from evaluators._distributed.launch import BY_FIELD, INT8, Training
from evaluators._distributed.sharding import Layout, Rule, Sharding
from evaluators._errors import EvaluatorError

TYPES = ("fp32", "bf16")
DENSE = ("loop", "foreach", "fused")


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
        "table_dtype": _one_of(("fp32", INT8)),
        "table_layout": _one_of(("concatenated", BY_FIELD)),
        "embedding_dim": _whole(2),
        "cohort": _whole(1),
        "deduplicated": _switch,
        "table_optimizer": _one_of(_names(Rule)),
        "dense_optimizer": _one_of(DENSE),
        "prefetch": _whole(0),
        "loader_workers": _whole(0),
        "resident": _switch,
        "compiled": _switch,
    }
)
"""What a run can be told. Batch size, groups, types, the tables' optimizer and the embedding dimension change what is
learned, the others nothing but rounding.

Of the twelve knobs of the plan for this table two are a little less than planned: compiling is on or off, since on a
CPU `reduce-overhead`, which records CUDA graphs, is the same as the default; and processes that load are ours
(`loaders`), not those of torch's `DataLoader`."""

NEUTRAL = frozenset(
    {
        "ranks",
        "threads",
        "sharding",
        "accumulation",
        "table_layout",
        "cohort",
        "deduplicated",
        "dense_optimizer",
        "prefetch",
        "loader_workers",
        "resident",
        "compiled",
    }
)
"""Knobs that change speed and memory alone. Of a cohort each model learns what it would learn alone."""


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
    fields = {_RENAMED.get(name, name): value for name, value in found.items() if name not in _OF_LAYOUT}
    if "rule" in fields:
        fields["rule"] = Rule(fields["rule"])
    if "wire" in fields:
        fields["forward"] = fields["backward"] = fields.pop("wire")
    return replace(base, layout=_layout(base.layout, found), **fields)


_RENAMED = MappingProxyType(
    {
        "deduplicated": "is_deduplicated",
        "resident": "is_resident",
        "compiled": "is_compiled",
        "table_optimizer": "rule",
    }
)
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
    if found.get("prefetch", base.prefetch) and found.get("loader_workers", base.loader_workers):
        raise EvaluatorError(
            "the knobs 'prefetch' and 'loader_workers' contradict each other: processes make batches ready ahead by "
            "themselves; leave one of the two at 0"
        )
    if found.get("sharding", base.layout.default) == Sharding.COLUMN and ranks > groups:
        _check_columns(base, found)


def _check_columns(base: Training, found: Mapping[str, Any]) -> None:
    """Refuses to cut rows apart where something is kept for a whole row."""
    if found.get("table_optimizer", base.rule) == Rule.ROWWISE_ADAGRAD:
        raise EvaluatorError(
            "the knobs 'table_optimizer' and 'sharding' contradict each other: rowwise_adagrad keeps one sum for a "
            "whole row, but column sharding cuts rows apart; choose adagrad, or another sharding"
        )
    if found.get("table_dtype", base.table_dtype) == INT8:
        raise EvaluatorError(
            "the knobs 'table_dtype' and 'sharding' contradict each other: int8 keeps one scale for a whole row, but "
            "column sharding cuts rows apart; choose fp32, or another sharding"
        )
