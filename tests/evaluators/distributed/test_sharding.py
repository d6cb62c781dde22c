from __future__ import annotations

import pytest

from evaluators import EvaluatorError
from evaluators._distributed.launch import layout_of
from evaluators._distributed.sharding import Layout, Sharding, cut, placed


def test_the_largest_parts_are_spread_first() -> None:
    assert placed([1, 100, 60, 50], 2) == [0, 0, 1, 1]


def test_every_part_has_a_rank_where_there_are_more_ranks_than_parts() -> None:
    assert placed([4, 2], 3) == [0, 1]


def test_blocks_are_nearly_equal_and_add_up() -> None:
    assert cut(10, 4) == [3, 3, 2, 2]
    assert cut(1, 2) == [1, 0]


def test_groups_that_do_not_divide_the_ranks_are_refused() -> None:
    with pytest.raises(EvaluatorError, match="4 ranks are no multiple of 3 groups"):
        Layout(groups=3).group_size(4)


@pytest.mark.parametrize("wrong", [{"groups": 0}, {"sync_interval": 0}, {"moment_scale": 0.0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(EvaluatorError, match="a layout has at least one group"):
        Layout(**wrong)  # type: ignore[arg-type]


def test_a_table_without_a_kind_of_its_own_has_the_default() -> None:
    layout = Layout(Sharding.ROW, {"0.table": Sharding.COLUMN})
    assert (layout.of("0.table"), layout.of("1.table")) == (Sharding.COLUMN, Sharding.ROW)


def test_a_layout_survives_json_types() -> None:
    layout = Layout(Sharding.ROW, {"0.table": Sharding.COLUMN}, 2, 3, 2.0)
    content = {"default": "row", "by_table": {"0.table": "column"}, "groups": 2, "sync_interval": 3, "moment_scale": 2}
    assert layout_of(content) == layout
