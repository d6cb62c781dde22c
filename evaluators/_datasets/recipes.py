"""The recipes: datasets that are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evaluators._datasets import movielens, synthetic
from evaluators._datasets.columns import Source


class ReadRecipe(Protocol):
    """Makes the source of a recipe."""

    def __call__(self, *, minimum_count: int, seed: int, copy: Path | None, options: Mapping[str, int]) -> Source: ...


@dataclass(frozen=True)
class Recipe:
    """A named way to a source. `files` lists what of the user's own copy names its content."""

    name: str
    read: ReadRecipe
    files: Callable[[Path | None], list[Path]]
    options: tuple[str, ...] = ()


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(movielens.NAME, movielens.read_movielens, movielens.copy_files),
        Recipe(synthetic.NAME, synthetic.read_synthetic, lambda _: [], tuple(synthetic.OPTIONS)),
    )
}
