"""Blocks named in an option of another block."""

import pytest

from searchspaces import ArchitectureError, Cost, Dense, Fields, Options
from searchspaces._children import Child


@pytest.mark.parametrize("child", [Child("dot_product", Options()), Child("mlp", Options(widths=[4, 2], dropout=0.5))])
def test_a_child_reads_what_it_writes(child: Child) -> None:
    assert Child.read("dhen", "modules", child.value) == child


def test_a_name_alone_has_no_options() -> None:
    assert Child.read("dhen", "modules", "cross") == Child("cross", Options())


def test_it_answers_as_its_block() -> None:
    child = Child("mlp", Options(width=3))
    assert child.output([Fields(2, 2)]) == Dense(3)
    assert child.cost([Fields(2, 2)]) == Cost(15, 12)
    assert sum(one.numel() for one in child.build([Fields(2, 2)]).parameters()) == 15


@pytest.mark.parametrize("value", [1, ("cross",), ("cross", "layers"), ("cross", (("layers",),)), ((), ()), (1, ())])
def test_another_form_is_refused(value: object) -> None:
    with pytest.raises(ArchitectureError, match="'modules' of block 'dhen' must name a module as 'name' or as"):
        Child.read("dhen", "modules", value)


def test_an_option_is_given_once() -> None:
    with pytest.raises(ArchitectureError, match="each option of a module is given once, but 'modules' of block 'dhen'"):
        Child.read("dhen", "modules", ("cross", (("layers", 1), ("layers", 2))))
