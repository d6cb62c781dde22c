"""Search space of choice blocks with a dense and a sparse half each.

Zhang, Cheng, Wei, Zhang, Ye, Chen, Li, Liu, Yan and Wen (2023), NASRec: weight sharing neural architecture search for
recommender systems. Every block gives a dense vector and field vectors, and takes those of any earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._decided_space import DecidedSpace
from searchspaces._decisions import Assignment, Choice, Decision, count_assignments
from searchspaces._errors import CandidateError, SpaceError, did_you_mean
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._nasrec_graph import architecture
from searchspaces.spaces._nasrec_published import blocks_of, content_of, raw_inputs
from searchspaces.spaces._nasrec_reading import ReadBlocks, read_blocks
from searchspaces.spaces._nasrec_slots import OPERATORS, TOKENS, WIDTHS, block_decisions, block_of, decided_by, shifted
from searchspaces.spaces._nasrec_sources import Sources

__all__ = ["NASRec"]

MOST_BLOCKS = 12
"""Sets of sources grow fast with the blocks: the twelfth has 793 to choose among, the seventh 98."""


class NASRec(DecidedSpace):
    """`blocks` choice blocks with the operators of a `variant`, "full" or "small".

    Dense operators: a fully connected layer (`mlp`), pairwise products of the tokens (`dot_product`), and of two
    vectors the gated one (`sigmoid_gate`) or the sum. Sparse ones: `efc` and, in the full variant, `transformer`. Each
    block takes one to four of the earlier ones, the raw inputs (source 0) among them. Two mergers may lead from a
    block's dense vector to its field vectors (`to_sparse`) and back (`to_dense`). The logit takes the last block alone.

    `layer_norm` switches the norms behind all layers, which the authors have while they search. What is switchable in
    the raw inputs has one choice each where nothing else is said: `embeddings`, `numbers` (numeric fields as field
    vectors too), `frequency` (of ids, as numbers) and `embedding_dims`; see `_nasrec_sources`.

    A mutation chooses a block or the raw inputs, and draws again one decision of it.

    Where the published program leaves out a layer because its sizes happen to agree with the schema, this space has it.

    Raises:
        SpaceError: an option is wrong.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        variant: str = "full",
        blocks: int = 7,
        layer_norm: bool = True,
        embeddings: Sequence[str] = ("full",),
        numbers: Sequence[str] = ("none",),
        frequency: Sequence[bool] = (False,),
        embedding_dims: Sequence[int] = (16,),
    ) -> None:
        if variant not in OPERATORS:
            raise SpaceError(f"no variant {variant!r} of this space; {did_you_mean(str(variant), tuple(OPERATORS))}")
        if type(blocks) is not int or not 1 <= blocks <= MOST_BLOCKS:
            raise SpaceError(f"'blocks' must be an integer from 1 to {MOST_BLOCKS}, but is {blocks!r}")
        if type(layer_norm) is not bool:
            raise SpaceError(f"'layer_norm' must be true or false, but is {layer_norm!r}")
        sources = Sources(schema, embeddings=embeddings, numbers=numbers, frequency=frequency, dims=embedding_dims)
        groups = (sources.decisions, *(block_decisions(at, variant) for at in range(1, blocks + 1)))
        self._operators = OPERATORS[variant]
        self._choices = _Blocks(sources, blocks, tuple(one for group in groups for one in group), layer_norm)
        super().__init__(self._choices, groups=[[(one,) for one in group] for group in groups])
        self._fixed = {one.slot: one.choices[0] for one in self._decisions if len(one.choices) == 1}

    def decisions(self) -> tuple[Decision, ...]:
        """Of the raw inputs, then of each block; what has one choice only is not asked."""
        return tuple(one for one in self._decisions if one.slot not in self._fixed)

    def decoded_count(self) -> int:
        """Number of assignments of the counting decisions; several may decode to one candidate."""
        return count_assignments(self.decisions())

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """Decodes an assignment into a canonical candidate.

        Raises:
            CandidateError: a counting decision is missing or has a value that is no choice of it.
        """
        return super().to_candidate({**assignment, **self._fixed})

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """The assignment with the live blocks last; what is dead has its first choices.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        found = super().to_assignment(candidate)
        return {slot: choice for slot, choice in found.items() if slot not in self._fixed}

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """Choices of the raw inputs as one-hot, then per block: operators, sources, sizes and mergers.

        Operators are one-hot; dense sources, field sources, left and right have a bit for each source; widths and
        tokens are the index among their choices plus one. What is not live is zero.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        live = self._choices.read(candidate)
        code = [float(live[one.slot] == choice) for one in self._choices.sources.decisions for choice in one.choices]
        for number in range(1, self._choices.count + 1):
            code += self._block_code(
                {slot.partition(".")[2]: value for slot, value in live.items() if slot.startswith(f"block{number}.")}
            )
        return np.array(code)

    def _block_code(self, decided: Mapping[str, Choice]) -> list[float]:
        code = [
            float(decided.get(f"{half}_operator") == one)
            for half, known in zip(("dense", "sparse"), self._operators, strict=True)
            for one in known
        ]
        for what in ("dense", "left", "right", "fields"):
            taken = str(decided.get(what, "")).split()
            code += [float(str(source) in taken) for source in range(self._choices.count)]
        code += [
            float(choices.index(decided[what]) + 1) if what in decided else 0.0
            for what, choices in (("width", WIDTHS), ("tokens", TOKENS))
        ]
        return [*code, float(decided.get("to_sparse", False)), float(decided.get("to_dense", False))]


@dataclass(frozen=True)
class _Blocks:
    """A `Coding`: raw inputs and `count` blocks, with norms behind all layers or none."""

    sources: Sources
    count: int
    slots: tuple[Decision, ...]
    layer_norm: bool

    def decisions(self) -> tuple[Decision, ...]:
        """Of the raw inputs, then of each block."""
        return self.slots

    def candidate(self, genotype: Assignment) -> Candidate:
        """The graph of all live halves of blocks."""
        blocks = [block_of(number, genotype) for number in range(1, self.count + 1)]
        return Candidate(architecture(blocks, self.sources.inputs(genotype), layer_norm=self.layer_norm))

    def read(self, candidate: Candidate) -> Assignment:
        """The live blocks last, and nothing of those before.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        found = _read(candidate, most=self.count)
        if found.layer_norm != self.layer_norm:
            raise CandidateError(f"'layer_norm' of this space is {self.layer_norm}, but not that of the candidate")
        genotype = self.sources.read(found.raw)
        dead = self.count - len(found.blocks)
        for number, block in enumerate(found.blocks, start=dead + 1):
            genotype |= decided_by(number, shifted(block, dead))
        choices = {decision.slot: decision.choices for decision in self.slots}
        for slot, value in genotype.items():
            if value not in choices.get(slot, ()):
                raise CandidateError(f"{slot!r} must be one of {list(choices.get(slot, ()))}, but is {value!r}")
        return genotype


def from_published(content: Mapping[str, Any], *, embedding_dim: int = 16) -> Candidate:
    """A sub-network in the JSON of the published program, as a candidate for data with numeric and categorical fields.

    `test_loss`, the proxy's, is not read. Dead structure is left out, and so are sources that an operator ignores.

    Raises:
        CandidateError: the content is not such a JSON.
    """
    blocks, layer_norm = blocks_of(content)
    return Candidate(architecture(blocks, raw_inputs(embedding_dim), layer_norm=layer_norm))


def to_published(candidate: Candidate) -> dict[str, Any]:
    """The candidate in the JSON of the published program, without `test_loss`; `from_published` gives it back.

    It has as few blocks as can be, and so none that is dead; where half a block is dead, and where an operator ignores
    sources, stand the first choices. `config` is the smallest published space that has the operators.

    Raises:
        CandidateError: the candidate is not made of blocks of this space.
    """
    found = _read(candidate, most=2 * MOST_BLOCKS)
    return content_of(found.blocks, layer_norm=found.layer_norm)


def _read(candidate: Candidate, *, most: int) -> ReadBlocks:
    for kind, settings in (("training", candidate.training), ("system", candidate.system)):
        if settings:
            raise CandidateError(f"this space has no {kind} settings, but the candidate sets {sorted(settings)}")
    if candidate.architecture is None:
        raise CandidateError("a candidate of this space has an architecture, but this one has none")
    return read_blocks(candidate.architecture, most=most)
