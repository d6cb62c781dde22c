"""Prepares a source, into the cache or a folder of the user's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluators._datasets import fields_folder, table
from evaluators._datasets.dataset import Dataset, is_prepared, read_dataset
from evaluators._datasets.digest import source_digest
from evaluators._datasets.encode import encode_source
from evaluators._datasets.home import home
from evaluators._datasets.recipes import RECIPES, Recipe
from evaluators._datasets.source import Options, Source
from evaluators._datasets.write import write_folder
from evaluators._errors import DataError
from searchspaces import FeatureSchema, did_you_mean

# Part of each cache key: raise it when the same source would be encoded differently.
ENCODING_VERSION = 1


@dataclass(frozen=True)
class _Plan:
    """How a source will be read, and what names its content in the cache."""

    name: str
    files: tuple[Path, ...]
    minimum_count: int
    read: Callable[[], Source]


def prepare(
    source: str | Path,
    *,
    out: Path | None = None,
    minimum_count: int | None = None,
    seed: int = 0,
    copy: Path | None = None,
    options: Options | None = None,
) -> Dataset:
    """Prepares a recipe by name, a folder with `fields.json`, or the YAML description of a table.

    Args:
        out: the folder to write; without it the cache, where the same content is found again.
        minimum_count: values seen less often in training get no id; 2 unless a recipe or a table's YAML says otherwise.
        seed: of a split by hash, or of synthetic data.
        copy: the user's own copy of what a recipe would download.
        options: of a recipe, by name.

    Raises:
        DataError: the source breaks a rule, or the result cannot be written. Nothing half-written stays.
    """
    if minimum_count is not None and not 1 <= minimum_count < 2**63:
        raise DataError(
            f"a minimum count is at least 1, which keeps every value, and has 64 bits, but is {minimum_count}"
        )
    path = Path(source)
    if is_prepared(path):
        return _already_prepared(path, out)
    plan = _plan(source, minimum_count=minimum_count, seed=seed, copy=copy, options=options or {})
    key = {"encoding": ENCODING_VERSION, "name": plan.name, "minimum_count": plan.minimum_count, "seed": seed}
    folder = out
    if folder is None:
        digest = _digest(plan, {**key, **(options or {})})
        safe_name = re.sub(r"[^\w.-]", "_", plan.name)[:100]  # the names of files have at most 255 bytes
        folder = home() / "prepared" / f"{safe_name}-{digest[:16]}"
        if is_prepared(folder):
            return read_dataset(folder)
    return write_source(plan.read(), folder)


def write_source(source: Source, folder: Path) -> Dataset:
    """Fits on the training part, encodes every part and writes the prepared folder, in bounded memory."""

    def fill(new: Path) -> FeatureSchema:
        work = new / ".rows"
        work.mkdir()
        schema = encode_source(source, new, work)
        shutil.rmtree(work)
        return schema

    return write_folder(folder, fill, facts=source.facts)


def _already_prepared(path: Path, out: Path | None) -> Dataset:
    if out is not None and out.resolve() != path.resolve():
        raise DataError(
            f"what is prepared is not prepared again, but {path} is and {out} was named for it; "
            "copy the folder, or name the source that it was made from"
        )
    return read_dataset(path)


def _plan(source: str | Path, *, minimum_count: int | None, seed: int, copy: Path | None, options: Options) -> _Plan:
    recipe = RECIPES.get(str(source))
    if recipe is not None:
        return _recipe_plan(recipe, minimum_count=minimum_count, seed=seed, copy=copy, options=options)
    if copy is not None or options:
        raise DataError(
            f"only a recipe takes options or a copy of its files, but {str(source)!r} is none "
            f"(recipes: {', '.join(RECIPES)})"
        )
    path = Path(source)
    if fields_folder.is_fields_folder(path):
        count = 2 if minimum_count is None else minimum_count
        files = tuple(fields_folder.source_files(path))
        return _Plan(path.resolve().name, files, count, lambda: fields_folder.read_fields_folder(path, count))
    if path.suffix in table.SUFFIXES and path.is_file():
        described = table.read_description(path)
        count = described.minimum_count if minimum_count is None else minimum_count
        return _Plan(
            described.name,
            (path, described.table),
            count,
            lambda: table.read_described(described, minimum_count=count, seed=seed),
        )
    raise _unknown(path)


def _recipe_plan(recipe: Recipe, *, minimum_count: int | None, seed: int, copy: Path | None, options: Options) -> _Plan:
    unknown = [name for name in options if name not in recipe.options]
    if unknown:
        raise DataError(
            f"recipe {recipe.name!r} has no option {unknown[0]!r}; {did_you_mean(unknown[0], recipe.options)}"
        )
    count = recipe.minimum_count if minimum_count is None else minimum_count
    return _Plan(
        recipe.name,
        tuple(recipe.files(copy)),
        count,
        lambda: recipe.read(minimum_count=count, seed=seed, copy=copy, options=options),
    )


def _unknown(path: Path) -> DataError:
    if path.is_dir():
        return DataError(
            f"a data folder holds schema.json (prepared) or {fields_folder.FIELDS_FILE} (a source), but {path} "
            "has neither; describe its columns in one, or describe a table in a YAML file"
        )
    return DataError(
        f"data is a recipe, a folder or the YAML description of a table, but {str(path)!r} is none that exists; "
        f"{did_you_mean(str(path), tuple(RECIPES))}"
    )


def _digest(plan: _Plan, key: Mapping[str, object]) -> str:
    try:
        return source_digest(plan.files, key)
    except (OSError, ValueError) as error:
        raise DataError(f"a source must be readable, but {plan.name!r} is not ({error})") from error
