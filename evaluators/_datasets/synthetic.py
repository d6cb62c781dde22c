"""Recipe `synthetic`: data whose true click probabilities are known, so that regret is absolute.

Ids are Zipf; the log-odds are a sum of planted effects of order one (each id and number for itself), two
(pairs of fields, inner products of hidden vectors) and three (triples, products of hidden signs), under a
drift: the base rate and the effect of one field move over the rows' time. The drift is part of the truth
but not among the fields, so the true probabilities' NE is a bound that a model without time only comes near.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns, Origin
from evaluators._datasets.dataset import Facts
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.part import PART_NAMES
from evaluators._datasets.source import Options, Source, chunks_of
from evaluators._datasets.split import ByTime, Shares
from evaluators._errors import DataError

NAME = "synthetic"
# Default and least value of each option: rows; categorical and numeric fields.
OPTIONS = {"rows": (100_000, 100), "fields": (12, 3), "numeric": (4, 1)}
SHARES = Shares(valid=0.1, test=0.1)
ZIPF_EXPONENT = 1.1
HIDDEN_WIDTH = 4
BASE_LOG_ODDS = -1.1
TRUE_PROBABILITY = "true_probability"


def read_synthetic(*, minimum_count: int, seed: int, copy: Path | None, options: Options) -> Source:
    """The recipe. `bayes_ne` by part is the log loss of the true probabilities on the part's own labels over
    the entropy of the part's own base rate: the NE that the true model would be measured at, luck included.

    Raises:
        DataError: an option is too small, or a copy of what is made up was named.
    """
    if copy is not None:
        raise DataError(f"synthetic data is made, not read, but a copy was named: {copy}; leave --from out")
    settings = _settings(options)
    frame, columns = _draw(settings, np.random.default_rng(seed))
    labelled = RowReader(columns).read(frame, Origin(NAME)).with_columns(frame[TRUE_PROBABILITY])
    split = ByTime(SHARES)
    facts = Facts(
        name=NAME,
        label=columns.label,
        time_column=columns.time,
        split=split.facts,
        minimum_count=minimum_count,
        bayes_ne=_bayes_ne(labelled),
        source=f"synthetic, seed {seed}, " + ", ".join(f"{key} {value}" for key, value in settings.items()),
        licence="made up, free of rights",
    )
    return Source(lambda: chunks_of(labelled), columns, facts, split)


def _bayes_ne(labelled: pl.DataFrame) -> dict[str, float]:
    """By part: rows come in time order and no two share a time."""
    starts = (0, *SHARES.starts(labelled.height), labelled.height)
    parts = {name: labelled[starts[number] : starts[number + 1]] for number, name in enumerate(PART_NAMES)}
    return {name: normalised_entropy(part["click"], part[TRUE_PROBABILITY]) for name, part in parts.items()}


def normalised_entropy(label: pl.Series, probability: pl.Series) -> float:
    """Log loss of the probabilities over the entropy of the labels' own base rate."""
    clicks, p = label.to_numpy().astype(np.float64), probability.to_numpy()
    loss = -np.mean(clicks * np.log(p) + (1 - clicks) * np.log1p(-p))
    base = clicks.mean()
    return float(loss / -(base * np.log(base) + (1 - base) * np.log1p(-base)))


def _settings(options: Options) -> dict[str, int]:
    settings: dict[str, int] = {}
    for name, (default, least) in OPTIONS.items():
        value = options.get(name, default)
        if isinstance(value, int) and value >= least:
            settings[name] = value
        else:
            raise DataError(f"option {name!r} of synthetic data must be a whole number >= {least}, but is {value!r}")
    return settings


def _draw(settings: Mapping[str, int], rng: np.random.Generator) -> tuple[pl.DataFrame, Columns]:
    rows, fields, numbers = settings["rows"], settings["fields"], settings["numeric"]
    time = np.arange(rows, dtype=np.float64)
    progress = time / rows
    sizes = np.geomspace(4, max(8, rows // 20), fields).astype(int)
    ids = [_zipf(rng, int(size), rows=rows) for size in sizes]
    values = [rng.lognormal(sigma=1.5, size=rows) for _ in range(numbers)]
    log_odds = BASE_LOG_ODDS + 0.5 * np.sin(2 * np.pi * progress) + 0.3 * progress
    log_odds += _first_order(rng, ids, values=values, progress=progress)
    log_odds += _second_order(rng, ids) + _third_order(rng, ids)
    probability = 1 / (1 + np.exp(-log_odds))
    frame = {"click": (rng.random(rows) < probability).astype(np.int64), TRUE_PROBABILITY: probability, "time": time}
    for number, value in enumerate(values):
        frame[f"I{number + 1}"] = value
    for number, one in enumerate(ids):
        frame[f"C{number + 1}"] = one
    columns = Columns(
        label="click",
        dense=tuple(f"I{number + 1}" for number in range(numbers)),
        categorical=tuple(f"C{number + 1}" for number in range(fields)),
        time="time",
    )
    return pl.DataFrame(frame), columns


def _zipf(rng: np.random.Generator, size: int, *, rows: int) -> NDArray[np.int64]:
    weights = np.arange(1, size + 1, dtype=np.float64) ** -ZIPF_EXPONENT
    cumulative = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(cumulative, rng.random(rows)), size - 1).astype(np.int64)


def _first_order(
    rng: np.random.Generator,
    ids: list[NDArray[np.int64]],
    *,
    values: list[NDArray[np.float64]],
    progress: NDArray[np.float64],
) -> NDArray[np.float64]:
    effects = [rng.normal(scale=0.3, size=int(one.max()) + 1)[one] for one in ids]
    effects[0] = effects[0] * (1 - 2 * progress)  # what the first field says turns round over time
    effects += [rng.normal(scale=0.4) * np.log1p(value) for value in values]
    total: NDArray[np.float64] = np.sum(effects, axis=0)
    return total


def _second_order(rng: np.random.Generator, ids: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    total = np.zeros(len(ids[0]))
    for one, other in zip(ids[:-1:2], ids[1::2], strict=False):
        left = rng.normal(size=(int(one.max()) + 1, HIDDEN_WIDTH))
        right = rng.normal(size=(int(other.max()) + 1, HIDDEN_WIDTH))
        total += 0.5 * np.einsum("rh,rh->r", left[one], right[other]) / np.sqrt(HIDDEN_WIDTH)
    return total


def _third_order(rng: np.random.Generator, ids: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    total = np.zeros(len(ids[0]))
    for start in range(0, len(ids) - 2, 3):
        signs = [rng.choice([-1.0, 1.0], size=int(one.max()) + 1)[one] for one in ids[start : start + 3]]
        total += 0.4 * np.prod(signs, axis=0)
    return total
