"""Knobs of a training run on one machine: what each can be, and what it usually is in a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from searchspaces._decisions import Choice
from searchspaces._errors import SpaceError, did_you_mean


@dataclass(frozen=True)
class Knob:
    """One knob: `values` that it has, or whole numbers from `least` on, or, without both, yes and no.

    `usual` are the choices of a search that names no others; without any the knob is left alone.
    """

    usual: tuple[Choice, ...] = ()
    values: tuple[str, ...] = ()
    least: int | None = None

    def mistake(self, name: str, value: object) -> str | None:
        """What is wrong with a choice."""
        if self.values:
            if isinstance(value, str) and value in self.values:
                return None
            return f"{name!r} cannot be {value!r}; {did_you_mean(str(value), self.values)}"
        if self.least is None:
            return None if isinstance(value, bool) else f"{name!r} is true or false, but one choice is {value!r}"
        if isinstance(value, bool) or not isinstance(value, int) or value < self.least:
            return f"{name!r} is a whole number of at least {self.least}, but one choice is {value!r}"
        return None


KNOBS: Mapping[str, Knob] = MappingProxyType(
    {
        "batch_size": Knob((256, 512, 1024, 2048, 4096), least=1),
        "ranks": Knob((1, 2), least=1),
        "threads": Knob((1, 2), least=1),
        "table_optimizer": Knob(
            ("adagrad", "rowwise_adagrad", "sparse_adam", "sgd"),
            ("sgd", "adagrad", "rowwise_adagrad", "sparse_adam", "adam"),
        ),
        "dense_optimizer": Knob(("loop", "foreach", "fused"), ("loop", "foreach", "fused")),
        "groups": Knob((1, 2), least=1),
        "sharding": Knob(("table", "row", "column", "data_parallel"), ("table", "row", "column", "data_parallel")),
        "sync_interval": Knob((1, 4, 16), least=1),
        "wire": Knob(("fp32", "bf16"), ("fp32", "bf16")),
        "accumulation": Knob((1, 2, 4), least=1),
        "dtype": Knob(("fp32", "bf16"), ("fp32", "bf16")),
        "table_dtype": Knob(("fp32",), ("fp32", "int8")),
        "table_layout": Knob(("concatenated", "by_field"), ("concatenated", "by_field")),
        "embedding_dim": Knob(least=2),
        "cohort": Knob((1,), least=1),
        "deduplicated": Knob((False, True)),
        "resident": Knob((False, True)),
        "loader_workers": Knob((0, 1), least=0),
        "prefetch": Knob((0, 1, 2), least=0),
        "compiled": Knob((False,)),
    }
)
"""The later one of a condition comes after what it hangs on. Off unless they are asked for: compiling, which takes a
minute; a cohort, which is measured by rows of all its models; and what changes the model itself."""


def checked(given: Mapping[str, Choice | Sequence[Choice]]) -> dict[str, tuple[Choice, ...]]:
    """Choices by knob as tuples; a single one need not be in a list.

    Raises:
        SpaceError: a knob is not known, has no choices, has one twice, or one that it cannot have; all that is wrong.
    """
    if not isinstance(given, Mapping):
        raise SpaceError(f"'knobs' names choices by knob, as {{batch_size: [512, 1024]}}, but is {given!r}")
    found, wrong = {}, []
    for name, choices in given.items():
        if name not in KNOBS:
            wrong.append(f"no knob {name!r}; {did_you_mean(str(name), tuple(KNOBS))}")
            continue
        found[name] = tuple(choices) if isinstance(choices, list | tuple) else (choices,)
        wrong += _mistakes(name, found[name])
    if wrong:
        raise SpaceError("; ".join(wrong))
    return found


def _mistakes(name: str, choices: Sequence[object]) -> list[str]:
    if not choices:
        return [f"the knob {name!r} has no choices; name one or more"]
    if len(set(map(repr, choices))) < len(choices):
        return [f"the knob {name!r} has a choice twice: {list(choices)}"]
    return [f"the knob {told}" for one in choices if (told := KNOBS[name].mistake(name, one))]
