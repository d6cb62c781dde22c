"""Layers on layers over all raw inputs, then a multilayer perceptron or none, then the logit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from searchspaces._architecture import Architecture, Node
from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._decisions import Assignment, Choice, Condition, Decision, OptionChoice, WidthChoice
from searchspaces._errors import CandidateError
from searchspaces._options import Options
from searchspaces._shapes import Fields
from searchspaces.spaces._settings import (
    Setting,
    checked_count,
    checked_numbers,
    read_settings,
    read_training,
    setting_decisions,
    written,
)
from searchspaces.spaces._source_choices import SourceChoices, token_count

MOST_LAYERS = 16


class Layer(Protocol):
    """One layer of a stack, whose decisions are in slots that begin with a `prefix`."""

    @property
    def block(self) -> str:
        """Block of each layer."""
        ...

    def decisions(self, prefix: str, condition: Condition | None) -> Iterator[Decision]:
        """What is decided of a layer; decisions without a condition of their own have that of the layer."""
        ...

    def options(self, prefix: str, genotype: Assignment, *, has_pairs: bool) -> Mapping[str, object]:
        """Options of the layer's node; `has_pairs` where it takes two tokens or more."""
        ...

    def read(self, prefix: str, options: Options) -> Mapping[str, Choice]:
        """Choices by slot, from the options of a node."""
        ...


@dataclass(frozen=True)
class Widths:
    """Hidden layers of a perceptron, in slots `prefix.layers` and `prefix.width1`, `prefix.width2`, ..."""

    least: int
    most: int
    widths: tuple[int, ...]

    @classmethod
    def checked(cls, most: int, widths: Sequence[int], *, least: int, names: tuple[str, str]) -> Widths:
        """Of options of a space, called by these names.

        Raises:
            SpaceError: an option is out of its range.
        """
        count = checked_count(names[0], most, least=least, most=MOST_LAYERS)
        return cls(least, count, checked_numbers(names[1], widths))

    def decisions(self, prefix: str, condition: Condition | None) -> Iterator[Decision]:
        """How many layers, and the width of each."""
        yield OptionChoice(f"{prefix}.layers", tuple(range(self.least, self.most + 1)), condition)
        for number in range(1, self.most + 1):
            yield WidthChoice(f"{prefix}.width{number}", self.widths, self.from_on(prefix, number))

    def from_on(self, prefix: str, number: int) -> Condition:
        """There are at least so many layers."""
        return Condition(f"{prefix}.layers", tuple(range(max(number, self.least), self.most + 1)))

    def of(self, prefix: str, genotype: Assignment) -> list[Choice]:
        """The widths, in order."""
        return [genotype[f"{prefix}.width{number + 1}"] for number in range(int(genotype[f"{prefix}.layers"]))]

    def read(self, prefix: str, widths: object) -> dict[str, Choice]:
        """Choices by slot; the inverse of `of`."""
        if not isinstance(widths, tuple):
            return {f"{prefix}.layers": 0}
        return {
            f"{prefix}.layers": len(widths),
            **{f"{prefix}.width{number}": width for number, width in enumerate(widths, start=1)},
        }


HEAD = (Setting("norm", ("none", "batch", "layer"), "none"), Setting("dropout", (0.0, 0.1, 0.3), 0.0))


@dataclass(frozen=True)
class Stack:
    """A `Coding`: sources, 1 to `most_layers` layers, a head, and settings of training."""

    sources: SourceChoices
    layer: Layer
    most_layers: int
    head: Widths
    training: tuple[Setting, ...]

    def decisions(self) -> list[Decision]:
        """Sources, number of layers, each layer, head, training."""
        layers = range(1, self.most_layers + 1)
        found = [*self.sources.decisions(), OptionChoice("layers", tuple(layers))]
        for number in layers:
            condition = Condition("layers", tuple(layers)[number - 1 :]) if number > 1 else None
            found += self.layer.decisions(f"layer{number}", condition)
        found += self.head.decisions("head", None)
        if self.head.most:
            found += setting_decisions("head", HEAD, self.head.from_on("head", 1))
        return [*found, *setting_decisions("training", self.training, None)]

    def candidate(self, genotype: Assignment) -> Candidate:
        """The chain of all layers."""
        nodes = [node for group in self.sources.nodes(genotype).values() for node in group]
        shapes = self.sources.shapes(nodes)
        has_pairs, dim = token_count(shapes) > 1, genotype["dim"]
        without_dim: dict[str, object] = {} if any(isinstance(one, Fields) for one in shapes) else {"dim": dim}
        inputs = tuple(range(len(nodes)))
        for number in range(1, int(genotype["layers"]) + 1):
            options = self.layer.options(f"layer{number}", genotype, has_pairs=has_pairs)
            nodes.append(Node(self.layer.block, inputs, Options(without_dim, **options)))
            inputs, has_pairs, without_dim = (len(nodes) - 1,), True, {}
        widths = self.head.of("head", genotype)
        if widths:
            nodes.append(Node("mlp", inputs, Options(widths=widths, **written("head", HEAD, genotype))))
        nodes.append(Node("logit", (len(nodes) - 1,)))
        training = Options(written("training", self.training, genotype))
        return Candidate(canonical(Architecture(tuple(nodes))), training)

    def read(self, candidate: Candidate) -> Assignment:
        """Choices by slot, in the order of the chain.

        Raises:
            CandidateError: there is no architecture, or another block than those of this space.
        """
        if candidate.architecture is None:
            raise CandidateError("a candidate of this space has an architecture, but this one has none")
        nodes = canonical(candidate.architecture).nodes
        chain = [node for node in nodes if node.inputs]
        for node in chain:
            if node.block not in (self.layer.block, "mlp", "logit"):
                raise CandidateError(
                    f"blocks of this space are {self.layer.block}, mlp and logit, but the candidate has {node.block!r}"
                )
        layers = [node.options for node in chain if node.block == self.layer.block]
        heads = [node.options for node in chain if node.block == "mlp"] or [Options()]
        found: dict[str, Choice] = {**_read_dim(layers), **self.sources.read([one for one in nodes if not one.inputs])}
        found["layers"] = len(layers)
        for number, options in enumerate(layers, start=1):
            found |= self.layer.read(f"layer{number}", options)
        found |= self.head.read("head", heads[0].get("widths")) | read_settings("head", HEAD, heads[0])
        return found | read_training(self.training, candidate.training)


def _read_dim(layers: Sequence[Options]) -> dict[str, Choice]:
    dim = layers[0].get("dim") if layers else None
    return {"dim": dim} if type(dim) is int else {}
