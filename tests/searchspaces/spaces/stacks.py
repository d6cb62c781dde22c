"""Stacks by hand, in the form of the human-made models."""

from __future__ import annotations

from searchspaces import Architecture, Candidate, Node, Options


def stack(block: str, *layers: Options, head: Options | None = None, numeric: Node | None = None) -> Candidate:
    """Both raw groups, layers on layers, a perceptron unless `head` is none, the logit."""
    nodes = [numeric or Node("numeric_linear", (), Options(dim=16)), Node("full", (), Options(dim=16))]
    inputs: tuple[int, ...] = (0, 1)
    for block_name, options in [*((block, one) for one in layers), *([("mlp", head)] if head else [])]:
        nodes.append(Node(block_name, inputs, options))
        inputs = (len(nodes) - 1,)
    return Candidate(Architecture((*nodes, Node("logit", inputs))))


HEAD = Options(widths=[256, 128])
