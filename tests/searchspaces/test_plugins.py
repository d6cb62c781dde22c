"""Plug-ins are found by file name, without a list to edit."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from searchspaces import PluginError, foreign_plugins, load_plugin, plugin_names
from searchspaces.blocks.mlp import MLP


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A room with a good plug-in, one known by another name, one that exports two classes, a private module."""
    folder = tmp_path / f"room_{tmp_path.name}"
    folder.mkdir()
    (folder / "__init__.py").write_text("ALIASES = {'torch': 'torch_run'}\n")
    (folder / "good.py").write_text("__all__ = ['Good']\nclass Good: ...\n")
    (folder / "torch_run.py").write_text("__all__ = ['Run']\nclass Run: ...\n")
    (folder / "two.py").write_text("__all__ = ['One', 'Two']\n")
    (folder / "_private.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_names_are_listed_without_importing_the_modules(room: str) -> None:
    assert plugin_names(room) == ("good", "torch", "two")
    assert f"{room}.good" not in sys.modules


def test_a_plugin_is_the_single_export_of_its_module(room: str) -> None:
    assert load_plugin(room, "good").__name__ == "Good"
    assert load_plugin("searchspaces.blocks", "mlp") is MLP


def test_a_plugin_may_be_known_by_the_name_of_a_dependency(room: str) -> None:
    assert load_plugin(room, "torch").__name__ == "Run"


def test_an_unknown_name_gets_the_closest_one(room: str) -> None:
    with pytest.raises(PluginError, match=rf"no 'goood' in {room}; did you mean 'good'\? \(known: good, torch, two\)"):
        load_plugin(room, "goood")


def test_a_module_that_exports_two_classes_is_refused(room: str) -> None:
    with pytest.raises(PluginError, match=rf"one class in __all__, but {room}.two exports \['One', 'Two'\]"):
        load_plugin(room, "two")


def test_another_distribution_adds_its_plugin_by_entry_point(room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("foreign", "searchspaces.blocks.mlp:MLP", f"ctr_automl.{room}")
    monkeypatch.setattr("searchspaces._plugins.entry_points", lambda group: [point] if group == point.group else [])
    foreign_plugins.cache_clear()
    assert plugin_names(room) == ("foreign", "good", "torch", "two")
    assert load_plugin(room, "foreign") is MLP
