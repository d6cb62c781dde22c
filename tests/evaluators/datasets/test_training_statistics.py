"""Quantiles and counts of the training part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators._datasets import Dataset, read_dataset, training_statistics
from evaluators._errors import DataError
from searchspaces import EDGES, Statistics
from tests.evaluators.small_data import IDS, write_small_data


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    return write_small_data(tmp_path / "data")


def statistics(dataset: Dataset) -> Statistics:
    found = dataset.schema.statistics
    assert found is not None
    return found


def test_edges_are_quantiles_of_the_known_values(dataset: Dataset) -> None:
    column = np.array(dataset.part("train").numeric[:, 1])
    known = np.sort(column[~np.isnan(column)])
    places = np.ceil(np.linspace(0, 1, EDGES) * len(known)).astype(int) - 1
    edges = statistics(dataset).edges("price")
    assert edges.dtype == np.float32
    assert edges.tolist() == known[np.maximum(places, 0)].tolist()


def test_counts_are_of_training_rows(dataset: Dataset) -> None:
    train = dataset.part("train")
    for at, size in enumerate(IDS):
        expected = np.bincount(train.categorical[:, at], minlength=size)
        assert statistics(dataset).counts(f"field{at}").tolist() == expected.tolist()


def test_they_are_found_once_and_kept_for_the_next_process(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    edges, counts = statistics(dataset).edges("age"), statistics(dataset).counts("field1")
    for file in ("numeric.npy", "categorical.npy"):
        (dataset.folder / "train" / file).unlink()
    again = statistics(read_dataset(dataset.folder))
    assert again.edges("age").tolist() == edges.tolist()
    assert again.counts("field1").tolist() == counts.tolist()


def test_damaged_copies_are_made_again(dataset: Dataset, tmp_path: Path) -> None:
    edges = statistics(dataset).edges("age")
    (kept,) = (tmp_path / "home" / "statistics").glob("*-edges-*")
    kept.write_bytes(kept.read_bytes()[:100])
    assert statistics(read_dataset(dataset.folder)).edges("age").tolist() == edges.tolist()


def test_a_home_that_cannot_be_written_does_no_harm(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    assert len(statistics(dataset).edges("age")) == EDGES


def test_of_many_rows_every_kth_is_looked_at(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_statistics, "SAMPLED_VALUES", 1000)
    column = np.array(dataset.part("train").numeric[::4, 0])  # 2,000 rows of 2 numbers
    expected = np.quantile(column[~np.isnan(column)], np.linspace(0, 1, EDGES), method="inverted_cdf")
    assert statistics(dataset).edges("age").tolist() == expected.tolist()


def test_blocks_do_not_matter(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = statistics(dataset).counts("field0").tolist()
    monkeypatch.setattr(training_statistics, "COUNTED_BYTES", 700)
    monkeypatch.setattr(training_statistics, "STATISTICS_VERSION", 2)
    assert statistics(read_dataset(dataset.folder)).counts("field0").tolist() == whole


def test_they_make_no_difference_between_schemas(dataset: Dataset) -> None:
    bare = replace(dataset.schema, statistics=None)
    assert dataset.schema == bare
    assert dataset.schema.digest == bare.digest
    assert statistics(replace(dataset, schema=dataset.schema.capped(3))).counts("field0").shape == (IDS[0],)


def test_a_training_part_that_is_gone_is_told(dataset: Dataset) -> None:
    (dataset.folder / "train" / "numeric.npy").unlink()
    with pytest.raises(DataError, match=r"statistics are taken from the training part, but .* prepare the data again"):
        statistics(dataset).edges("age")


def test_ids_beyond_the_vocabulary_are_told(dataset: Dataset) -> None:
    path = dataset.folder / "train" / "categorical.npy"
    ids = np.load(path)
    ids[5, 2] = IDS[2]
    np.save(path, ids)
    with pytest.raises(DataError, match="ids run from 0 to the size of the vocabulary, 7, but 'field2' has others"):
        statistics(dataset).counts("field0")
