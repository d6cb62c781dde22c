"""Two small tables for one large one."""

import re

import pytest
import torch

from searchspaces import ArchitectureError, Options
from searchspaces.block import Source
from searchspaces.embeddings.quotient_remainder import QuotientRemainder
from tests.searchspaces.embeddings.known_statistics import given
from tests.searchspaces.embeddings.sources import first_weights, ids_of

FIELDS = ids_of(10, 4)
IDS = torch.tensor([[9, 3], [4, 0], [13, 7]], dtype=torch.int32)


def weight(source: Source, table: str) -> torch.Tensor:
    return source.tables()[table].module.weight


@pytest.mark.parametrize(
    ("operation", "compose"),
    [
        ("mult", torch.mul),
        ("add", torch.add),
        ("concat", lambda quotient, remainder: torch.cat([quotient, remainder])),
    ],
)
def test_a_vector_is_composed_of_quotient_and_remainder(operation: str, compose: object) -> None:
    """Ids 9, 4 and 13 mod 10 = 3 of the first field, by 4: quotients 2, 1, 0 and remainders 1, 0, 3."""
    source = first_weights("quotient_remainder", FIELDS, dim=6, collisions=4, operation=operation)
    quotient, remainder = weight(source, "quotient"), weight(source, "remainder")
    expected = [compose(quotient[one], remainder[other]) for one, other in [(2, 1), (1, 0), (0, 3)]]  # type: ignore[operator]
    assert torch.equal(given(source, ids=IDS)[:, 0], torch.stack(expected))


def test_no_two_ids_have_the_same_pair() -> None:
    source = first_weights("quotient_remainder", FIELDS, dim=2, collisions=3)
    ids = torch.tensor([[one, 0] for one in range(10)], dtype=torch.int32)
    pairs = torch.stack([source.lookups(torch.zeros(10, 0), ids, name)[:, 0] for name in ("quotient", "remainder")])
    assert len({tuple(pair) for pair in pairs.T.tolist()}) == 10


@pytest.mark.parametrize(("operation", "neutral"), [("mult", 1.0), ("add", 0.0)])
def test_with_a_collision_for_each_id_the_remainder_is_a_full_table(operation: str, neutral: float) -> None:
    """c = V: one quotient, so that with a neutral row there the remainders are all that an id has."""
    source = first_weights("quotient_remainder", FIELDS, dim=2, collisions=10, operation=operation)
    full = first_weights("full", FIELDS, dim=2)
    with torch.no_grad():
        weight(source, "quotient").fill_(neutral)
        weight(source, "remainder").copy_(weight(full, "table"))
    assert torch.equal(given(source, ids=IDS), given(full, ids=IDS))


def test_small_fields_keep_a_row_for_each_id() -> None:
    source = first_weights("quotient_remainder", FIELDS, dim=2, collisions=3, threshold=4)
    full = first_weights("full", FIELDS, dim=2, fields=["b"])
    assert torch.equal(given(source, ids=IDS)[:, 1:], given(full, ids=IDS))
    assert source.tables()["quotient"].parts == (("a/quotient", 4),)


def test_above_the_threshold_of_all_fields_it_is_a_full_table() -> None:
    source, full = first_weights("quotient_remainder", FIELDS, dim=2, collisions=3, threshold=10), "full"
    assert torch.equal(given(source, ids=IDS), given(first_weights(full, FIELDS, dim=2), ids=IDS))


def test_a_product_starts_near_its_quotient() -> None:
    source = first_weights("quotient_remainder", ids_of(1000), dim=8, collisions=10)
    assert weight(source, "remainder").mean().item() == pytest.approx(1.0, abs=0.01)
    assert weight(source, "quotient").mean().item() == pytest.approx(0.0, abs=0.01)
    vectors = given(source, ids=torch.arange(1000, dtype=torch.int32)[:, None])
    assert vectors.std().item() == pytest.approx(0.01, rel=0.1)


def test_the_cost_is_that_of_two_small_tables() -> None:
    """1,000,001 ids by 60: 16,667 quotients; 4 ids: all remainders and one quotient."""
    known = QuotientRemainder.cost(ids_of(1_000_001, 4), Options(dim=16, collisions=60))
    rows = 16_667 + 60 + 1 + 4
    assert (known.parameters, known.optimizer_bytes) == (rows * 16, 4 * rows)
    halved = QuotientRemainder.cost(ids_of(1_000_001, 4), Options(dim=16, collisions=60, operation="concat"))
    assert (halved.parameters, halved.optimizer_bytes) == (rows * 8, 4 * rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operation": "concat", "dim": 3}, "must be even for 'concat', half for each table, but is 3"),
        ({"operation": "sum"}, "'operation' of block 'quotient_remainder' must be one of mult, add, concat, but is"),
        ({"threshold": -1}, "'threshold' of block 'quotient_remainder' must be a number of ids from 0 on, but is -1"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ArchitectureError, match=re.escape(message)):
        QuotientRemainder.output(FIELDS, Options({"dim": 4, "collisions": 3, **options}))
