"""Ports: which input of a block plays which role, where its inputs are not interchangeable."""

from __future__ import annotations

from collections.abc import Sequence

from searchspaces._errors import ArchitectureError, did_you_mean
from searchspaces._options import Options
from searchspaces._shapes import Shape


def ports(
    block: str, inputs: Sequence[Shape], options: Options, known: Sequence[str], *, optional: Sequence[str] = ()
) -> dict[str, tuple[int, ...]]:
    """Positions of the inputs at each of the `known` ports, in their order; only `optional` ones may have none.

    >>> from searchspaces import Dense
    >>> ports("sigmoid_gate", [Dense(4), Dense(8)], Options(ports=["gate", "value"]), ("value", "gate"))
    {'value': (1,), 'gate': (0,)}

    Raises:
        ArchitectureError: the option `ports` is missing, does not name one known port for each input, or leaves a
            port without one.
    """
    named = options.get("ports")
    if not isinstance(named, tuple) or len(named) != len(inputs):
        raise ArchitectureError(
            f"block {block!r} needs the option 'ports' with one of {', '.join(known)} for each of its "
            f"{len(inputs)} inputs, but it is {named!r}"
        )
    for one in named:
        if one not in known:
            raise ArchitectureError(f"block {block!r} has no port {one!r}; {did_you_mean(str(one), known)}")
    found = {port: tuple(at for at, one in enumerate(named) if one == port) for port in known}
    for port, positions in found.items():
        if not positions and port not in optional:
            raise ArchitectureError(f"block {block!r} needs an input at port {port!r}, but the ports are {named!r}")
    return found
