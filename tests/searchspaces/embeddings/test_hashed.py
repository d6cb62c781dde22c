"""Fewer rows than ids."""

import torch

from searchspaces import Options
from searchspaces.embeddings.hashed import Hashed
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.embeddings.sources import first_weights, ids_of


def test_ids_share_the_row_of_their_remainder() -> None:
    source = first_weights("hashed", ids_of(10, 3), dim=2, rows=4)
    vectors = given(source, ids=torch.tensor([[1, 2], [5, 2], [9, 2], [2, 0]], dtype=torch.int32))
    assert torch.equal(vectors[0], vectors[1])
    assert torch.equal(vectors[0], vectors[2])
    assert not torch.equal(vectors[0, 0], vectors[3, 0])


def test_no_field_has_more_rows_than_ids() -> None:
    assert Hashed.cost(ids_of(10, 3), Options(dim=2, rows=4)).parameters == (4 + 3) * 2


def test_it_is_the_full_table_of_a_capped_schema() -> None:
    fields, ids = ids_of(10, 3), torch.tensor([[9, 2], [4, 1]], dtype=torch.int32)
    hashed = first_weights("hashed", fields, dim=2, rows=4)
    full = first_weights("full", fields.capped(4), dim=2)
    assert torch.equal(given(hashed, ids=ids), given(full, ids=ids))
    assert hashed.tables()["table"].signature == full.tables()["table"].signature
