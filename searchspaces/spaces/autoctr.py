"""Search space of a few interaction blocks over two raw input groups.

Song, Cheng, Zhou, Yang, Tian, Hu (2020), Towards automated neural interaction discovery for
click-through rate prediction. A candidate is a row of blocks in fixed order; each takes any of the raw
groups and of the earlier blocks, and the logit takes whatever nothing else took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from searchspaces._block_options import LARGEST
from searchspaces._candidate import Candidate
from searchspaces._decisions import Assignment, Choice, Condition, Decision, InputChoice, OperatorChoice, WidthChoice
from searchspaces._errors import CandidateError, SpaceError, did_you_mean
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._autoctr_graph import DENSE, SPARSE, PlacedBlock, Wiring

__all__ = ["AutoCTR"]

OPERATORS = ("mlp", "fm", "dot_product")
WIDTHS = (32, 64, 128, 256, 512, 1024)
MOST_BLOCKS = 100
"""Decisions grow with the square of the blocks; ten times as many as the published space has are slow already."""

Genotype = dict[str, Choice]
Token = tuple[Decision, ...]  # what a mutation draws again in one go


class AutoCTR:
    """`blocks` blocks, each one of `operators`; an `mlp` has one layer of one of `widths` units.

    A block without live input is not built, nor is a dot product that sees fewer than two tokens; what it
    would have taken stays free for the logit. Raw groups that the schema lacks have no decision.

    Raises:
        SpaceError: an option is wrong, or the operators leave no block that this schema can feed.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        blocks: int = 7,
        operators: Sequence[str] = OPERATORS,
        widths: Sequence[int] = WIDTHS,
        embedding_dim: int = 16,
    ) -> None:
        self._blocks = _positive("blocks", blocks, most=MOST_BLOCKS)
        self._operators = _checked_operators(operators)
        self._widths = _checked_widths(widths, needed="mlp" in self._operators)
        self._wiring = Wiring(
            schema,
            operators=self._operators,
            widths=self._widths,
            embedding_dim=_positive("embedding_dim", embedding_dim),
        )
        if self._operators == ("dot_product",) and self._wiring.most_tokens < 2:
            raise SpaceError(
                "a dot product needs two tokens, but this schema gives one and 'dot_product' is the only operator; "
                "add 'mlp' or 'fm' to the operators"
            )
        self._tokens = tuple(self._block_tokens(number) for number in range(1, self._blocks + 1))
        self._decisions = tuple(decision for tokens in self._tokens for token in tokens for decision in token)

    def decisions(self) -> tuple[Decision, ...]:
        """Per block: operator, raw groups, earlier blocks, and the width where the operator is an mlp."""
        return self._decisions

    def decoded_count(self) -> int:
        """Number of assignments of the counting decisions; several may decode to one candidate."""
        kinds = len(self._operators) + (len(self._widths) - 1 if "mlp" in self._operators else 0)
        edges = sum(len(self._wiring.sources) + earlier for earlier in range(self._blocks))
        return int(2**edges * kinds**self._blocks)

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """Decodes an assignment into a canonical candidate.

        Raises:
            CandidateError: a counting decision is missing or has a value that is no choice of it.
        """
        counting = (decision for decision in self._decisions if decision.counts(assignment))
        return self._decode({decision.slot: _chosen(decision, assignment) for decision in counting})

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """The assignment with the live blocks first, in canonical order, and blocks without inputs behind.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        genotype = self._genotype(candidate, free=lambda decision: decision.choices[0])
        return {decision.slot: genotype[decision.slot] for decision in self._decisions if decision.counts(genotype)}

    def validate(self, candidate: Candidate) -> None:
        """Returns silently for a point of the space.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        self._read(candidate)

    def sample(self, rng: np.random.Generator) -> Candidate:
        """Every decision uniform among its choices."""
        return self._decode({decision.slot: _drawn(decision.choices, rng) for decision in self._decisions})

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """Re-draws one token of one block, both uniform, until the fingerprint differs.

        The tokens are the operator, each raw group, all earlier blocks together, and the width of an mlp.
        A change without effect is kept and the next one made on top of it, so that what takes two steps
        (both inputs of a dot product, say) is in reach too.

        Raises:
            CandidateError: the parent is not a point of this space.
        """
        genotype = self._genotype(parent, free=lambda decision: _drawn(decision.choices, rng))
        while True:
            self._redraw_token(genotype, rng)
            child = self._decode(genotype)
            if child.fingerprint != parent.fingerprint:
                return child

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """Each decision from one of the two at random; a width from one whose block has it.

        Raises:
            CandidateError: a parent is not a point of this space.
        """
        parents = [
            self._genotype(parent, free=lambda decision: _drawn(decision.choices, rng)) for parent in (one, other)
        ]
        child: Genotype = {}
        for decision in self._decisions:
            donors = [parent for parent in parents if decision.counts(parent)] or parents
            child[decision.slot] = donors[int(rng.integers(len(donors)))][decision.slot]
        return self._decode(child)

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """Per block: operator as one-hot, both raw groups, earlier blocks, index of the width.

        Blocks that are not live are zero. The default space has 13 numbers for each of its 7 blocks.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        names = [*self._operators, DENSE, SPARSE, *(f"block{number + 1}" for number in range(self._blocks))]
        columns = {name: column for column, name in enumerate(names)}
        code = np.zeros((self._blocks, len(names) + 1))
        for row, block in enumerate(self._read(candidate)):
            code[row, [columns[name] for name in (block.operator, *block.inputs)]] = 1
            code[row, -1] = self._widths.index(block.width) if block.width else 0
        return code.ravel()

    def _block_tokens(self, number: int) -> tuple[Token, ...]:
        name = f"block{number}"
        tokens: list[Token] = [(OperatorChoice(f"{name}.operator", self._operators),)]
        tokens += [(InputChoice(f"{name}.{group}", (False, True)),) for group in self._wiring.sources]
        if number > 1:
            tokens.append(tuple(InputChoice(f"{name}.block{earlier}", (False, True)) for earlier in range(1, number)))
        if "mlp" in self._operators:
            tokens.append((WidthChoice(f"{name}.width", self._widths, Condition(f"{name}.operator", ("mlp",))),))
        return tuple(tokens)

    def _decode(self, genotype: Genotype) -> Candidate:
        blocks = []
        for number, tokens in enumerate(self._tokens, start=1):
            name = f"block{number}"
            edges = [decision.slot for token in tokens for decision in token if isinstance(decision, InputChoice)]
            operator = str(genotype[f"{name}.operator"])
            width = int(genotype[f"{name}.width"]) if operator == "mlp" else 0
            inputs = tuple(slot.partition(".")[2] for slot in edges if genotype[slot])
            blocks.append(PlacedBlock(operator, inputs, width))
        return Candidate(self._wiring.architecture(blocks))

    def _read(self, candidate: Candidate) -> list[PlacedBlock]:
        blocks = self._wiring.blocks(candidate)
        if len(blocks) > self._blocks:
            raise CandidateError(f"this space has {self._blocks} blocks, but the candidate has {len(blocks)}")
        return blocks

    def _genotype(self, candidate: Candidate, *, free: Callable[[Decision], Choice]) -> Genotype:
        """Every decision, counting or not; `free` gives what the candidate leaves open."""
        live = {f"block{number}": block for number, block in enumerate(self._read(candidate), start=1)}
        genotype: Genotype = {}
        for decision in self._decisions:
            name, _, what = decision.slot.partition(".")
            block = live.get(name)
            if isinstance(decision, InputChoice):
                genotype[decision.slot] = block is not None and what in block.inputs
            elif block is None or not decision.counts(genotype):
                genotype[decision.slot] = free(decision)
            else:
                genotype[decision.slot] = block.operator if what == "operator" else block.width
        return genotype

    def _redraw_token(self, genotype: Genotype, rng: np.random.Generator) -> None:
        tokens = self._tokens[int(rng.integers(self._blocks))]
        counting = [token for token in tokens if token[0].counts(genotype) and len(token[0].choices) > 1]
        token = counting[int(rng.integers(len(counting)))]
        if len(token) > 1:
            genotype.update({decision.slot: _drawn(decision.choices, rng) for decision in token})
        else:
            others = [choice for choice in token[0].choices if choice != genotype[token[0].slot]]
            genotype[token[0].slot] = _drawn(others, rng)


def _drawn(choices: Sequence[Choice], rng: np.random.Generator) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def _chosen(decision: Decision, assignment: Assignment) -> Choice:
    if decision.slot not in assignment:
        raise CandidateError(f"an assignment decides every slot that counts, but {decision.slot!r} is missing")
    value = assignment[decision.slot]
    if value not in decision.choices:
        raise CandidateError(f"{decision.slot!r} must be one of {list(decision.choices)}, but is {value!r}")
    return decision.choices[decision.choices.index(value)]


def _positive(name: str, value: int, *, most: int = LARGEST) -> int:
    if type(value) is not int or value < 1:
        raise SpaceError(f"{name!r} must be an integer of at least 1, but is {value!r}")
    if value > most:
        raise SpaceError(f"{name!r} must be an integer of at most {most}, but is {value!r}")
    return value


def _checked_operators(operators: Sequence[str]) -> tuple[str, ...]:
    if isinstance(operators, str) or not operators:
        raise SpaceError(f"'operators' must be a list with at least one of {list(OPERATORS)}, but is {operators!r}")
    for operator in operators:
        if operator not in OPERATORS:
            raise SpaceError(f"no operator {operator!r} in this space; {did_you_mean(str(operator), OPERATORS)}")
    if len(set(operators)) < len(operators):
        raise SpaceError(f"each operator is named once, but 'operators' is {list(operators)}")
    return tuple(operators)


def _checked_widths(widths: Sequence[int], *, needed: bool) -> tuple[int, ...]:
    if needed and not widths:
        raise SpaceError(
            "an 'mlp' needs a choice of widths, but 'widths' is empty; give some or leave out the operator"
        )
    if list(widths) != sorted(set(widths)):
        raise SpaceError(f"'widths' must ascend and differ, but is {list(widths)}")
    return tuple(_positive("widths", width) for width in widths)
