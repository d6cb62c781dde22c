"""What a search stands on: each check tells what is missing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from automl import _installation as module
from automl import plugins
from automl._finding import State
from automl._installation import (
    device_findings,
    disk_findings,
    machine_findings,
    plugin_findings,
    stranger_findings,
    version_findings,
)
from searchspaces import PluginError


def test_every_distribution_that_we_need_has_its_version() -> None:
    found = {one.name: one for one in version_findings()}
    assert {"python", "ctr-automl", "torch", "mlflow", "sqlalchemy", "lightgbm"} <= found.keys()
    assert "pytest" not in found
    assert {one.state for one in found.values()} == {State.OK}


def test_a_distribution_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "mlflow":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(module, "version", version)
    (missing,) = [one for one in version_findings() if one.state is not State.OK]
    assert (missing.name, missing.value, missing.state) == ("mlflow", "is not installed", State.PROBLEM)
    assert "reinstall ctr-automl" in missing.way_out


def test_a_stranger_in_our_packages_is_told() -> None:
    (finding,) = stranger_findings({"storage": ["storage-kit"]})
    assert (finding.state, "'storage-kit'" in finding.value) == (State.PROBLEM, True)
    assert stranger_findings({})[0].state is State.OK


def test_every_plugin_loads() -> None:
    assert {one.state for one in plugin_findings(["block", "searcher"])} == {State.OK}


def test_a_plugin_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(kind: str, name: str) -> type:
        if name == "fm":
            raise PluginError("exports two classes")
        return object

    monkeypatch.setattr(plugins, "load", load)
    fine, broken = plugin_findings(["block"])
    assert "fm" not in fine.value.split(", ")
    assert (broken.name, broken.value) == ("block fm", "does not load: PluginError: exports two classes")
    assert (broken.state, broken.origin) == (State.PROBLEM, "ctr-automl")


def test_the_machine_is_described() -> None:
    found = {one.name: one.value for one in machine_findings()}
    assert "usable" in found["cores"]
    assert "available" in found["memory"]


def test_devices_are_described() -> None:
    found = {one.name: one for one in device_findings()}
    assert {"torch", "threads"} <= found.keys()
    assert {one.state for one in found.values()} == {State.OK}


def test_a_torch_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from evaluators._training import accelerators

    def broken() -> str:
        raise OSError("libcudart.so is missing")

    monkeypatch.setattr(accelerators, "build", broken)
    (finding,) = device_findings()
    assert (finding.value, finding.state) == ("does not load: libcudart.so is missing", State.PROBLEM)


def test_a_disk_with_room_is_fine(tmp_path: Path) -> None:
    assert {one.state for one in disk_findings({"store": tmp_path})} == {State.OK}


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_disk", lambda _folder: 10)
    finding = disk_findings({"store": tmp_path})[0]
    assert (finding.state, finding.value) == (State.WARNING, f"10 B free in {tmp_path}")


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = disk_findings({"store": tmp_path / "file" / "below"})[0]
    assert (finding.state, finding.value) == (State.PROBLEM, f"{tmp_path / 'file'} may not be written")
