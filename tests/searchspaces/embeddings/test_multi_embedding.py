"""Several tables of one vocabulary."""

import re

import pytest
import torch

from searchspaces import ArchitectureError, Options
from searchspaces.embeddings.multi_embedding import MultiEmbedding
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.embeddings.sources import first_weights, ids_of

FIELDS = ids_of(5, 7)
IDS = torch.tensor([[4, 6], [0, 3]], dtype=torch.int32)


def test_one_table_is_a_full_one() -> None:
    one = first_weights("multi_embedding", FIELDS, dim=3, tables=1)
    assert torch.equal(given(one, ids=IDS), given(first_weights("full", FIELDS, dim=3), ids=IDS))


def test_sets_come_one_after_the_other_and_start_apart() -> None:
    vectors = given(first_weights("multi_embedding", FIELDS, dim=3, tables=3), ids=IDS)
    for number in range(3):
        alone = given(first_weights("multi_embedding", FIELDS, dim=3, tables=1, first=number), ids=IDS)
        assert torch.equal(vectors[:, 2 * number : 2 * number + 2], alone)
    assert not torch.equal(vectors[:, :2], vectors[:, 2:4])


def test_it_costs_as_many_full_tables() -> None:
    known = MultiEmbedding.cost(FIELDS, Options(dim=3, tables=4))
    assert (known.parameters, known.embedding_bytes, known.optimizer_bytes) == (4 * 12 * 3, 4 * 12 * 3 * 4, 4 * 12 * 4)


def test_the_first_table_has_a_number() -> None:
    message = "'first' of block 'multi_embedding' must be the number of a table from 0 on, but is -1"
    with pytest.raises(ArchitectureError, match=re.escape(message)):
        MultiEmbedding.output(FIELDS, Options(dim=3, tables=1, first=-1))
