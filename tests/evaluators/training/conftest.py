"""What every test of training needs: small data, opened for the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from evaluators._datasets import Dataset
from evaluators._training.search_data import SearchData
from tests.evaluators.small_data import write_small_data

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_small_data(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture(scope="session")
def data(dataset: Dataset) -> SearchData:
    return SearchData.load(dataset, CPU)


@pytest.fixture
def folder(dataset: Dataset) -> Path:
    return dataset.folder
