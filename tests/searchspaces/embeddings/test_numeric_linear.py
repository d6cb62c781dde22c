"""A vector per numeric field, as long as its value."""

import math

import torch

from searchspaces import FeatureSchema, Field, Kind, Options
from searchspaces.embeddings.numeric_linear import NumericLinear
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.embeddings.sources import first_weights

FIELDS = FeatureSchema((Field("a", Kind.NUMERIC, mean=0.5, std=2.0), Field("b", Kind.NUMERIC)))
RAW = torch.tensor([[math.expm1(4.5), -math.expm1(3.0)], [math.nan, 0.0]])


def test_values_stretch_the_vectors() -> None:
    source = first_weights("numeric_linear", FIELDS, dim=3)
    weight = dict(source.named_parameters())["weight"]
    expected = torch.stack([2.0 * weight[0], -3.0 * weight[1]])
    torch.testing.assert_close(given(source, numeric=RAW)[0], expected)
    assert not given(source, numeric=RAW)[1].any()


def test_it_costs_what_the_public_benchmark_counts() -> None:
    """13 numeric fields of d = 10 add 130 parameters there, as if each had one row."""
    fields = FeatureSchema(tuple(Field(f"n{at}", Kind.NUMERIC) for at in range(13)))
    assert NumericLinear.cost(fields, Options(dim=10)).parameters == 130


def test_a_bias_is_added_and_a_missing_value_has_a_vector_of_its_own() -> None:
    source = first_weights("numeric_linear", FIELDS, dim=2, bias=True, missing=True)
    learned = dict(source.named_parameters())
    with torch.no_grad():
        learned["bias"].copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        learned["missing"].copy_(torch.tensor([5.0, 6.0, 7.0, 8.0]))
    vectors = given(source, numeric=RAW)
    torch.testing.assert_close(vectors[0, 0], 2.0 * learned["weight"][0] + torch.tensor([1.0, 2.0]))
    assert vectors[1].tolist() == [[5.0, 6.0], [3.0, 4.0]]
