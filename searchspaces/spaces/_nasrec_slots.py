"""Slots of a choice block of the NASRec space, and the block that they decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from searchspaces._decisions import Choice, Condition, Decision, InputChoice, OperatorChoice, OptionChoice, WidthChoice
from searchspaces.spaces._nasrec_graph import BINARY, RAW, UNARY, DenseHalf, PlacedBlock, SparseHalf

OPERATORS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "full": (("mlp", "dot_product", "sigmoid_gate", "sum"), ("transformer", "efc")),
    "small": (("mlp", "dot_product"), ("efc",)),
}
"""Dense and sparse operators of each variant, in the order of the published program."""

WIDTHS = (16, 32, 64, 128, 256, 512, 768, 1024)
TOKENS = (16, 32, 48, 64)
MOST_SOURCES = 4


def block_decisions(number: int, variant: str) -> tuple[Decision, ...]:
    """What is decided of block `number`, counted from 1: it can take the sources 0 to `number` - 1."""
    name = f"block{number}"
    dense, sparse = OPERATORS[variant]
    sources = [str(source) for source in range(number)]
    sets = [" ".join(chosen) for size in range(1, MOST_SOURCES + 1) for chosen in combinations(sources, size)]
    unary, binary = (Condition(f"{name}.dense_operator", operators) for operators in (UNARY, BINARY))
    sides = ("left", "right") if set(BINARY) <= set(dense) else ()
    return (
        OperatorChoice(f"{name}.dense_operator", dense),
        InputChoice(f"{name}.dense", tuple(sets), unary),
        *(InputChoice(f"{name}.{side}", tuple(sources), binary) for side in sides),
        WidthChoice(f"{name}.width", WIDTHS),
        OperatorChoice(f"{name}.sparse_operator", sparse),
        InputChoice(f"{name}.fields", tuple(sets)),
        WidthChoice(f"{name}.tokens", TOKENS),
        OptionChoice(f"{name}.to_sparse", (False, True)),
        OptionChoice(f"{name}.to_dense", (False, True)),
    )


def block_of(number: int, decided: Mapping[str, Choice]) -> PlacedBlock:
    """The block, both halves of it, that the slots of block `number` decide."""

    def value(what: str) -> Choice:
        return decided[f"block{number}.{what}"]

    operator = str(value("dense_operator"))
    sides = ("left", "right") if operator in BINARY else ("dense",)
    sources = tuple(source for side in sides for source in _numbers(value(side)))
    return PlacedBlock(
        DenseHalf(operator, sources, int(value("width"))),
        SparseHalf(str(value("sparse_operator")), int(value("tokens"))),
        _numbers(value("fields")),
        to_sparse=bool(value("to_sparse")),
        to_dense=bool(value("to_dense")),
    )


def decided_by(number: int, block: PlacedBlock) -> dict[str, Choice]:
    """The inverse of `block_of`; of a half that is not there, and of what no half takes, nothing is decided."""
    found: dict[str, Choice] = {}
    if block.dense:
        found["dense_operator"] = block.dense.operator
        if block.dense.operator in BINARY:
            found |= dict(zip(("left", "right"), map(str, block.dense.sources), strict=True))
        else:
            found["dense"] = _text(block.dense.sources)
        found["width"] = block.dense.width
    if block.sparse:
        found |= {"sparse_operator": block.sparse.operator, "tokens": block.sparse.tokens}
    if block.fields:
        found["fields"] = _text(block.fields)
    if block.dense or block.sparse:
        found |= {"to_sparse": block.to_sparse, "to_dense": block.to_dense}
    return {f"block{number}.{what}": value for what, value in found.items()}


def shifted(block: PlacedBlock, by: int) -> PlacedBlock:
    """The block where so many others have been put before all; the raw inputs stay source 0."""

    def moved(sources: Sequence[int]) -> tuple[int, ...]:
        return tuple(source if source == RAW else source + by for source in sources)

    dense = block.dense and DenseHalf(block.dense.operator, moved(block.dense.sources), block.dense.width)
    return PlacedBlock(dense, block.sparse, moved(block.fields), to_sparse=block.to_sparse, to_dense=block.to_dense)


def _numbers(sources: Choice) -> tuple[int, ...]:
    return tuple(int(source) for source in str(sources).split())


def _text(sources: Sequence[int]) -> str:
    return " ".join(map(str, sources))
