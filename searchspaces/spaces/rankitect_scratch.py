"""Search space of low-level operators, wired from scratch between raw inputs and logit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from searchspaces._architecture import Architecture, Node
from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._decided_space import DecidedSpace
from searchspaces._decisions import Assignment, Choice, Condition, Decision, InputChoice, OperatorChoice, OptionChoice
from searchspaces._errors import CandidateError, SearchSpaceError, SpaceError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Shape
from searchspaces.cost import shapes
from searchspaces.spaces._scratch_graph import GATE, IDENTITY, OPERATORS, BlockChoices, Graph, read_blocks
from searchspaces.spaces._settings import (
    Setting,
    checked_count,
    checked_names,
    checked_numbers,
    read_training,
    setting_decisions,
    training_settings,
    written,
)
from searchspaces.spaces._source_choices import SourceChoices

__all__ = ["RankitectScratch"]

MOST_BLOCKS = 32
USUAL_INPUTS = 2.0
"""Inputs that a block is drawn with on average, as far as there are so many: as in NASRec's supernet, nearly."""


class RankitectScratch(DecidedSpace):
    """`least_blocks` to `most_blocks` blocks of low-level operators, each on any raw groups and earlier blocks.

    Wen et al. (2023), Rankitect: ranking architecture search battling world-class engineers at Meta scale. The paper
    does not print its operators; here they are those of Zhang et al. (2023), NASRec: weight sharing neural
    architecture search for recommender systems (fully connected, dot product, sigmoid gating, sum, transformer, EFC,
    FM), a low-rank cross of DCN V2, linear compression along the tokens (`token_linear`) and the identity.

    Every block takes vectors and field vectors alike and gives the one or the other. A sum projects inputs of another
    width to its own. A gate has one input of its own. The logit takes what nothing else took. A block without inputs
    is not built, nor is one that cannot work on those that it has; what it would have taken stays free. A block that
    would give what it takes (the identity, or a sum of one vector) stands for its last input.

    Options: `least_blocks`, `most_blocks`; `operators`, all where not given; `widths` of dense outputs and `tokens` of
    field outputs; `ranks` of a cross; `embedding_dims`; `embeddings` of categorical fields, `full` where not given (or
    `hashed`, `quotient_remainder`, `mixed_dimension`, `multi_embedding`, `frequency`) and `numerics`, `numeric` and
    `numeric_linear` where not given (or `quantile_bins`, `piecewise_linear`, `autodis`), several beside each other
    with a plus: "numeric+quantile_bins"; `learning_rates` and `weight_decays` that stand to choice beside the
    evaluator's own, none where not given.

    Raises:
        SpaceError: an option is wrong, or the operators make no block of raw inputs.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        least_blocks: int = 4,
        most_blocks: int = 12,
        operators: Sequence[str] = OPERATORS,
        widths: Sequence[int] = (16, 32, 64, 128, 256, 512),
        tokens: Sequence[int] = (8, 16, 32),
        ranks: Sequence[int] = (8, 32, 128),
        embedding_dims: Sequence[int] = (16,),
        embeddings: Sequence[str] = ("full",),
        numerics: Sequence[str] = ("numeric", "numeric_linear"),
        learning_rates: Sequence[float] = (),
        weight_decays: Sequence[float] = (),
    ) -> None:
        sources = SourceChoices(schema, dims=embedding_dims, embeddings=embeddings, numerics=numerics)
        chosen = checked_names("operators", operators, OPERATORS)
        if set(chosen) <= {IDENTITY, "dot_product"}:
            raise SpaceError(f"'operators' must have one that works on any input, such as 'mlp', but is {list(chosen)}")
        choices: Mapping[str, tuple[Choice, ...]] = {
            "width": checked_numbers("widths", widths, least=2),
            "tokens": checked_numbers("tokens", tokens, least=2),
            "rank": checked_numbers("ranks", ranks),
            "norm": (False, True),
            "heads": tuple(heads for heads in (1, 2, 4, 8) if all(dim % heads == 0 for dim in sources.dims)),
            "layers": (1, 2, 3),
        }
        most = checked_count("most_blocks", most_blocks, most=MOST_BLOCKS)
        least = checked_count("least_blocks", least_blocks, most=most)
        training = training_settings(learning_rate=learning_rates, weight_decay=weight_decays)
        scratch = _Scratch(sources, BlockChoices(chosen, choices), tuple(range(least, most + 1)), training)
        super().__init__(scratch, chances=scratch.chances())


@dataclass(frozen=True)
class _Scratch:
    """A `Coding`: sources, how many blocks, each block, and settings of training."""

    sources: SourceChoices
    block: BlockChoices
    counts: tuple[int, ...]
    training: tuple[Setting, ...]

    def decisions(self) -> list[Decision]:
        """Sources, number of blocks, each block, training."""
        found: list[Decision] = [*self.sources.decisions(), OptionChoice("blocks", self.counts)]
        for number in range(1, self.counts[-1] + 1):
            found += self._of_block(number)
        return [*found, *setting_decisions("training", self.training, None)]

    def chances(self) -> dict[str, float]:
        """Of each input, so that a block has `USUAL_INPUTS` on average."""
        found: dict[str, float] = {}
        for number in range(1, self.counts[-1] + 1):
            names = self._inputs(number)
            found |= {f"block{number}.{name}": min(0.5, USUAL_INPUTS / len(names)) for name in names}
        return found

    def candidate(self, genotype: Assignment) -> Candidate:
        """The graph of all live blocks."""
        graph = Graph(genotype["dim"], self.sources.schema)
        for group, nodes in self.sources.nodes(genotype).items():
            graph.add_source(group, nodes, self.sources.shapes(nodes))
        for number in range(1, int(genotype["blocks"]) + 1):
            name = f"block{number}"
            inputs = [one for one in self._inputs(number) if genotype[f"{name}.{one}"]]
            graph.add_block(name, str(genotype[f"{name}.operator"]), inputs, genotype)
        nodes = (*graph.nodes, Node("logit", tuple(sorted(graph.free))))
        training = Options(written("training", self.training, genotype))
        return Candidate(canonical(Architecture(nodes)), training)

    def read(self, candidate: Candidate) -> Assignment:
        """The live blocks first, in canonical order, and blocks without inputs behind.

        Raises:
            CandidateError: there is no architecture, it does not fit the schema, or a node is no operator of the space.
        """
        if candidate.architecture is None:
            raise CandidateError("a candidate of this space has an architecture, but this one has none")
        nodes = canonical(candidate.architecture).nodes
        dims = [node.options["dim"] for node in nodes if type(node.options.get("dim")) is int]
        found: dict[str, Choice] = {"dim": int(str(dims[0]))} if dims else {}
        found |= self.sources.read([node for node in nodes if not node.inputs])
        names = {at: self.sources.group_of(node) for at, node in enumerate(nodes) if not node.inputs}
        blocks = read_blocks(nodes, self._shapes(nodes), names)
        found["blocks"] = next((count for count in self.counts if count >= len(blocks)), len(blocks))
        for number in range(1, self.counts[-1] + 1):
            found |= {f"block{number}.{name}": False for name in self._inputs(number)}
        for number, block in enumerate(blocks, start=1):
            found |= {f"block{number}.{name}": choice for name, choice in block.items()}
        return found | read_training(self.training, candidate.training)

    def _shapes(self, nodes: Sequence[Node]) -> tuple[Shape, ...]:
        try:
            return shapes(Architecture(tuple(nodes)), self.sources.schema)
        except SearchSpaceError as error:
            raise CandidateError(
                f"a candidate must fit the fields of the data, but this one does not: {error}"
            ) from error

    def _of_block(self, number: int) -> Iterator[Decision]:
        name, there = f"block{number}", tuple(count for count in self.counts if count >= number)
        condition = Condition("blocks", there) if there != self.counts else None
        yield OperatorChoice(f"{name}.operator", self.block.operators, condition)
        inputs = self._inputs(number)
        for one in inputs:
            yield InputChoice(f"{name}.{one}", (False, True), condition)
        if GATE in self.block.operators:
            yield OptionChoice(f"{name}.gate", inputs, Condition(f"{name}.operator", (GATE,)))
        for what, kind, choices, operators in self.block.decided():
            yield kind(f"{name}.{what}", choices, Condition(f"{name}.operator", operators))

    def _inputs(self, number: int) -> tuple[str, ...]:
        """Names that a block may take: raw groups and earlier blocks."""
        return (*self.sources.choices, *(f"block{earlier}" for earlier in range(1, number)))
