from __future__ import annotations

from typing import Any

import numpy as np

from searchspaces import Candidate, Options
from searchspaces.spaces._row_codes import RowCodes


def codes(*settings: dict[str, Any]) -> list[list[float]]:
    _, coded = RowCodes.of([Candidate(training=Options(one)) for one in settings])
    found: list[list[float]] = coded.round(6).tolist()
    return found


def test_a_number_is_from_zero_to_one() -> None:
    assert codes({"depth": 2}, {"depth": 3}, {"depth": 6}) == [[0.0], [0.25], [1.0]]


def test_a_number_that_spans_a_decade_is_on_a_logarithmic_scale_and_zero_a_step_below() -> None:
    rates = (0.0, 1e-3, 1e-2, 1e-1)
    np.testing.assert_allclose(codes(*({"rate": rate} for rate in rates)), [[0.0], [1 / 3], [2 / 3], [1.0]], atol=1e-6)


def test_a_negative_number_keeps_its_scale() -> None:
    assert codes({"bias": -1}, {"bias": 0}, {"bias": 99}) == [[0.0], [0.01], [1.0]]


def test_a_number_that_only_some_have_is_in_the_middle_for_others() -> None:
    assert codes({"heads": 1}, {"heads": 3}, {}) == [[0.0, 1.0], [1.0, 1.0], [0.5, 0.0]]


def test_what_says_the_same_is_there_once() -> None:
    assert codes({"act": "relu", "rate": 1}, {"act": "tanh", "rate": 2}) == [[1.0, 0.0], [0.0, 1.0]]


def test_candidates_without_differences_have_a_column_all_the_same() -> None:
    assert codes({"a": 1}, {"a": 1}) == [[0.0], [0.0]]
