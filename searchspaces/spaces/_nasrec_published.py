"""The JSON in which NASRec's sub-networks are published, and the blocks that it stands for.

Keys and numbers as in facebookresearch/NasRec: `micro` tells what a block does, `macro` what it takes, for each block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from searchspaces._architecture import Node
from searchspaces._errors import CandidateError
from searchspaces._options import Options
from searchspaces.spaces._nasrec_graph import BINARY, DenseHalf, PlacedBlock, RawInputs, SparseHalf
from searchspaces.spaces._nasrec_slots import OPERATORS

CONFIGS: Mapping[str, str] = {"autoctr": "small", "xlarge": "full"}
"""Published names of the variants."""

_IDLE_WIDTH = 16


def raw_inputs(dim: int) -> RawInputs:
    """All numeric fields as a dense vector, all categorical ones with an embedding."""
    return RawInputs((Node("full", (), Options(dim=dim)), Node("numeric")), 1, (0,), dim)


def blocks_of(content: Mapping[str, Any]) -> tuple[tuple[PlacedBlock, ...], bool]:
    """The blocks, and whether layers have norms.

    Raises:
        CandidateError: the content has not that form.
    """
    config = content.get("config")
    if not isinstance(config, str) or config not in CONFIGS:
        raise CandidateError(f"'config' of a published sub-network must be one of {list(CONFIGS)}, but is {config!r}")
    micro, macro = content.get("micro"), content.get("macro")
    if not isinstance(micro, list) or not isinstance(macro, list) or not micro or len(micro) != len(macro):
        raise CandidateError(
            "'micro' and 'macro' of a published sub-network must be lists of one length, for each block"
        )
    dense, sparse = OPERATORS[CONFIGS[config]]
    operators = (*dense, *sparse)
    try:
        pairs = enumerate(zip(micro, macro, strict=True), start=1)
        blocks = tuple(_block(number, inner, outer, operators) for number, (inner, outer) in pairs)
        return blocks, bool(content["use_layernorm"])
    except (LookupError, TypeError, ValueError) as error:
        raise CandidateError(f"a published sub-network of {config!r} must have other entries: {error!r}") from error


def content_of(blocks: Sequence[PlacedBlock], *, layer_norm: bool) -> dict[str, Any]:
    """The inverse of `blocks_of`, in the smallest variant that has the operators."""
    used = {half.operator for block in blocks for half in (block.dense, block.sparse) if half}
    config = next(one for one, variant in CONFIGS.items() if used <= {*OPERATORS[variant][0], *OPERATORS[variant][1]})
    dense, sparse = OPERATORS[CONFIGS[config]]
    operators = (*dense, *sparse)
    return {
        "micro": [_micro(block, operators) for block in blocks],
        "macro": [_macro(block) for block in blocks],
        "num_blocks": len(blocks),
        "use_layernorm": int(layer_norm),
        "config": config,
    }


def _block(number: int, micro: Mapping[str, Any], macro: Mapping[str, Any], operators: Sequence[str]) -> PlacedBlock:
    dense, sparse = (operators[int(one)] for one in micro["active_nodes"])
    names = ("dense_left_idx", "dense_right_idx") if dense in BINARY else ("dense_idx",)
    given = [_sources(number, macro[name]) for name in names]
    sources = tuple(source for one in given for source in one)
    return PlacedBlock(
        DenseHalf(dense, sources, int(micro["dense_in_dims"])),
        SparseHalf(sparse, int(micro["sparse_in_dims"])),
        _sources(number, macro["sparse_idx"]),
        to_sparse=bool(micro["dense_sparse_interact"]),
        to_dense=bool(micro["deep_fm"]),
    )


def _sources(number: int, indices: Sequence[int]) -> tuple[int, ...]:
    if not indices or not all(0 <= index < number for index in indices):
        raise ValueError(f"block {number} takes earlier ones, but has the indices {list(indices)}")
    return tuple(sorted(indices))


def _micro(block: PlacedBlock, operators: Sequence[str]) -> dict[str, Any]:
    dense = block.dense or DenseHalf("mlp", (0,), _IDLE_WIDTH)
    sparse = block.sparse or SparseHalf("efc", _IDLE_WIDTH)
    return {
        "active_nodes": [operators.index(dense.operator), operators.index(sparse.operator)],
        "dense_in_dims": dense.width,
        "sparse_in_dims": sparse.tokens,
        "dense_sparse_interact": int(block.to_sparse),
        "deep_fm": int(block.to_dense),
    }


def _macro(block: PlacedBlock) -> dict[str, Any]:
    sources = block.dense.sources if block.dense else (0,)
    is_binary = block.dense is not None and block.dense.operator in BINARY
    left, right = sources if is_binary else (0, 0)
    return {
        "dense_idx": [0] if is_binary else list(sources),
        "sparse_idx": list(block.fields or (0,)),
        "dense_left_idx": [left],
        "dense_right_idx": [right],
    }
