"""Small sources in every form that the preparation reads."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

ROWS = {
    "train": {
        "label": [0, 1, 0, 1],
        "I1": [1.0, None, 3.0, 4.0],
        "C1": ["b", "a", "b", "rare"],
        "C2": [7, None, 7, None],
    },
    "valid": {"label": [1, 0], "I1": [5.0, 6.0], "C1": ["a", "new"], "C2": [None, 7]},
    "test": {"label": [1], "I1": [None], "C1": ["b"], "C2": [8]},
}
FIELDS = {
    "I1": {"name": "price", "meaning": "price of the thing", "kind": "dense"},
    "C1": {"name": "thing", "meaning": "the thing", "kind": "categorical"},
    "C2": {"name": "place", "meaning": "the place", "kind": "categorical"},
}
TYPES = {"label": pl.UInt8, "I1": pl.Float32, "C1": pl.String, "C2": pl.Int32}


def write_fields_folder(
    folder: Path,
    *,
    change: Mapping[str, Mapping[str, object]] | None = None,
    time: Mapping[str, list[object]] | None = None,
) -> Path:
    """A folder of three parts; `change` replaces columns by part, `time` adds aux files."""
    folder.mkdir(parents=True)
    (folder / "fields.json").write_text(json.dumps(FIELDS), encoding="utf-8")
    (folder / "README.md").write_text("# Things\n\n- Licence: CC BY 4.0\n", encoding="utf-8")
    for part, columns in ROWS.items():
        changed = (change or {}).get(part, {})
        types = {name: kind for name, kind in TYPES.items() if name not in changed}
        pl.DataFrame({**columns, **changed}, schema_overrides=types).write_parquet(folder / f"{part}.parquet")
    for part, values in (time or {}).items():
        pl.DataFrame({"other": values, "time_ms": values}).write_parquet(folder / f"aux_{part}.parquet")
    return folder


def write_table(folder: Path, text: str, *, rows: int = 40) -> Path:
    """`clicks.csv` and a description of it with the given lines; returns the description."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{row % 2},{row / 2},u{row % 3},{1000 - row}" for row in range(rows)]
    (folder / "clicks.csv").write_text("\n".join(["click,price,user,when", *lines]) + "\n", encoding="utf-8")
    description = folder / "clicks.yaml"
    description.write_text(text, encoding="utf-8")
    return description


INTER = [(1, 10, 5, 100), (1, 11, 3, 100), (1, 12, 4, 160), (2, 10, 2, 160), (2, 11, 5, 400), (1, 13, 1, 400)]


def inter_text(ratings: list[tuple[int, int, int, int]]) -> str:
    """The ratings as the atomic file has them."""
    lines = ["\t".join(map(str, row)) for row in ratings]
    return "\n".join(["user_id:token\titem_id:token\trating:float\ttimestamp:float", *lines]) + "\n"


USER_TEXT = (
    "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    "1\t24\tM\ttechnician\t85711\n2\t53\tF\tother\tT8H1N\n"
)
ITEM_TEXT = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "10\tToy Story\t1995\tAnimation Children's Comedy\n11\tFrench Twist\t1995\tComedy Romance\n"
    "12\tunkonwn\tunkonwn\tunknown\n13\tHeat\t1995\tAction Crime Thriller\n"
)


def atomic_files(ratings: list[tuple[int, int, int, int]]) -> dict[str, str]:
    """File names and texts of the atomic form."""
    return {"ml-100k.inter": inter_text(ratings), "ml-100k.user": USER_TEXT, "ml-100k.item": ITEM_TEXT}


def write_wheel(path: Path, ratings: list[tuple[int, int, int, int]]) -> Path:
    """A zip that has the files where the published wheel has them."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in atomic_files(ratings).items():
            archive.writestr(f"recbole/dataset_example/ml-100k/{name}", text)
    return path


def many_ratings() -> list[tuple[int, int, int, int]]:
    """Enough ratings for three parts with both classes."""
    return [(1 + row % 2, 10 + row % 4, 1 + (row * 7) % 5, 1000 + 10 * (row // 2)) for row in range(200)]
