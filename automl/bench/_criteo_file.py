"""Writes files in Criteo's published format of any size, a block of lines at a time.

Ids are Zipf over as many values as the published fields have (Criteo display ads, as counted for DLRM: Naumov et al.,
Deep Learning Recommendation Model, 2019), numbers are whole and skewed, shares of both are missing, and the label
follows some of them. A block of lines depends on the seed and its number alone.
"""

from __future__ import annotations

import binascii
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

VALUES = (
    *(1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194),
    *(27, 14992, 5461306, 10, 5652, 2173, 4, 7046547, 18, 15, 286181, 105, 142572),
)
NUMBERS = 13
ZIPF_EXPONENT = 1.15
MISSING = 0.12
BLOCK_ROWS = 100_000
BASE_LOG_ODDS = -1.2

Ids = NDArray[np.uint32]


def write_criteo_file(path: Path, rows: int, *, seed: int) -> None:
    """Writes `rows` lines: label, 13 numbers, 26 categories, separated by tabs, without a header."""
    options = pa_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    writer: pa_csv.CSVWriter | None = None
    with path.open("wb") as file:
        for number, start in enumerate(range(0, rows, BLOCK_ROWS)):
            batch = _block(np.random.default_rng([seed, number]), min(BLOCK_ROWS, rows - start))
            writer = writer or pa_csv.CSVWriter(file, batch.schema, write_options=options)
            writer.write_batch(batch)
        if writer is not None:
            writer.close()


def _block(rng: np.random.Generator, rows: int) -> pa.RecordBatch:
    log_odds = np.full(rows, BASE_LOG_ODDS)
    columns: list[pa.Array] = []
    for field in range(NUMBERS):
        values = np.floor(rng.lognormal(1.0 + field / 4, 1.5, rows)).astype(np.int64)
        missing = rng.random(rows) < MISSING
        log_odds += np.where(missing, 0.0, 0.08 * (-1) ** field * np.log1p(values))
        columns.append(pa.array(values, mask=missing))
    for field, values_there in enumerate(VALUES):
        ids = _mixed(_zipf(rng, values_there, rows), field)
        missing = (rng.random(rows) < MISSING) & (field % 2 == 1)
        effect = (ids & np.uint32(1023)).astype(np.float64) / 1023 - 0.5
        log_odds += np.where(missing, 0.0, 1.2 * effect if field % 3 == 0 else 0.0)
        columns.append(pa.array(_hexadecimal(ids), mask=missing))
    clicks = rng.random(rows) < 1.0 / (1.0 + np.exp(-log_odds))
    names = [str(number) for number in range(1 + len(columns))]
    return pa.record_batch([pa.array(clicks.astype(np.int8)), *columns], names=names)


def _zipf(rng: np.random.Generator, values: int, rows: int) -> NDArray[np.int64]:
    """Ranks from 0, by the inverse of a power law's distribution function: no table of so many values."""
    power = 1.0 - ZIPF_EXPONENT
    drawn = ((float(values) ** power - 1.0) * rng.random(rows) + 1.0) ** (1.0 / power)
    ranks: NDArray[np.int64] = np.minimum(drawn.astype(np.int64) - 1, values - 1)
    return ranks


def _mixed(ranks: NDArray[np.int64], field: int) -> Ids:
    """Other numbers for ranks, each its own: an odd multiplier and a shift can be undone."""
    mixed = (ranks.astype(np.uint32) + np.uint32(field * 97)) * np.uint32(2654435761)
    mixed = mixed ^ (mixed >> np.uint32(15))
    return mixed * np.uint32(2246822519)


def _hexadecimal(ids: Ids) -> NDArray[np.str_]:
    text = binascii.hexlify(ids.astype(">u4").tobytes())
    return np.frombuffer(text, "S8").astype("U8")
