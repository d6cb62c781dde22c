"""The two models of the MLPerf training benchmark on the Criteo 1TB data, fully specified by its rules.

DLRM with one id a feature and dot products (v1), and DLRM-DCNv2 with several ids a feature and three low-rank cross
layers (v2); both with 26 tables of 128 numbers.
"""

from __future__ import annotations

from itertools import pairwise

from searchspaces.deployment import RankingModel, Table

DIM, NUMERIC = 128, 13
ROWS = (
    40_000_000, 39_060, 17_295, 7_424, 20_265, 3, 7_122, 1_543, 63, 40_000_000, 3_067_956, 405_282, 10,
    2_209, 11_938, 155, 4, 976, 14, 40_000_000, 40_000_000, 40_000_000, 590_152, 12_973, 108, 36,
)  # fmt: skip
HOTNESS = (3, 2, 1, 2, 6, 1, 1, 1, 1, 7, 3, 8, 1, 6, 9, 5, 1, 1, 1, 12, 100, 27, 10, 3, 1, 1)
BOTTOM, TOP = (NUMERIC, 512, 256, DIM), (1024, 1024, 512, 256, 1)
CROSS_LAYERS, CROSS_RANK = 3, 512
ONE_HOT, MULTI_HOT = "dlrm_dot_onehot", "dlrm_dcnv2_multihot"


def workload(name: str) -> RankingModel:
    """The model of this name in the table of runs."""
    return {ONE_HOT: _dot_products, MULTI_HOT: _cross_layers}[name]()


def _dot_products() -> RankingModel:
    vectors = len(ROWS) + 1
    layers = _multiplied(BOTTOM) + _multiplied((vectors * (vectors - 1) // 2 + DIM, *TOP))
    return RankingModel(_tables((1,) * len(ROWS)), layers + vectors**2 * DIM, layers, NUMERIC)


def _cross_layers() -> RankingModel:
    width = (len(ROWS) + 1) * DIM
    layers = _multiplied(BOTTOM) + CROSS_LAYERS * 2 * width * CROSS_RANK + _multiplied((width, *TOP))
    return RankingModel(_tables(HOTNESS), layers, layers, NUMERIC)


def _tables(hotness: tuple[int, ...]) -> tuple[Table, ...]:
    pairs = zip(ROWS, hotness, strict=True)
    return tuple(Table(f"c{at}", rows, DIM, float(hot)) for at, (rows, hot) in enumerate(pairs))


def _multiplied(widths: tuple[int, ...]) -> int:
    return sum(one * other for one, other in pairwise(widths))
