"""A prepared folder's schema file is believed in nothing."""

from __future__ import annotations

import pytest

from evaluators._datasets.schema_content import content_mistakes

RIGHT: dict[str, object] = {
    "name": "clicks",
    "label": "click",
    "time_column": None,
    "split": {},
    "minimum_count": 2,
    "bayes_ne": {"valid": 0.8},
    "source": "",
    "licence": "",
    "digest": "sha256:0",
    "rows": {"train": 3, "valid": 2, "test": 1},
    "base_rate": {"train": 0.5, "valid": 1},
    "meanings": {"price": "in euro"},
}


def test_what_a_preparation_writes_is_right() -> None:
    assert list(content_mistakes(RIGHT)) == []


@pytest.mark.parametrize("key", [key for key in RIGHT if key != "meanings"])
def test_a_missing_key_is_named(key: str) -> None:
    assert list(content_mistakes({name: RIGHT[name] for name in RIGHT if name != key})) == [f"{key!r} is missing"]


@pytest.mark.parametrize(
    ("key", "value", "mistake"),
    [
        ("name", "", "'name' must be a text, but is ''"),
        ("label", ["click"], "'label' must be a text, but is ['click']"),
        ("time_column", 3, "'time_column' must be a text or null, but is 3"),
        ("split", "time", "'split' must be a mapping, but is 'time'"),
        ("minimum_count", True, "'minimum_count' must be a whole number of at least 1, but is True"),
        ("bayes_ne", {"valid": "low"}, "'bayes_ne' must be a number for each part, or null, but is {'valid': 'low'}"),
        ("digest", None, "'digest' must be a text, but is None"),
        ("rows", {"train": 3}, "'rows' must be a positive whole number for train, valid and, where there is one, test"),
        ("rows", {"train": 3, "valid": 0}, "'rows' must be a positive whole number for train, valid"),
        ("rows", {"train": 3, "valid": 2, "more": 1}, "'rows' must be a positive whole number for train, valid"),
        ("base_rate", {"train": 1.5}, "'base_rate' must be a number from 0 to 1 for each part, but is {'train': 1.5}"),
        ("meanings", {"price": 3}, "'meanings' must map fields to texts, but is {'price': 3}"),
        ("meanings", "none", "'meanings' must map fields to texts, but is 'none'"),
    ],
)
def test_a_wrong_value_is_named(key: str, value: object, mistake: str) -> None:
    [told] = content_mistakes({**RIGHT, key: value})
    assert mistake in told
