"""The six sub-networks that NASRec's authors publish, and what is known of them.

Facts from facebookresearch/NasRec (Apache-2.0): Zhang et al. (2023), NASRec: weight sharing neural architecture search
for recommender systems. A row is a block: operators, dense width, tokens, both mergers, then dense sources, field
sources, left and right.
"""

from typing import Any

Row = tuple[tuple[int, int], int, int, int, int, list[int], list[int], list[int], list[int]]

WINNERS: dict[str, tuple[str, tuple[Row, ...]]] = {
    "avazu_small": (
        "autoctr",
        (
            ((1, 2), 512, 64, 1, 0, [0], [0], [0], [0]),
            ((0, 2), 1024, 48, 1, 0, [0, 1], [0], [0], [0]),
            ((0, 2), 512, 16, 0, 1, [2, 0], [0], [1], [2]),
            ((1, 2), 768, 48, 1, 1, [3], [0, 3], [2], [0]),
            ((0, 2), 128, 16, 1, 1, [0, 2, 3], [0, 1], [2], [3]),
            ((0, 2), 128, 64, 1, 0, [4, 1, 3], [0, 1, 3], [0], [3]),
            ((0, 2), 512, 32, 1, 1, [5], [6, 2, 1], [0], [1]),
        ),
    ),
    "avazu_full": (
        "xlarge",
        (
            ((1, 4), 32, 48, 1, 0, [0], [0], [0], [0]),
            ((1, 5), 768, 64, 1, 0, [1, 0], [0, 1], [0], [0]),
            ((0, 5), 512, 48, 1, 0, [0], [0], [0], [0]),
            ((3, 4), 768, 16, 1, 1, [1, 0, 3, 2], [3], [1], [0]),
            ((1, 5), 768, 64, 0, 0, [3, 2, 4], [2], [0], [3]),
            ((2, 5), 1024, 64, 1, 0, [0, 5, 2, 1], [4, 0], [0], [3]),
            ((2, 4), 768, 16, 1, 0, [2, 5, 1, 3], [2, 3], [0], [2]),
        ),
    ),
    "criteo_small": (
        "autoctr",
        (
            ((0, 2), 256, 48, 1, 0, [0], [0], [0], [0]),
            ((1, 2), 1024, 48, 1, 1, [1], [0, 1], [1], [0]),
            ((0, 2), 128, 16, 1, 0, [2, 0], [2, 1, 0], [0], [0]),
            ((0, 2), 16, 48, 0, 1, [2], [0, 2], [1], [2]),
            ((1, 2), 128, 32, 0, 0, [0, 2, 4, 3], [4, 2], [2], [0]),
            ((0, 2), 16, 64, 1, 0, [5, 2, 0, 1], [5, 2, 1], [3], [5]),
            ((0, 2), 1024, 64, 0, 0, [3, 0, 5], [5, 2, 1, 0], [0], [5]),
        ),
    ),
    "criteo_full": (
        "xlarge",
        (
            ((2, 4), 128, 64, 1, 0, [0], [0], [0], [0]),
            ((1, 5), 32, 64, 0, 0, [0], [0], [0], [1]),
            ((1, 5), 768, 32, 0, 1, [1, 2], [2, 1, 0], [1], [2]),
            ((2, 5), 768, 48, 1, 0, [0, 3], [0, 2, 1, 3], [2], [0]),
            ((0, 5), 16, 16, 0, 1, [4, 0, 3, 2], [2, 3, 0, 1], [3], [1]),
            ((0, 4), 768, 16, 1, 0, [4, 0, 5, 3], [4, 1], [2], [3]),
            ((0, 4), 128, 48, 0, 1, [0, 3, 2], [3, 1], [6], [1]),
        ),
    ),
    "kdd12_small": (
        "autoctr",
        (
            ((0, 2), 768, 48, 1, 1, [0], [0], [0], [0]),
            ((1, 2), 128, 64, 1, 0, [0, 1], [0, 1], [0], [1]),
            ((1, 2), 32, 48, 1, 1, [1, 0, 2], [0, 1], [0], [2]),
            ((0, 2), 256, 64, 0, 0, [3, 0, 2, 1], [0, 2, 3], [1], [2]),
            ((0, 2), 1024, 64, 0, 0, [4, 3], [2, 1, 4, 0], [0], [2]),
            ((1, 2), 768, 64, 0, 0, [5, 2, 1], [4, 5], [4], [5]),
            ((1, 2), 1024, 48, 1, 0, [3, 4, 6, 2], [2, 0, 1, 4], [0], [2]),
        ),
    ),
    "kdd12_full": (
        "xlarge",
        (
            ((1, 4), 128, 48, 1, 0, [0], [0], [0], [0]),
            ((2, 4), 768, 64, 1, 0, [1], [1], [0], [0]),
            ((2, 5), 16, 48, 0, 0, [1], [2, 1], [1], [0]),
            ((3, 4), 64, 16, 1, 0, [2, 0, 3], [1], [2], [2]),
            ((3, 5), 64, 48, 0, 0, [0, 1, 2, 4], [0, 2], [0], [2]),
            ((0, 5), 128, 32, 0, 1, [4, 3], [5, 1, 4, 0], [4], [2]),
            ((2, 5), 768, 16, 1, 0, [5, 3, 1, 6], [3, 5, 4, 1], [5], [5]),
        ),
    ),
}

MACS = {
    "criteo_small": 2.208e6,
    "criteo_full": 1.448e6,
    "avazu_small": 3.086e6,
    "avazu_full": 1.867e6,
    "kdd12_small": 3.483e6,
    "kdd12_full": 1.080e6,
}
"""Multiply-adds of an example without dead structure: the published millions, counted layer by layer."""


def published(name: str) -> dict[str, Any]:
    """The JSON of a winner, without the loss of its proxy."""
    config, rows = WINNERS[name]
    micro = ("active_nodes", "dense_in_dims", "sparse_in_dims", "dense_sparse_interact", "deep_fm")
    macro = ("dense_idx", "sparse_idx", "dense_left_idx", "dense_right_idx")
    return {
        "micro": [{**dict(zip(micro, row[:5], strict=True)), "active_nodes": list(row[0])} for row in rows],
        "macro": [dict(zip(macro, row[5:], strict=True)) for row in rows],
        "num_blocks": len(rows),
        "use_layernorm": 1,
        "config": config,
    }
