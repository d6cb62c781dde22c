from __future__ import annotations

import pytest

from automl import AutomlError, ConfigError
from automl.comparing import entries_of


def test_each_is_found_in_its_room() -> None:
    one, other = entries_of("one_shot:candidates=8:keep=2, random_search")
    assert (one.kind, one.spec) == ("method", {"name": "one_shot", "candidates": 8, "keep": 2})
    assert (other.kind, other.label, other.spec) == ("searcher", "random_search", {"name": "random_search"})


def test_a_slug_can_be_part_of_a_name() -> None:
    [one] = entries_of("autoctr:weights=[0.1, 1, 0.1]")
    assert one.slug == "autoctr-weights-0.1-1-0.1"


def test_all_unknown_names_are_told_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError) as caught:
        entries_of("oneshot,random_serch")
    assert "oneshot: no 'oneshot' in automl.methods or automl.searchers; did you mean 'one_shot'" in str(caught.value)
    assert "did you mean 'random_search'" in str(caught.value)


def test_a_wrong_option_is_told() -> None:
    with pytest.raises(ConfigError, match="unknown option; did you mean 'candidates'"):
        entries_of("one_shot:candidate=8")


@pytest.mark.parametrize("text", ["random_search,random_search", "", "random_search,"])
def test_each_is_named_once(text: str) -> None:
    with pytest.raises(AutomlError, match="named once each"):
        entries_of(text)


def test_labels_that_make_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be told apart"):
        entries_of("one_shot:keep=2,one_shot:keep= 2")
