"""Every architecture space of the library on one small schema, and a batch of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from evaluators._training.examples import Batch
from searchspaces import Architecture, SearchSpace
from searchspaces.spaces.autoctr import AutoCTR
from searchspaces.spaces.dhen import DHEN
from searchspaces.spaces.nasrec import NASRec
from searchspaces.spaces.rankitect_scratch import RankitectScratch
from searchspaces.spaces.wukong import Wukong
from tests.evaluators.small_data import SCHEMA, part

NUMERICS = ("numeric", "numeric_linear", "quantile_bins", "piecewise_linear", "autodis", "numeric+numeric_linear")
EMBEDDINGS = ("full", "hashed", "quotient_remainder", "mixed_dimension", "multi_embedding")
SMALL = (8, 16, 32)
MODULES = ("dot_product", "transformer", "self_attention", "token_linear", "cross", "convolution", "fm")

SPACES: dict[str, Callable[[], SearchSpace]] = {
    "autoctr": lambda: AutoCTR(SCHEMA, blocks=4, widths=(8, 16, 32)),
    "nasrec full": lambda: NASRec(SCHEMA, blocks=3),
    "nasrec small": lambda: NASRec(SCHEMA, variant="small", blocks=3, embedding_dims=(4, 8, 16)),
    "rankitect_scratch": lambda: RankitectScratch(
        SCHEMA, embedding_dims=(4, 8), numerics=NUMERICS, embeddings=EMBEDDINGS
    ),
    "dhen": lambda: DHEN(SCHEMA, layers=2, modules=MODULES, head_widths=SMALL),
    "wukong": lambda: Wukong(SCHEMA, layers=2, mlp_widths=SMALL, head_widths=SMALL),
}


def architectures(name: str, count: int, *, seed: int = 0) -> list[Architecture]:
    """Random ones of a space, without settings of training."""
    space, rng = SPACES[name](), np.random.default_rng(seed)
    found = [space.sample(rng).architecture for _ in range(count)]
    return [one for one in found if one is not None]


def batch(rows: int = 32, *, seed: int = 1) -> Batch:
    """Rows of the small data."""
    found = part(rows, seed)
    categorical = torch.from_numpy(found.categorical.astype(np.int64))
    return Batch(torch.from_numpy(found.numeric), categorical, torch.from_numpy(found.label))
