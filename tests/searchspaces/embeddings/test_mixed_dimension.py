"""Shorter vectors for rarer ids."""

import pytest
import torch

from searchspaces import Options
from searchspaces.embeddings.mixed_dimension import MixedDimension
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.embeddings.sources import first_weights, ids_of

FIELDS = ids_of(1600, 100, 400, 40_000_000)


def dims(**options: object) -> list[int]:
    """Dimension of each field's vectors, read from the tables that a small copy of the schema has."""
    small = ids_of(1600, 100, 400)
    tables = MixedDimension(small, Options(options)).tables().values()
    found = {name: table.module.embedding_dim for table in tables for name, _ in table.parts}
    return [found[name] for name in "abc"]


def test_dimensions_follow_the_power_of_popularity() -> None:
    """16 (100 / n) ^ 0.5 for n = 1600, 100, 400."""
    assert dims(dim=16, alpha=0.5) == [4, 16, 8]


def test_no_dimension_is_below_one() -> None:
    """2 (100 / 1600) ^ 0.9 is 0.16."""
    assert dims(dim=2, alpha=0.9) == [1, 2, 1]


@pytest.mark.parametrize(("alpha", "rounded"), [(0.3, [8, 16, 8]), (0.4, [4, 16, 8])])
def test_dimensions_may_be_powers_of_two(alpha: float, rounded: list[int]) -> None:
    """16 / 16 ^ 0.3 = 6.96 is 7, nearest to 8 by its logarithm; 16 / 16 ^ 0.4 = 5.28 is 5, nearest to 4."""
    assert dims(dim=16, alpha=alpha, power_of_two=True) == rounded


def test_a_power_of_two_is_not_above_the_dimension() -> None:
    assert dims(dim=12, alpha=0.0, power_of_two=True) == [12, 12, 12]


def test_the_cost_is_that_of_tables_and_matrices() -> None:
    """Dimensions 4, 16 and 8 for the first three, and 1 for the fourth: 16 (100 / 4e7) ^ 0.5 = 0.025."""
    known = MixedDimension.cost(FIELDS, Options(dim=16, alpha=0.5))
    matrices = (4 + 8 + 1) * 16
    assert known.parameters == 1600 * 4 + 100 * 16 + 400 * 8 + 40_000_000 + matrices
    assert known.macs == matrices
    assert known.optimizer_bytes == 4 * (1600 + 100 + 400 + 40_000_000)


def test_without_alpha_it_is_a_full_table() -> None:
    fields, ids = ids_of(5, 9, 3), torch.tensor([[4, 8, 2], [0, 3, 1]], dtype=torch.int32)
    mixed, full = first_weights("mixed_dimension", fields, dim=4, alpha=0), first_weights("full", fields, dim=4)
    assert torch.equal(given(mixed, ids=ids), given(full, ids=ids))
    assert sum(one.numel() for one in mixed.parameters()) == sum(one.numel() for one in full.parameters())


def test_each_field_has_a_matrix_of_its_own() -> None:
    """Fields of 8 and 9 ids share a table of two dimensions; the first, of 2 ids, has the whole four."""
    source = first_weights("mixed_dimension", ids_of(8, 2, 9), dim=4, alpha=0.5)
    ids = torch.tensor([[7, 1, 8], [3, 0, 2]], dtype=torch.int32)
    table = source.tables()["table_2"].module.weight
    matrices = next(one for name, one in source.named_parameters() if name == "projections.table_2")
    vectors = given(source, ids=ids)
    torch.testing.assert_close(vectors[0, 0], table[7] @ matrices[:2])
    torch.testing.assert_close(vectors[1, 2], table[8 + 2] @ matrices[2:])
    assert torch.equal(vectors[0, 1], source.tables()["table_4"].module.weight[1])
