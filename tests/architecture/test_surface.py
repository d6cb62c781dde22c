"""A package's `__init__` is its whole API: what it lists is what it has."""

from __future__ import annotations

import importlib
import types

import pytest

PACKAGES = ["automl", "searchspaces", "evaluators", "predictors", "storage"]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_listed_name_exists(name: str) -> None:
    package = importlib.import_module(name)
    assert [one for one in package.__all__ if getattr(package, one, None) is None] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_object_is_listed(name: str) -> None:
    package = importlib.import_module(name)
    public = {
        one
        for one, value in vars(package).items()
        if not one.startswith("_")
        and not isinstance(value, types.ModuleType)
        and getattr(value, "__module__", "").split(".")[0] == name
    }
    assert public <= set(package.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module("automl").nothing  # noqa: B018
