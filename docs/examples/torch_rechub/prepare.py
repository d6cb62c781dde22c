"""Encodes a folder of parquet parts for `train.py`, and describes its columns for the search.

    python prepare.py FOLDER [--rows N]

FOLDER has train.parquet, valid.parquet and a fields.json that names the kind of each column (dense, categorical);
the label is in the column `label`. Written here: clicks.npz, which only the trainer reads, and columns.yaml, which
is all that the search sees. A test part is not touched.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
MINIMUM_COUNT = 2


def main() -> None:
    """Reads the arguments, writes both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=60_000, help="most recent training rows")
    arguments = parser.parse_args()
    kinds = {name: one["kind"] for name, one in json.loads((arguments.folder / "fields.json").read_text()).items()}
    train = pd.read_parquet(arguments.folder / "train.parquet").tail(arguments.rows)
    valid = pd.read_parquet(arguments.folder / "valid.parquet")
    dense = [name for name, kind in kinds.items() if kind == "dense"]
    categorical = [name for name, kind in kinds.items() if kind == "categorical"]
    ids = [encoded(train[name], valid[name]) for name in categorical]
    arrays = {"train_label": train["label"].to_numpy(np.float32), "valid_label": valid["label"].to_numpy(np.float32)}
    arrays["train_numeric"], arrays["valid_numeric"] = standardised(train[dense], valid[dense])
    arrays["train_categorical"] = np.stack([one for one, _, _ in ids], axis=1)
    arrays["valid_categorical"] = np.stack([other for _, other, _ in ids], axis=1)
    np.savez(HERE / "clicks.npz", **arrays)
    fields = [f"  - {{name: {name}, kind: numeric}}" for name in dense]
    fields += [
        f"  - {{name: {name}, kind: categorical, vocabulary_size: {size}}}"
        for name, (_, _, size) in zip(categorical, ids, strict=True)
    ]
    (HERE / "columns.yaml").write_text(f"name: {arguments.folder.name}\nfields:\n" + "\n".join(fields) + "\n")


def encoded(train: pd.Series, valid: pd.Series) -> tuple[np.ndarray, np.ndarray, int]:
    """Ids of both parts and their number; 0 stands for what training saw less than twice."""
    counts = train.astype("string").fillna("").value_counts()
    known = {value: at for at, value in enumerate(counts.index[counts >= MINIMUM_COUNT], start=1)}
    both = (part.astype("string").fillna("").map(known).fillna(0).to_numpy(np.int64) for part in (train, valid))
    first, second = both
    return first, second, len(known) + 1


def standardised(train: pd.DataFrame, valid: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """sign(x) log(1 + |x|) with the mean and spread of training; missing values are 0."""
    first, second = (np.sign(part) * np.log1p(part.abs()) for part in (train, valid))
    mean, spread = first.mean(), first.std().replace(0.0, 1.0)
    return tuple(((part - mean) / spread).fillna(0.0).to_numpy(np.float32) for part in (first, second))


if __name__ == "__main__":
    main()
