"""Which columns of a foreign file are choices that somebody made, and which were measured or only name the row.

Nobody says so in such a file, and a measured column among the choices would give the answer away. A column is a
choice unless one of these speaks against it, and every verdict is told:

- it is asked to be left out, is the metric or what a candidate costs, or another repetition of one of these
  (`val_acc_1` beside `val_acc_0`);
- it is the same in all rows, or says the same as another column;
- it names the row: text that differs in most rows, whole numbers that count the rows, or a name such as `id`;
- it is a number, and its name speaks of a measurement (`test_auc`, `train_seconds`, `flops`), or it takes many values
  and goes with the metric as closely as only another measurement would.

What is nested in a column such as `settings`, or begins with `params_` as Optuna writes, is a choice whatever its name
is; nested in one such as `metrics` it never is. Columns can be named as choices, against all of this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.bench.trial_files.cells import number, said
from predictors import rank_correlation

Cells = Sequence[Any]

CHOSEN = re.compile(r"^(settings|params?|config|configuration|hyper_?parameters|hparams|hp|training|system)[._/]", re.I)
MEASURED = re.compile(r"^(metrics|evaluation|results?|scores?|values?|user_attrs|system_attrs|info)[._/]", re.I)
WORDS = frozenset(
    {
        "auc",
        "gauc",
        "prauc",
        "acc",
        "accuracy",
        "loss",
        "logloss",
        "ne",
        "bce",
        "ce",
        "entropy",
        "rmse",
        "mse",
        "mae",
        "r2",
        "f1",
        "ndcg",
        "mrr",
        "hr",
        "map",
        "recall",
        "precision",
        "hit",
        "error",
        "err",
        "metric",
        "score",
        "reward",
        "objective",
        "value",
        "time",
        "seconds",
        "sec",
        "secs",
        "ms",
        "runtime",
        "duration",
        "latency",
        "throughput",
        "qps",
        "flops",
        "macs",
        "memory",
        "energy",
    }
)
"""In the name of a number, at the top level, they speak of a measurement."""

COUNTS = re.compile(r"^(n_?|num_?|total_?|trainable_?|model_?)*(params?|parameters|size)(_?(count|mb|bytes))?$", re.I)
NAMES = frozenset({"id", "uid", "uuid", "index", "idx", "trial", "experiment", "fingerprint", "timestamp", "date"})
MANY = 20
"""Different values from which a number may be a measurement rather than one of some options."""

CLOSE = 0.6
"""Rank correlation with the metric beyond which a column with many values counts as measured."""

SAMPLE = 1000
"""Rows that are looked at for it."""


@dataclass(frozen=True)
class Verdict:
    """Columns that are choices, and why each of the others is none."""

    choices: tuple[str, ...]
    dropped: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """What the user says of columns: a name stands for itself and for what is nested in it."""

    metric: str
    exclude: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    cost: str | None = None


def judged(columns: Mapping[str, Cells], metric: NDArray[np.float64], asked: Asked) -> Verdict:
    """Judges columns of rows that all have the metric, `metric [n]`."""
    choices: dict[str, None] = {}
    dropped: dict[str, str] = {}
    known: dict[tuple[int, ...], str] = {}
    for name, cells in columns.items():
        reason = _reason(name, cells, metric, asked)
        if reason is None:
            pattern = _pattern(cells)
            twin = known.setdefault(pattern, name)
            reason = None if twin == name else f"says the same as {twin}"
        if reason is None:
            choices[name] = None
        else:
            dropped[name] = reason
    return Verdict(tuple(choices), dropped)


def is_named(name: str, names: Sequence[str]) -> bool:
    """Whether a column is one of these, or nested in one."""
    return any(name == one or name.startswith(f"{one}.") for one in names)


def _reason(name: str, cells: Cells, metric: NDArray[np.float64], asked: Asked) -> str | None:
    if name == asked.metric or is_repetition(name, asked.metric):
        return "is the metric"
    if asked.cost is not None and (name == asked.cost or is_repetition(name, asked.cost)):
        return "is the cost"
    if is_named(name, asked.exclude):
        return "was excluded"
    different = {said(cell) for cell in cells}
    if len(different) < 2:
        return "is the same in all rows"
    if is_named(name, asked.choices) or CHOSEN.match(name):
        return None
    if MEASURED.match(name):
        return "is nested among measurements"
    return _row_name(name, cells, len(different)) or _measurement(name, cells, len(different), metric)


def is_repetition(name: str, metric: str) -> bool:
    """Whether the two differ in a number at the end alone, or in that one has such a number.

    >>> is_repetition("val_acc_1", "val_acc_0"), is_repetition("val_acc_1", "val_acc"), is_repetition("lr_1", "val_acc")
    (True, True, False)
    """
    return re.sub(r"_?\d+$", "", name) == re.sub(r"_?\d+$", "", metric)


def _row_name(name: str, cells: Cells, different: int) -> str | None:
    if different > max(MANY, len(cells) / 2) and all(isinstance(cell, str) for cell in cells if cell is not None):
        return f"names the row: {different} different texts in {len(cells)} rows"
    if _words(name)[-1] in NAMES:
        return "names the row"
    values = [number(cell) for cell in cells]
    whole = [int(value) for value in values if value is not None and value == int(value)]
    if len(whole) == len(cells) > MANY and different == len(cells) and max(whole) - min(whole) < 2 * len(cells):
        return "counts the rows"
    return None


def _measurement(name: str, cells: Cells, different: int, metric: NDArray[np.float64]) -> str | None:
    values = np.array([np.nan if (value := number(cell)) is None else value for cell in cells])
    has_value = ~np.isnan(values)
    if not has_value.sum() > len(cells) / 2 or any(isinstance(cell, str) for cell in cells):
        return None
    if WORDS & set(_words(name)) or COUNTS.match(re.sub(r"_?\d+$", "", name)):
        return "is a number whose name speaks of a measurement"
    if different <= MANY:
        return None
    looked_at = np.flatnonzero(has_value)[:: max(1, int(has_value.sum()) // SAMPLE)]
    tau = rank_correlation(values[looked_at], metric[looked_at])
    return f"goes with the metric too closely to be a choice (tau {tau:.2f})" if abs(tau) > CLOSE else None


def _words(name: str) -> list[str]:
    parts = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return [part for part in re.split(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9]+$)", parts) if part] or [""]


def _pattern(cells: Cells) -> tuple[int, ...]:
    """Which rows are alike, and in which order where these are numbers: equal for columns that say the same."""
    values = [number(cell) for cell in cells]
    if all(value is not None for value in values):
        order = {value: at for at, value in enumerate(sorted({value for value in values if value is not None}))}
        ranks = [order[value] for value in values if value is not None]
        return (-1, *ranks)
    first: dict[str, int] = {}
    return tuple(first.setdefault(said(cell), len(first)) for cell in cells)
