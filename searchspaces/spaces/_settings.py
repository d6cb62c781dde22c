"""Options of blocks as decisions: named in tables, written to nodes and read from them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from searchspaces._block_options import LARGEST
from searchspaces._decisions import Assignment, Choice, Condition, Decision, OptionChoice, WidthChoice
from searchspaces._errors import SpaceError, did_you_mean
from searchspaces._options import Options

_WIDTHS = ("width", "tokens", "rank", "hidden", "rows", "dim")


@dataclass(frozen=True)
class Setting:
    """An option of a block and its choices; it is left out of the node where it has the `default`.

    It counts only where another setting of the block, `when[0]`, has one of the values `when[1]`.
    """

    name: str
    choices: tuple[Choice, ...]
    default: Choice | None = None
    when: tuple[str, tuple[Choice, ...]] | None = None


def setting_decisions(prefix: str, settings: Sequence[Setting], condition: Condition | None) -> Iterator[Decision]:
    """One decision for each setting, in slots `prefix.name`; those without `when` hang on the condition."""
    for one in settings:
        own = Condition(f"{prefix}.{one.when[0]}", one.when[1]) if one.when else condition
        kind = WidthChoice if one.name in _WIDTHS else OptionChoice
        yield kind(f"{prefix}.{one.name}", one.choices, own)


def written(prefix: str, settings: Sequence[Setting], genotype: Assignment) -> dict[str, object]:
    """Options of the block: what is decided and no default."""
    decided = {one.name: genotype[f"{prefix}.{one.name}"] for one in settings if f"{prefix}.{one.name}" in genotype}
    return {one.name: decided[one.name] for one in settings if decided.get(one.name, one.default) != one.default}


def read_settings(prefix: str, settings: Sequence[Setting], options: Mapping[str, object]) -> dict[str, Choice]:
    """Choices by slot, from the options of a block; the inverse of `written`."""
    told = {f"{prefix}.{one.name}": options.get(one.name, one.default) for one in settings}
    return {slot: value for slot, value in told.items() if isinstance(value, bool | int | float | str)}


USUAL = "usual"
"""The evaluator's own setting, which the candidate leaves alone."""


def training_settings(**choices: Sequence[float]) -> tuple[Setting, ...]:
    """Settings of training in slots `training.NAME`, each of which may also stay as usual.

    Raises:
        SpaceError: a choice is not a number above zero, or is named twice.
    """
    for name, values in choices.items():
        for value in values:
            if type(value) not in (int, float) or not 0 < value < LARGEST:
                raise SpaceError(f"choices of {name!r} must be numbers above 0, but one is {value!r}")
        if len(set(values)) < len(values):
            raise SpaceError(f"choices of {name!r} must differ, but are {list(values)}")
    return tuple(Setting(name, (USUAL, *values), USUAL) for name, values in choices.items() if values)


def read_training(settings: Sequence[Setting], training: Options) -> dict[str, Choice]:
    """Choices by slot; what is no setting of the space is found when the whole candidate is compared."""
    return read_settings("training", settings, training)


def checked_numbers(name: str, values: Sequence[int], *, least: int = 1) -> tuple[int, ...]:
    """An option of a space that lists ascending integers.

    Raises:
        SpaceError: it is empty, does not ascend, or has something else than integers from `least` on.
    """
    wrong = [one for one in values if type(one) is not int or not least <= one <= LARGEST]
    if not values or wrong or list(values) != sorted(set(values)):
        raise SpaceError(f"{name!r} must be ascending integers of at least {least}, but is {values!r}")
    return tuple(values)


def checked_count(name: str, value: int, *, least: int = 1, most: int) -> int:
    """An option of a space that is one integer.

    Raises:
        SpaceError: it is none, or out of range.
    """
    if type(value) is not int or not least <= value <= most:
        raise SpaceError(f"{name!r} must be an integer from {least} to {most}, but is {value!r}")
    return value


def checked_names(name: str, values: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """An option of a space that lists different names out of some.

    Raises:
        SpaceError: it is empty or no list, or has an unknown name or one twice.
    """
    if isinstance(values, str) or not values:
        raise SpaceError(f"{name!r} must be a list with at least one of {list(known)}, but is {values!r}")
    for one in values:
        if one not in known:
            raise SpaceError(f"no {one!r} among the {name} of this space; {did_you_mean(str(one), known)}")
    if len(set(values)) < len(values):
        raise SpaceError(f"each is named once, but {name!r} is {list(values)}")
    return tuple(values)
