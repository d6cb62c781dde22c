"""Draws rows of a world and holds them as the training engine takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.bench.learning.worlds import States, World
from evaluators._datasets import Dataset, Facts, Part, write_prepared
from evaluators._datasets.vocabulary import Vocabulary
from evaluators._training.device import choose_device
from evaluators._training.examples import Examples
from evaluators._training.metrics import probabilities
from evaluators._training.search_data import SearchData
from evaluators._training.stream import Stream
from searchspaces import EDGES, FeatureSchema


@dataclass(frozen=True, eq=False)
class Planted:
    """Rows to train on and rows to measure on, and the states [rows] of the latter."""

    data: SearchData
    states: States


@dataclass(frozen=True, eq=False)
class Counted:
    """Statistics of training rows that are in memory (see `searchspaces.Statistics`): columns and vocabularies."""

    columns: Mapping[str, NDArray[Any]]
    sizes: Mapping[str, int]

    def edges(self, field: str) -> NDArray[np.float32]:
        """Quantiles of a numeric field."""
        edges: NDArray[np.float64] = np.quantile(self.columns[field], np.linspace(0, 1, EDGES), method="lower")
        return edges.astype(np.float32)

    def counts(self, field: str) -> NDArray[np.int64]:
        """Rows of each id of a categorical field."""
        return np.bincount(self.columns[field].astype(np.int64), minlength=self.sizes[field])


def planted(world: World, *, train: int, measured: int, seed: int) -> Planted:
    """Rows of a world; an id that no training row has is out of vocabulary, as in prepared data."""
    part, states = drawn_rows(world, train=train, measured=measured, seed=seed)
    return Planted(_search_data(world, _rows(part, 0, train), _rows(part, train, None)), states[train:])


def drawn_rows(world: World, *, train: int, measured: int, seed: int) -> tuple[Part, States]:
    """As `planted`, as one part with its states: rows to train on, then rows to measure on."""
    rng = np.random.default_rng(seed)
    truth = world.truth
    states = rng.choice(len(truth.weights), size=train + measured, p=truth.weights)
    shown = world.show(states, rng)
    label = (rng.random(len(states)) < probabilities(truth.log_odds)[states]).astype(np.float32)
    ids = _known(shown.categorical, train)
    return Part(label, shown.numeric.astype(np.float32), ids.astype(np.int32)), states


def prepared(world: World, folder: Path, *, train: int, measured: int, seed: int) -> Dataset:
    """The same rows as a prepared folder, for what reads its data from one, without a test part."""
    part, _ = drawn_rows(world, train=train, measured=measured, seed=seed)
    parts = {"train": _rows(part, 0, train), "valid": _rows(part, train, None)}
    sizes = [one.vocabulary_size for one in world.fields if one.vocabulary_size > 0]
    vocabularies = [Vocabulary.of([str(at) for at in range(1, size)]) for size in sizes]
    return write_prepared(
        folder, parts, schema=FeatureSchema(world.fields), vocabularies=vocabularies, facts=Facts("planted")
    )


def _known(ids: NDArray[np.int64], train: int) -> NDArray[np.int64]:
    columns = [np.where(np.isin(column, column[:train]), column, 0) for column in ids.T]
    return np.stack(columns, axis=1) if columns else ids


def _search_data(world: World, train: Part, valid: Part) -> SearchData:
    numeric = [one.name for one in world.fields if one.vocabulary_size == 0]
    categorical = [one.name for one in world.fields if one.vocabulary_size > 0]
    columns = {
        **dict(zip(numeric, train.numeric.T, strict=True)),
        **dict(zip(categorical, train.categorical.T, strict=True)),
    }
    counted = Counted(columns, {one.name: one.vocabulary_size for one in world.fields})
    schema, cpu = FeatureSchema(world.fields, counted), choose_device("cpu")
    examples = Examples(train, cpu)
    return SearchData(schema, examples, Examples(valid, cpu), Stream(examples))


def _rows(part: Part, first: int, last: int | None) -> Part:
    return Part(part.label[first:last], part.numeric[first:last], part.categorical[first:last])
