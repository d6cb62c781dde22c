"""Search space of a few interaction blocks over two raw input groups.

Song, Cheng, Zhou, Yang, Tian, Hu (2020), Towards automated neural interaction discovery for
click-through rate prediction. A candidate is a row of blocks in fixed order; each takes any of the raw
groups and of the earlier blocks, and the logit takes whatever nothing else took.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchspaces._block_options import LARGEST
from searchspaces._candidate import Candidate
from searchspaces._decided_space import DecidedSpace, Token
from searchspaces._decisions import (
    Assignment,
    Choice,
    Condition,
    Decision,
    InputChoice,
    OperatorChoice,
    WidthChoice,
    count_assignments,
)
from searchspaces._errors import CandidateError, SpaceError, did_you_mean
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._autoctr_graph import DENSE, SPARSE, PlacedBlock, Wiring

__all__ = ["AutoCTR"]

OPERATORS = ("mlp", "fm", "dot_product")
WIDTHS = (32, 64, 128, 256, 512, 1024)
MOST_BLOCKS = 100
"""Decisions grow with the square of the blocks; ten times as many as the published space has are slow already."""


class AutoCTR(DecidedSpace):
    """`blocks` blocks, each one of `operators`; an `mlp` has one layer of one of `widths` units.

    A block without live input is not built, nor is a dot product that sees fewer than two tokens; what it
    would have taken stays free for the logit. Raw groups that the schema lacks have no decision.

    A mutation chooses a block and draws again its operator, a raw group, all earlier blocks together, or the width of
    an mlp.

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
        count, known = _positive("blocks", blocks, most=MOST_BLOCKS), _checked_operators(operators)
        units = _checked_widths(widths, needed="mlp" in known)
        dim = _positive("embedding_dim", embedding_dim)
        wiring = Wiring(schema, operators=known, widths=units, embedding_dim=dim)
        if known == ("dot_product",) and wiring.most_tokens < 2:
            raise SpaceError(
                "a dot product needs two tokens, but this schema gives one and 'dot_product' is the only operator; "
                "add 'mlp' or 'fm' to the operators"
            )
        self._row = _Row(wiring, count, known, units)
        super().__init__(self._row, groups=[self._row.tokens(number) for number in range(1, count + 1)])

    def decoded_count(self) -> int:
        """Number of assignments of the counting decisions; several may decode to one candidate."""
        return count_assignments(self.decisions())

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """Per block: operator as one-hot, both raw groups, earlier blocks, index of the width.

        Blocks that are not live are zero. The default space has 13 numbers for each of its 7 blocks.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        row = self._row
        names = [*row.operators, DENSE, SPARSE, *(f"block{number + 1}" for number in range(row.count))]
        columns = {name: column for column, name in enumerate(names)}
        code = np.zeros((row.count, len(names) + 1))
        for at, block in enumerate(row.placed(candidate)):
            code[at, [columns[name] for name in (block.operator, *block.inputs)]] = 1
            code[at, -1] = row.widths.index(block.width) if block.width else 0
        return code.ravel()


@dataclass(frozen=True)
class _Row:
    """A `Coding`: `count` blocks, one after the other."""

    wiring: Wiring
    count: int
    operators: tuple[str, ...]
    widths: tuple[int, ...]

    def tokens(self, number: int) -> list[Token]:
        """Of one block, counted from 1."""
        name = f"block{number}"
        tokens: list[Token] = [(OperatorChoice(f"{name}.operator", self.operators),)]
        tokens += [(InputChoice(f"{name}.{group}", (False, True)),) for group in self.wiring.sources]
        if number > 1:
            tokens.append(tuple(InputChoice(f"{name}.block{earlier}", (False, True)) for earlier in range(1, number)))
        if "mlp" in self.operators:
            tokens.append((WidthChoice(f"{name}.width", self.widths, Condition(f"{name}.operator", ("mlp",))),))
        return tokens

    def decisions(self) -> list[Decision]:
        """Per block: operator, raw groups, earlier blocks, and the width where the operator is an mlp."""
        return [one for number in range(1, self.count + 1) for token in self.tokens(number) for one in token]

    def candidate(self, genotype: Assignment) -> Candidate:
        """The graph of all live blocks."""
        blocks = []
        for number in range(1, self.count + 1):
            name, operator = f"block{number}", str(genotype[f"block{number}.operator"])
            width = int(genotype[f"{name}.width"]) if operator == "mlp" else 0
            inputs = tuple(one for one in self._inputs(number) if genotype[f"{name}.{one}"])
            blocks.append(PlacedBlock(operator, inputs, width))
        return Candidate(self.wiring.architecture(blocks))

    def read(self, candidate: Candidate) -> Assignment:
        """The live blocks first, in canonical order, and blocks without inputs behind.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        live = self.placed(candidate)
        found: dict[str, Choice] = {
            f"block{number}.{one}": number <= len(live) and one in live[number - 1].inputs
            for number in range(1, self.count + 1)
            for one in self._inputs(number)
        }
        for number, block in enumerate(live, start=1):
            found |= {f"block{number}.operator": block.operator, f"block{number}.width": block.width}
        return found

    def placed(self, candidate: Candidate) -> list[PlacedBlock]:
        """The live blocks.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        blocks = self.wiring.blocks(candidate)
        if len(blocks) > self.count:
            raise CandidateError(f"this space has {self.count} blocks, but the candidate has {len(blocks)}")
        return blocks

    def _inputs(self, number: int) -> tuple[str, ...]:
        """Names that a block may take: raw groups and earlier blocks."""
        return (*self.wiring.sources, *(f"block{earlier}" for earlier in range(1, number)))


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
