"""Numbers as soft choices among learned vectors."""

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax

from searchspaces import ArchitectureError, FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.autodis import AutoDis
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.embeddings.sources import first_weights

FIELDS = FeatureSchema((Field("a", Kind.NUMERIC, mean=0.5, std=2.0), Field("b", Kind.NUMERIC)))
RAW = torch.tensor([[3.0, -20.0], [0.0, 1e6]])


def test_vectors_are_mixed_as_the_equation_says() -> None:
    source = first_weights("autodis", FIELDS, dim=3, buckets=4, temperature=0.5, skip=0.3)
    first, second, vectors = (one.detach().numpy() for one in source.parameters())
    logs = np.sign(RAW.numpy()) * np.log1p(np.abs(RAW.numpy()))
    values = (logs - [0.5, 0.0]) / [2.0, 1.0]
    for field in range(2):
        raw = values[:, field : field + 1] * first[field]
        hidden = np.where(raw > 0, raw, 0.01 * raw)
        chosen = softmax((hidden @ second[field] + 0.3 * hidden) / 0.5, axis=1)
        assert given(source, numeric=RAW)[:, field].detach().numpy() == pytest.approx(chosen @ vectors[field], abs=1e-6)


def test_a_missing_value_may_have_a_vector_of_its_own() -> None:
    source = first_weights("autodis", FIELDS, dim=2, buckets=4, missing=True)
    with torch.no_grad():
        dict(source.named_parameters())["missing"].copy_(torch.tensor([5.0, 6.0, 7.0, 8.0]))
    vectors = given(source, numeric=torch.tensor([[math.nan, math.nan]]))
    assert vectors[0].tolist() == [[5.0, 6.0], [7.0, 8.0]]


def test_a_temperature_is_above_zero() -> None:
    with pytest.raises(ArchitectureError, match="'temperature' of block 'autodis' must be a number above 0, but is 0"):
        AutoDis.output(FIELDS, Options(dim=2, buckets=4, temperature=0))
