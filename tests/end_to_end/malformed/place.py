"""A working folder with one valid file of every kind that the command line reads, made once and restored at will."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from automl.cli._app import run
from automl.export import read_winner, write_weights
from evaluators._datasets import read_dataset
from searchspaces.build import build
from tests.end_to_end.malformed.case import remove
from tests.end_to_end.malformed.published_files import write_published
from tests.evaluators.datasets.small_sources import write_fields_folder

STUDY = """\
schema_version: 1
study: {name: fresh, seed: 1}
data: data
space: {name: autoctr, blocks: 3, operators: [mlp, fm], widths: [8, 16], embedding_dim: 4}
searcher: {name: random_search}
evaluator: {name: planted}
objectives: [{metric: ne}, {metric: flops}]
budget: {trials: 2}
baselines: [logistic_regression]
storage: sqlite:///automl.db
"""
TABLE = """\
table: clicks.csv
label: click
dense: [price]
categorical: [user, item]
time: when
split: {valid: 0.2, test: 0.2}
minimum_count: 1
"""
MODEL = {
    "architecture": {
        "version": 1,
        "nodes": [
            {"block": "numeric"},
            {"block": "full", "options": {"dim": 4}},
            {"block": "mlp", "inputs": [0, 1], "options": {"width": 8}},
            {"block": "logit", "inputs": [2]},
        ],
    },
    "training": {"learning_rate": 0.002},
}
METRICS = {"metrics": {"ne": 0.9, "auc": [0.7, 0.01]}, "curve": [[10, {"ne": 0.95}]], "seconds": 1.5}
DONE, ASKED = "done", "asked"
"""Studies of the store: one that has ended, one whose trial 0 is held by a person."""


class Place:
    """The folder, and how it is brought back to what it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "place"
        self._copy = folder / "copy"
        self.folder.mkdir(parents=True)

    def keep(self) -> None:
        """Remembers the folder as it is."""
        gc.collect()  # ends connections, with which SQLite removes its log
        shutil.copytree(self.folder, self._copy)

    def restore(self) -> Path:
        """Brings the folder back to what was kept; what is as it was stays."""
        if any(self.folder.glob("*.db-*")):
            gc.collect()  # a connection that is still open would write into the file that is put back
        kept, found = _marks(self._copy), _marks(self.folder)
        for name in sorted(found, reverse=True):
            if kept.get(name) != found[name]:
                remove(self.folder / name)
        for name in sorted(kept):
            if kept[name] == FOLDER:
                (self.folder / name).mkdir(exist_ok=True)
            elif kept[name] != found.get(name):
                shutil.copy2(self._copy / name, self.folder / name)
        return self.folder


def make_place(folder: Path) -> Place:
    """Makes everything through the command line itself; the trained weights are those of a new model."""
    place = Place(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.folder)
        patch.setenv("AUTOML_HOME", str(place.folder / "home"))
        _write_inputs(place.folder)
        _run("data", "prepare", "table.yaml", "--out", "data")
        _run("search", "study.yaml", "--name", DONE)
        _run("create", "study.yaml", "--name", ASKED)
        _run("ask", ASKED)
        _run("export", DONE, "--best", "--out", "winner.yaml")
        _write_weights(place.folder)
    place.keep()
    return place


FOLDER = "folder"


def _marks(folder: Path) -> dict[str, object]:
    """By what a changed file is known: its size and its time."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        mark = path.lstat()
        is_folder = stat.S_ISDIR(mark.st_mode)
        found[str(path.relative_to(folder))] = FOLDER if is_folder else (mark.st_mode, mark.st_size, mark.st_mtime_ns)
    return found


def _write_inputs(folder: Path) -> None:
    rng = np.random.default_rng(0)
    rows = 100
    columns = {
        "click": rng.permutation(np.arange(rows) % 2),
        "price": rng.normal(size=rows).round(3),
        "user": [f"u{one}" for one in rng.integers(0, 5, rows)],
        "item": rng.integers(0, 5, rows),
        "when": np.arange(rows),
    }
    pl.DataFrame(columns).write_csv(folder / "clicks.csv")
    pl.DataFrame(columns).write_parquet(folder / "clicks.parquet")
    for name, text in (("study.yaml", STUDY), ("table.yaml", TABLE)):
        (folder / name).write_text(text, encoding="utf-8")
    for name, content in (("model.json", MODEL), ("metrics.json", METRICS)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    write_fields_folder(
        folder / "fields", time={part: [1] * n for part, n in (("train", 4), ("valid", 2), ("test", 1))}
    )
    write_published(folder / "raw")
    (folder / "home").mkdir()


def _write_weights(folder: Path) -> None:
    winner = read_winner(folder / "winner.yaml")
    model = build(winner.architecture, winner.model_schema, seed=0)
    write_weights(
        folder / "weights.safetensors",
        model,
        winner=winner,
        vocabularies=read_dataset(folder / "data").vocabularies(),
    )


def _run(*words: str) -> None:
    done = execute(words)
    assert done.code == 0, done.err


class Done:
    """What a command gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


def execute(words: Sequence[str]) -> Done:
    """`automl WORDS` in this process; an exception that escapes is the caller's to see."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(words)
    return Done(code, out.getvalue(), err.getvalue())
