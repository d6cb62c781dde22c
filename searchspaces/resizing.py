"""The same architecture in other sizes: embedding dimension, layer widths, dropout, as far as its blocks allow.

Which options a block has, and which sizes of neighbours must fit, is not written down here: a change is kept where the
architecture still has its shapes. So a block or a human-made architecture that is new needs no entry anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from searchspaces._architecture import Architecture, Node
from searchspaces._errors import SearchSpaceError
from searchspaces._options import Options, Value
from searchspaces._schema import FeatureSchema
from searchspaces.cost import shapes

NARROWEST = 8
"""A layer of fewer units is no hidden layer but a logit or a gate, and keeps its width."""

Change = Callable[[Options], Options]


def embedding_dim(architecture: Architecture) -> int | None:
    """The largest `dim` of the sources; None where they have none above one: there is nothing to resize then."""
    dims = [dim for node in architecture.nodes if not node.inputs and type(dim := node.options.get("dim")) is int]
    return max(dims) if dims and max(dims) > 1 else None


def with_dim(architecture: Architecture, schema: FeatureSchema, dim: int) -> Architecture:
    """With `dim` in the place of its embedding dimension, wherever a block names it; unchanged where that cannot be."""
    known = embedding_dim(architecture)
    if known is None or known == dim:
        return architecture
    tries: tuple[Change, ...] = (
        lambda options: _replaced(options, known, dim),
        lambda options: _with_last_width(_replaced(options, known, dim), known, dim),
    )
    changed = (_everywhere(architecture, change) for change in tries)
    return next((one for one in changed if _fits(one, schema)), architecture)


def with_widths(architecture: Architecture, schema: FeatureSchema, factor: float) -> Architecture:
    """With hidden layers `factor` times as wide; layers whose width must stay as it is stay."""
    tries: tuple[Change, ...] = (
        lambda options: _scaled(options, factor, keeps_last=False),
        lambda options: _scaled(options, factor, keeps_last=True),
    )
    whole = _everywhere(architecture, tries[0])
    return whole if _fits(whole, schema) else _one_by_one(architecture, schema, tries)


def with_dropout(architecture: Architecture, schema: FeatureSchema, share: float) -> Architecture:
    """With `share` of the units dropped in every block that has the option; zero is only said where another is."""

    def change(options: Options) -> Options:
        is_said = bool(share) or "dropout" in options
        return Options(options, dropout=share) if is_said else options

    return _one_by_one(architecture, schema, (change,))


def _one_by_one(architecture: Architecture, schema: FeatureSchema, tries: Sequence[Change]) -> Architecture:
    """The first of the changes that fits, at each block for itself."""
    for at, node in enumerate(architecture.nodes):
        if node.inputs:
            changed = (_at(architecture, at, change(node.options)) for change in tries)
            architecture = next((one for one in changed if _fits(one, schema)), architecture)
    return architecture


def _everywhere(architecture: Architecture, change: Change) -> Architecture:
    return Architecture(tuple(replace(node, options=change(node.options)) for node in architecture.nodes))


def _at(architecture: Architecture, at: int, options: Options) -> Architecture:
    nodes: list[Node] = list(architecture.nodes)
    nodes[at] = replace(nodes[at], options=options)
    return Architecture(tuple(nodes))


def _fits(architecture: Architecture, schema: FeatureSchema) -> bool:
    try:
        shapes(architecture, schema)
    except SearchSpaceError:
        return False
    return True


def _replaced(options: Options, known: int, dim: int) -> Options:
    return Options(options, dim=dim) if options.get("dim") == known else options


def _with_last_width(options: Options, known: int, dim: int) -> Options:
    return _rewidened(options, lambda widths: (*widths[:-1], dim if widths[-1] == known else widths[-1]))


def _scaled(options: Options, factor: float, *, keeps_last: bool) -> Options:
    def change(widths: tuple[int, ...]) -> tuple[int, ...]:
        scaled = tuple(width if width < NARROWEST else max(1, round(width * factor)) for width in widths)
        return (*scaled[:-1], widths[-1]) if keeps_last else scaled

    return _rewidened(options, change)


def _rewidened(options: Options, change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Options:
    changed: dict[str, Value] = dict(options)
    for name, widths in _widths(options):
        changed[name] = change(widths) if name == "widths" else change(widths)[0]
    return Options(changed)


def _widths(options: Options) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The options that say how wide layers are, each as a tuple."""
    for name in ("width", "widths"):
        value = options.get(name)
        found = value if isinstance(value, tuple) else (value,)
        if found and all(type(one) is int for one in found):
            yield name, tuple(one for one in found if isinstance(one, int))
