"""The real datasets come out with the figures that are published beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluators._datasets import prepare

# Rows and label rates as the datasets' own tables of facts print them.
PUBLISHED = {
    "kuairand_pure": ((154_071, 0.4431), (17_600, 0.4448), (27_224, 0.4280), 18, 45),
    "diabetes130": ((71_105, 0.4626), (10_248, 0.4560), (20_413, 0.4573), 8, 37),
    "hotel_bookings": ((86_561, 0.3591), (10_631, 0.3890), (22_198, 0.4055), 13, 16),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_rows_and_base_rates_are_the_published_ones(shared_data: Path, name: str) -> None:
    *parts, dense, categorical = PUBLISHED[name]
    data = prepare(shared_data / name)
    for part, published in zip(("train", "valid", "test"), parts, strict=True):
        assert (data.rows[part], round(data.base_rate[part], 4)) == published
    assert (len(data.schema.numeric), len(data.schema.categorical)) == (dense, categorical)
    for one in (data.part("train"), data.part("valid")):
        assert one.time is None or np.all(np.diff(one.time) >= 0)


@pytest.mark.shared_data
def test_vocabularies_of_kuairand_are_those_of_another_platform(shared_data: Path) -> None:
    # FuxiCTR with the same minimum count has 51,988 rows, one for padding in each of the 45 fields among them.
    schema = prepare(shared_data / "kuairand_pure").schema
    assert sum(field.vocabulary_size for field in schema.categorical) == 51_988 - 45
