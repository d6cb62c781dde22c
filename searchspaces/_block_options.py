"""Reads the options of a block: the right type and range, or an error that names the way out."""

from __future__ import annotations

from collections.abc import Sequence

from searchspaces._errors import ArchitectureError, did_you_mean
from searchspaces._options import Options

LARGEST = 2**31 - 1
"""No width, count or dimension is larger: sizes of tensors are products of them, and must fit into 64 bits."""


def check_names(block: str, options: Options, known: Sequence[str]) -> None:
    """Refuses an option that the block does not have.

    Raises:
        ArchitectureError: an option is not among `known`.
    """
    for name in options:
        if name not in known:
            raise ArchitectureError(f"block {block!r} has no option {name!r}; {did_you_mean(name, known)}")


def whole_number(block: str, options: Options, name: str) -> int:
    """An option that must be given and must be an integer of at least one.

    Raises:
        ArchitectureError: it is missing, of another type, below one or above `LARGEST`.
    """
    return _whole_number(block, name, options.get(name))


def whole_numbers(block: str, options: Options, name: str) -> tuple[int, ...]:
    """An option that must be a list of at least one integer, each at least one.

    Raises:
        ArchitectureError: it is no such list.
    """
    value = options.get(name)
    if not isinstance(value, tuple) or not value:
        raise ArchitectureError(f"{name!r} of block {block!r} must be a list of integers, but is {value!r}")
    return tuple(_whole_number(block, name, one) for one in value)


def whole_number_or(block: str, options: Options, name: str, default: int) -> int:
    """An option that must be an integer of at least one; `default` where it is not given.

    Raises:
        ArchitectureError: it is of another type, below one or above `LARGEST`.
    """
    return _whole_number(block, name, options.get(name, default))


def flag(block: str, options: Options, name: str, *, default: bool) -> bool:
    """An option that is on or off.

    Raises:
        ArchitectureError: it is not a boolean.
    """
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise ArchitectureError(f"{name!r} of block {block!r} must be true or false, but is {value!r}")
    return value


def fraction(block: str, options: Options, name: str) -> float:
    """An option of at least zero and below one; zero where it is not given.

    Raises:
        ArchitectureError: it is not a number of that range.
    """
    value = options.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ArchitectureError(f"{name!r} of block {block!r} must be at least 0 and below 1, but is {value!r}")
    return float(value)


def choice(block: str, options: Options, name: str, known: Sequence[str], *, default: str) -> str:
    """An option that is one of several words.

    Raises:
        ArchitectureError: it is none of them.
    """
    value = options.get(name, default)
    if not isinstance(value, str) or value not in known:
        raise ArchitectureError(f"{name!r} of block {block!r} must be one of {', '.join(known)}, but is {value!r}")
    return value


def positive(block: str, options: Options, name: str, *, default: float) -> float:
    """An option above zero.

    Raises:
        ArchitectureError: it is not a number of that range.
    """
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST:
        raise ArchitectureError(f"{name!r} of block {block!r} must be above 0 and at most {LARGEST}, but is {value!r}")
    return float(value)


def _whole_number(block: str, name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise ArchitectureError(f"{name!r} of block {block!r} must be an integer of at least 1, but is {value!r}")
    if value > LARGEST:
        raise ArchitectureError(f"{name!r} of block {block!r} must be an integer of at most {LARGEST}, but is {value}")
    return value
