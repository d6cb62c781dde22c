"""The comparison with torch-rechub: what it writes for the other side, and what it says where that is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from automl._errors import AutomlError
from automl.bench.rechub.measure import _compared, _theirs, _write
from automl.validation import prepare
from evaluators._datasets import read_dataset


def test_the_other_side_gets_the_newest_rows_without_gaps(tmp_path: Path) -> None:
    dataset = read_dataset(prepare("synthetic", out=tmp_path / "data", options={"rows": 3000}).folder)
    count = _write(dataset, 1000, tmp_path / "rows.npz")
    whole = dataset.part("train")
    with np.load(tmp_path / "rows.npz") as found:
        assert count == len(found["label"]) == 1000
        np.testing.assert_array_equal(found["label"], whole.label[-1000:])
        assert np.isfinite(found["numeric"]).all()
        assert (found["categorical"] < found["sizes"]).all()


@pytest.mark.slow
def test_an_environment_without_it_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(AutomlError, match=r"must be of an environment with torch-rechub 0.9, but said .*torch_rechub"):
        _theirs(sys.executable, tmp_path / "rows.npz", "dcnv2")


def test_rounds_are_compared_each_with_itself() -> None:
    found = _compared({"ours": [20.0, 90.0], "theirs": [10.0, 20.0]})
    assert found["ratios"] == [2.0, 4.5]
    assert found["ratio"] == 3.0
