"""Says in words what makes one candidate another: blocks added, dropped, replaced, widened, and wires laid anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from searchspaces._architecture import Architecture, Node
from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._edit_distance import match_nodes

STEPS = 60
"""Of the search for the cheapest edits: enough for what one mutation does, milliseconds where it did more."""

_Modules = Mapping[str, Mapping[str, object]]
_Wire = tuple[int | None, int | None, str]  # source, consumer, port

REWIRE = "rewire"

SIZES = (
    "width",
    "widths",
    "units",
    "dim",
    "tokens",
    "heads",
    "hidden",
    "rank",
    "experts",
    "channels",
    "layers",
    "attention",
)
"""Last words of options by which a block is wider or narrower; of any other one it is told that it has changed."""

MODULES = "modules"
"""The option of a block that is itself made of blocks, each a name or a name with options."""


@dataclass(frozen=True)
class Edit:
    """One edit: its `kind`, equal for what is alike ("widen mlp"), and a `text` that tells this one apart."""

    kind: str
    text: str


def edits_between(parent: Candidate, child: Candidate) -> tuple[Edit, ...]:
    """What makes the child of the parent, on the cheapest path of edits that a short search finds; empty if equal.

    Blocks are compared in their canonical graphs, whatever the space calls them. An edge that comes or goes with its
    block is part of that edit: `rewire` is told of edges between blocks that stay, and only where no block changes,
    since one that comes or goes moves its neighbours' wires.

    >>> from searchspaces import Options
    >>> def of(*nodes: Node) -> Candidate: return Candidate(Architecture((Node("numeric"), *nodes)))
    >>> short = of(Node("mlp", (0,), Options(width=64)), Node("logit", (1,)))
    >>> deep = of(Node("mlp", (0,), Options(width=128)), Node("cross", (1,)), Node("logit", (2,)))
    >>> [edit.text for edit in edits_between(short, deep)]
    ['widen mlp: width 64 to 128', 'add cross']
    """
    edits = [*_of_architecture(parent.architecture, child.architecture)]
    for kind, own, other in (("training", parent.training, child.training), ("system", parent.system, child.system)):
        for name in _differing(own, other):
            edits.append(Edit(f"set {kind} {name}", f"set {kind} {name}: {_change(own, other, name)}"))
    return tuple(edits)


def _of_architecture(one: Architecture | None, other: Architecture | None) -> Iterator[Edit]:
    if one is None or other is None:
        if one is not other:
            yield Edit(
                "add architecture" if one is None else "drop architecture", "an architecture where there was none"
            )
        return
    parent, child = canonical(one), canonical(other)
    if parent.to_json() == child.to_json():
        return
    became = match_nodes(parent, child, steps=STEPS)
    found = list(_of_nodes(parent, child, became))
    yield from found or [Edit(REWIRE, _rewired(parent, child, became))]


def _of_nodes(parent: Architecture, child: Architecture, became: tuple[int | None, ...]) -> Iterator[Edit]:
    for own, image in zip(parent.nodes, became, strict=True):
        if image is None:
            yield Edit(f"drop {own.block}", f"drop {_named(own)}")
        elif own.block != child.nodes[image].block:
            other = child.nodes[image]
            yield Edit(f"replace {own.block} by {other.block}", f"replace {_named(own)} by {_named(other)}")
        else:
            yield from _of_options(own, child.nodes[image])
    for at, node in enumerate(child.nodes):
        if at not in became:
            yield Edit(f"add {node.block}", f"add {_named(node)}")


def _of_options(own: Node, other: Node) -> Iterator[Edit]:
    before, after = (_modules(node.options.get(MODULES)) for node in (own, other))
    if before and after:
        yield from _of_modules(before, after, own.block)
    options = [{name: value for name, value in node.options.items() if name != "ports"} for node in (own, other)]
    for name in _differing(*options):
        if not (name == MODULES and before and after):
            yield _of_option(own.block, name, own.options, other.options)


def _of_option(block: str, name: str, own: Mapping[str, object], other: Mapping[str, object]) -> Edit:
    change = f"{name} {_change(own, other, name)}"
    before, after = (_size(options.get(name)) for options in (own, other))
    if _is_size(name) and before is not None and after is not None and before != after:
        verb = "widen" if after > before else "narrow"
        return Edit(f"{verb} {block}", f"{verb} {block}: {change}")
    return Edit(f"set {name} of {block}", f"set {block}: {change}")


def _of_modules(before: _Modules, after: _Modules, block: str) -> Iterator[Edit]:
    for name in before.keys() - after.keys():
        yield Edit(f"drop {name} of {block}", f"drop {name} of {block}")
    for name in after.keys() - before.keys():
        yield Edit(f"add {name} to {block}", f"add {name} to {block}")
    for name in sorted(before.keys() & after.keys()):
        for option in _differing(before[name], after[name]):
            yield _of_option(f"{name} of {block}", option, before[name], after[name])


def _modules(value: object) -> _Modules:
    """Options by name; empty where the value is of another form, or names a module twice."""
    if not isinstance(value, tuple):
        return {}
    found: dict[str, Mapping[str, object]] = {}
    for one in value:
        name, options = (
            (one, ()) if isinstance(one, str) else one if isinstance(one, tuple) and len(one) == 2 else ("", ())
        )
        if not isinstance(name, str) or not name or name in found:
            return {}
        found[name] = dict(options)
    return found


def _rewired(parent: Architecture, child: Architecture, became: tuple[int | None, ...]) -> str:
    moved: set[_Wire] = {(became[source], became[to], port) for source, to, port in _wires(parent)}
    new: set[_Wire] = set(_wires(child))
    cut = [_wire(child, wire) for wire in sorted(moved - new, key=str)]
    laid = [_wire(child, wire) for wire in sorted(new - moved, key=str)]
    told = [f"{sign}{wire}" for sign, wires_ in (("-", cut), ("+", laid)) for wire in wires_]
    return f"{REWIRE}: {', '.join(told)}" if told else REWIRE


def _wires(graph: Architecture) -> list[tuple[int, int, str]]:
    inputs = ((to, node, at) for to, node in enumerate(graph.nodes) for at in range(len(node.inputs)))
    return [(node.inputs[at], to, node.port_of(at)) for to, node, at in inputs]


def _wire(graph: Architecture, wire: _Wire) -> str:
    source, to, _ = wire
    return f"{_place(graph, source)} to {_place(graph, to)}"


def _place(graph: Architecture, at: int | None) -> str:
    return "nothing" if at is None else f"{graph.nodes[at].block} {at}"


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    names = dict.fromkeys((*one, *other))
    return [name for name in names if name not in one or name not in other or repr(one[name]) != repr(other[name])]


def _change(one: Mapping[str, object], other: Mapping[str, object], name: str) -> str:
    return f"{one.get(name, 'unset')} to {other.get(name, 'unset')}"


def _size(value: object) -> float | None:
    """A number by which a block is told wider: the number itself, or the sum of several."""
    if isinstance(value, tuple | list) and value and all(_size(one) is not None for one in value):
        return float(sum(_size(one) or 0.0 for one in value))
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _named(node: Node) -> str:
    sizes = [f"{name} {value}" for name, value in node.options.items() if _is_size(name)]
    return f"{node.block} ({', '.join(sizes)})" if sizes else node.block


def _is_size(name: str) -> bool:
    return name.rpartition("_")[2] in SIZES
