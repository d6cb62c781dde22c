"""Options of blocks are read with their type and range."""

import pytest

from searchspaces import ArchitectureError, Options
from searchspaces._block_options import (
    check_names,
    choice,
    flag,
    fraction,
    positive,
    whole_number,
    whole_number_or,
    whole_numbers,
)


def test_right_options_are_read() -> None:
    options = Options(width=8, widths=[4, 2], bias=False, dropout=0.5)
    check_names("mlp", options, ("width", "widths", "bias", "dropout"))
    assert whole_number("mlp", options, "width") == 8
    assert whole_numbers("mlp", options, "widths") == (4, 2)
    assert flag("mlp", options, "bias", default=True) is False
    assert fraction("mlp", options, "dropout") == 0.5


def test_flags_and_fractions_have_defaults() -> None:
    assert flag("mlp", Options(), "bias", default=True) is True
    assert fraction("mlp", Options(), "dropout") == 0.0


def test_an_unknown_option_gets_the_closest_one() -> None:
    message = r"block 'mlp' has no option 'widht'; did you mean 'width'\? \(known: width\)"
    with pytest.raises(ArchitectureError, match=message):
        check_names("mlp", Options(widht=8), ("width",))


@pytest.mark.parametrize("value", [0, -3, 8.0, True, "8", None])
def test_a_width_must_be_a_positive_integer(value: object) -> None:
    with pytest.raises(ArchitectureError, match="'width' of block 'mlp' must be an integer of at least 1, but is"):
        whole_number("mlp", Options(width=value), "width")


def test_a_width_has_an_upper_bound() -> None:
    message = "'width' of block 'mlp' must be an integer of at most 2147483647, but is 2147483648"
    with pytest.raises(ArchitectureError, match=message):
        whole_number("mlp", Options(width=2**31), "width")


def test_a_number_may_have_a_default() -> None:
    assert whole_number_or("mlp", Options(heads=2), "heads", 1) == 2
    assert whole_number_or("mlp", Options(), "heads", 1) == 1
    with pytest.raises(ArchitectureError, match="'heads' of block 'mlp' must be an integer of at least 1, but is None"):
        whole_number_or("mlp", Options(heads=None), "heads", 1)


def test_a_word_is_one_of_those_known() -> None:
    assert choice("dhen", Options(ensemble="sum"), "ensemble", ("concat", "sum"), default="concat") == "sum"
    assert choice("dhen", Options(), "ensemble", ("concat", "sum"), default="concat") == "concat"


@pytest.mark.parametrize("value", ["mean", 1, None])
def test_a_word_that_is_not_known_is_refused(value: object) -> None:
    with pytest.raises(ArchitectureError, match="'ensemble' of block 'dhen' must be one of concat, sum, but is"):
        choice("dhen", Options(ensemble=value), "ensemble", ("concat", "sum"), default="concat")


@pytest.mark.parametrize("value", [8, [], None])
def test_widths_must_be_a_list(value: object) -> None:
    with pytest.raises(ArchitectureError, match="'widths' of block 'mlp' must be a list of integers, but is"):
        whole_numbers("mlp", Options(widths=value), "widths")


def test_a_flag_must_be_a_boolean() -> None:
    with pytest.raises(ArchitectureError, match="'bias' of block 'linear' must be true or false, but is 1"):
        flag("linear", Options(bias=1), "bias", default=True)


@pytest.mark.parametrize("value", [-0.1, 1, 1.5, True, "0.5"])
def test_a_fraction_must_lie_below_one(value: object) -> None:
    with pytest.raises(ArchitectureError, match="'dropout' of block 'mlp' must be at least 0 and below 1, but is"):
        fraction("mlp", Options(dropout=value), "dropout")


def test_a_choice_is_one_of_the_known_words() -> None:
    assert choice("mlp", Options(norm="layer"), "norm", ("none", "layer"), default="none") == "layer"
    assert choice("mlp", Options(), "norm", ("none", "layer"), default="none") == "none"


@pytest.mark.parametrize("value", ["group", 1, None])
def test_another_word_gets_the_known_ones(value: object) -> None:
    message = "'norm' of block 'mlp' must be one of none, layer, but is"
    with pytest.raises(ArchitectureError, match=message):
        choice("mlp", Options(norm=value), "norm", ("none", "layer"), default="none")


def test_a_positive_number_has_a_default() -> None:
    assert positive("mask", Options(ratio=2), "ratio", default=1.0) == 2.0
    assert positive("mask", Options(), "ratio", default=1.0) == 1.0


@pytest.mark.parametrize("value", [0, -1.5, True, "2", None, 1e300])
def test_a_positive_number_is_above_zero(value: object) -> None:
    with pytest.raises(ArchitectureError, match="'ratio' of block 'mask' must be above 0 and at most 2147483647, but"):
        positive("mask", Options(ratio=value), "ratio", default=1.0)
