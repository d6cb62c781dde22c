"""What the recipes share that read files as their publishers gave them out: whose copy, and how rows are divided.

None of these files may be handed on, so nothing is downloaded: a copy is named, or lies where it is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluators._datasets.home import home
from evaluators._datasets.source import Options
from evaluators._datasets.split import ByHash, ByOrder, ByTime, Shares, Split, Stratified
from evaluators._errors import DataError
from searchspaces import did_you_mean

SHARES = Shares(valid=0.1, test=0.1)
OPTIONS = ("split",)
RULES = ("time", "order", "hash", "stratified")


def find_files(recipe: str, copy: Path | None, wanted: Sequence[str]) -> list[Path]:
    """Each wanted file of the user's copy, plain or gzipped; a copy may be the first of them or their folder.

    Without a copy they are looked for in the folder `raw/RECIPE` of the program's home.

    Raises:
        DataError: one of them is not there.
    """
    place = home() / "raw" / recipe if copy is None else copy
    if not place.exists():
        raise DataError(
            f"the recipe {recipe!r} reads your own copy of {' and '.join(wanted)}, but there is no {place}; name it "
            f"with --from PATH and prepare it once, or put it there"
        )
    if place.is_file():
        return [place, *(_member(recipe, place.parent, name) for name in wanted[1:])]
    return [_member(recipe, place, name) for name in wanted]


def split_rule(recipe: str, options: Options, *, default: str, seed: int, has_time: bool = False) -> Split:
    """The rule that is named by the option `split`.

    Raises:
        DataError: there is no such rule, or the recipe has no time to split by.
    """
    name = str(options.get("split", default))
    known = RULES if has_time else RULES[1:]
    if name not in known:
        raise DataError(
            f"rows of {recipe!r} are split by a rule that is known, but not {name!r}; {did_you_mean(name, known)}"
        )
    rules: dict[str, Split] = {
        "time": ByTime(SHARES),
        "order": ByOrder(SHARES),
        "hash": ByHash(SHARES, seed),
        "stratified": Stratified(),
    }
    return rules[name]


def _member(recipe: str, folder: Path, name: str) -> Path:
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            return file
    raise DataError(f"the recipe {recipe!r} needs {name} or {name}.gz, but {folder} has neither; check the path")
