"""The recipes: datasets that are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evaluators._datasets import avazu, criteo, kdd12, movielens, published, synthetic
from evaluators._datasets.source import Options, Source


class ReadRecipe(Protocol):
    """Makes the source of a recipe."""

    def __call__(self, *, minimum_count: int, seed: int, copy: Path | None, options: Options) -> Source: ...


@dataclass(frozen=True)
class Recipe:
    """A named way to a source. `files` lists what of the user's own copy names its content."""

    name: str
    read: ReadRecipe
    files: Callable[[Path | None], list[Path]]
    options: tuple[str, ...] = ()
    minimum_count: int = 2


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(movielens.NAME, movielens.read_movielens, movielens.copy_files),
        Recipe(synthetic.NAME, synthetic.read_synthetic, lambda _: [], tuple(synthetic.OPTIONS)),
        Recipe(criteo.NAME, criteo.read_criteo, criteo.criteo_files, published.OPTIONS, criteo.MINIMUM_COUNT),
        Recipe(avazu.NAME, avazu.read_avazu, avazu.avazu_files, published.OPTIONS, avazu.MINIMUM_COUNT),
        Recipe(kdd12.NAME, kdd12.read_kdd12, kdd12.kdd12_files, published.OPTIONS, kdd12.MINIMUM_COUNT),
    )
}
