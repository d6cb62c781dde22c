"""Energy counters: made-up powercap trees, a made-up NVML, and nothing where nothing can be read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from evaluators._training import energy
from evaluators._training.energy import Meter, Reading, board_meter, metered, package_meter

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
RANGE = 1_000_000


class Powercap:
    """A tree as the kernel shows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, domain: str, name: str, microjoules: int) -> None:
        place = self.folder / domain
        place.mkdir(parents=True, exist_ok=True)
        for file, content in (("name", name), ("energy_uj", microjoules), ("max_energy_range_uj", RANGE)):
            (place / file).write_text(f"{content}\n")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    energy.meter_of.cache_clear()
    yield
    energy.meter_of.cache_clear()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Powercap:
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    return Powercap(tmp_path)


def test_packages_are_summed_in_joules_and_what_is_inside_them_is_passed_over(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 100)
    tree.add("intel-rapl:1", "package-1", 200)
    tree.add("intel-rapl:0:0", "core", 50)
    tree.add("intel-rapl:2", "psys", 900)
    tree.add("intel-rapl-mmio:0", "package-0", 100)
    with metered(CPU) as told:
        tree.add("intel-rapl:0", "package-0", 250_100)
        tree.add("intel-rapl:1", "package-1", 500_200)
        tree.add("intel-rapl:0:0", "core", 900_000)
        assert told()["energy_joules"].value == pytest.approx(0.75)


def test_a_counter_that_wraps_goes_on_from_its_range(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 900_000)
    with metered(CPU) as told:
        tree.add("intel-rapl:0", "package-0", 100_000)
        assert told()["energy_joules"].value == pytest.approx(0.2)
        tree.add("intel-rapl:0", "package-0", 50_000)
        assert told()["energy_joules"].value == pytest.approx(1.15)


def test_the_watcher_sees_a_wrap_that_nobody_asked_about(tree: Powercap) -> None:
    counts = iter([900_000, 100_000, 950_000, 100_000, 100_000])
    last = [0]

    def read() -> dict[str, int]:
        last[0] = next(counts, last[0])
        return {"package-0": last[0]}

    reading = Reading(Meter(read, {"package-0": RANGE}, 1e6))
    for _ in range(2):
        reading.joules()
    assert reading.joules() == pytest.approx(0.2 + 0.85 + 0.15)


def test_a_watched_reading_is_taken_while_nobody_asks(tree: Powercap, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.add("intel-rapl:0", "package-0", 0)
    looks: list[int] = []
    joules = Reading.joules

    def look(reading: Reading) -> float | None:
        looks.append(1)
        return joules(reading)

    monkeypatch.setattr(Reading, "joules", look)
    with metered(CPU, poll_seconds=0.001):
        while not looks:
            pass
    assert looks


def test_what_may_not_be_read_gives_nothing_rather_than_a_part(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 100)
    tree.add("intel-rapl:1", "package-1", 100)
    (tree.folder / "intel-rapl:1" / "energy_uj").unlink()
    with metered(CPU) as told:
        assert told() == {}


def test_a_counter_that_goes_away_ends_the_reading_for_good(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 100)
    with metered(CPU) as told:
        (tree.folder / "intel-rapl:0" / "energy_uj").write_text("")
        assert told() == {}
        tree.add("intel-rapl:0", "package-0", 200)
        assert told() == {}


@pytest.mark.parametrize("name", ["psys", "core"])
def test_without_a_package_there_is_no_meter(tree: Powercap, name: str) -> None:
    tree.add("intel-rapl:0", name, 100)
    assert package_meter(tree.folder) is None


def test_a_machine_without_powercap_has_no_meter(tmp_path: Path) -> None:
    assert package_meter(tmp_path / "nothing") is None


def test_a_counter_without_a_range_must_not_go_back() -> None:
    meter = Meter(lambda: {"board": 1}, {}, 1e3)
    with pytest.raises(OSError, match="the energy counter 'board' must not go back, but went from 5 to 1"):
        meter.between({"board": 5}, {"board": 1})


class NVMLError(Exception):
    """As the library's own."""


def nvml(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """A library with one board that has used two joules more at each look."""
    millijoules = iter(range(1_000, 100_000, 2_000))
    board = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda identity: identity,
        nvmlDeviceGetTotalEnergyConsumption=lambda board: next(millijoules) if board == b"GPU-7e57" else 0,
    )
    for name, value in changes.items():
        setattr(board, name, value)
    monkeypatch.setitem(sys.modules, "pynvml", board)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="7e57"))


def refuse(*_: object) -> None:
    raise NVMLError("not supported")


def test_a_board_is_found_by_its_identity_and_read_in_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml(monkeypatch)
    with metered(CUDA) as told:
        assert told()["energy_joules"].value == 2.0
        assert told()["energy_joules"].value == 4.0


@pytest.mark.parametrize("refused", ["nvmlInit", "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetTotalEnergyConsumption"])
def test_a_board_that_does_not_tell_has_no_meter(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    nvml(monkeypatch, **{refused: refuse})
    assert board_meter(CUDA) is None
    with metered(CUDA) as told:
        assert told() == {}


def test_without_the_library_a_board_has_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert board_meter(CUDA) is None
