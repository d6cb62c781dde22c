"""Options: frozen JSON settings."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchspaces import CandidateError, Options

TEXT = st.text('ab \u00e9"', max_size=3)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = SCALARS | st.lists(SCALARS | st.lists(SCALARS, max_size=2), max_size=3)


@given(st.dictionaries(TEXT, VALUES, max_size=3))
@settings(max_examples=50, deadline=None)
def test_options_survive_json(items: dict[str, object]) -> None:
    options = Options(items)
    assert Options(json.loads(json.dumps(options.to_dict()))) == options


def test_order_of_writing_does_not_matter() -> None:
    assert Options(a=1, b=2) == Options({"b": 2, "a": 1})
    assert hash(Options(a=1, b=2)) == hash(Options({"b": 2, "a": 1}))


def test_lists_become_tuples_and_back() -> None:
    options = Options(widths=[64, [32]])
    assert options["widths"] == (64, (32,))
    assert options.to_dict() == {"widths": [64, [32]]}


def test_options_are_a_mapping_ordered_by_name() -> None:
    assert list(Options(b=1, a=2)) == ["a", "b"]
    assert len(Options()) == 0
    assert repr(Options(b=1, a=2)) == "Options({'a': 2, 'b': 1})"


@pytest.mark.parametrize("value", [math.nan, math.inf, [1.0, -math.inf]])
def test_a_number_must_be_finite(value: object) -> None:
    with pytest.raises(CandidateError, match=r"must be a finite number, but 'rate' is .*; use null for 'none'"):
        Options(rate=value)


def test_anything_but_json_values_is_refused() -> None:
    with pytest.raises(CandidateError, match="a list of these, but 'act' is of type builtin_function_or_method"):
        Options(act=max)
