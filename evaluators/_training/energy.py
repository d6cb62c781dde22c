"""Energy of one trial in joules, from counters of the device that trains; nothing where it has none to read.

CUDA: the whole board's counter since the driver was loaded (NVML, Volta and later), read through the package
`pynvml` where that is installed. CPU: the counters of all packages (Linux powercap, RAPL), which most systems
let only an administrator read. Either counter belongs to the whole device, so the energy of whatever else runs
on it at the same time is in it, and idle power too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from evaluators._evaluation import Metric

POWERCAP = Path("/sys/class/powercap")
POLL_SECONDS = 10.0
"""The smallest range in use, 4295 J, then wraps at most once between two looks up to 429 W a package."""

Counters = Mapping[str, int]


@dataclass(frozen=True)
class Meter:
    """Counters of one device that only grow, but for a wrap after `ranges`.

    `read` gives the counters in units of which `per_joule` make a joule; one without a range never wraps.
    """

    read: Callable[[], Counters]
    ranges: Counters
    per_joule: float

    def between(self, before: Counters, after: Counters) -> float:
        """Joules from one reading to the next, at most one wrap of each counter apart.

        Raises:
            OSError: a counter went backwards that has no range.
        """
        return sum(self._growth(name, before[name], after[name]) for name in before) / self.per_joule

    def _growth(self, name: str, before: int, after: int) -> int:
        grown = after - before if after >= before else after - before + self.ranges.get(name, 0)
        if grown < 0:
            raise OSError(f"the energy counter {name!r} must not go back, but went from {before} to {after}")
        return grown


class Reading:
    """The energy since it was made; None for good once a counter could not be read."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._lock = threading.Lock()
        self._joules: float | None = 0.0
        self._last = meter.read()

    def joules(self) -> float | None:
        """Joules up to now."""
        with self._lock:
            if self._joules is not None:
                try:
                    now = self._meter.read()
                    self._joules += self._meter.between(self._last, now)
                    self._last = now
                except (OSError, ValueError, KeyError):
                    self._joules = None
            return self._joules


@contextmanager
def metered(device: torch.device, poll_seconds: float = POLL_SECONDS) -> Iterator[Callable[[], dict[str, Metric]]]:
    """Gives a function that tells `energy_joules` so far, or nothing; looks now and then, so that no wrap is missed."""
    meter = meter_of(device)
    reading = None if meter is None else _begun(meter)
    if reading is None:
        yield dict
        return
    has_ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(reading, has_ended, poll_seconds), daemon=True)
    watcher.start()
    try:
        yield lambda: _metrics(reading)
    finally:
        has_ended.set()
        watcher.join()


@cache
def meter_of(device: torch.device) -> Meter | None:
    """The device's meter; None where it has none that this process may read."""
    return board_meter(device) if device.type == "cuda" else package_meter(POWERCAP)


def package_meter(powercap: Path) -> Meter | None:
    """Meter of all CPU packages; None where one of them cannot be read.

    Domains within a package (cores, memory) are in its counter already and are passed over; so are the whole
    platform's and the second face that some kernels give the same package.
    """
    try:
        folders = {_text(folder / "name"): folder for folder in sorted(powercap.glob("intel-rapl:*"))}
        packages = {name: folder for name, folder in folders.items() if name.startswith("package")}
        ranges = {name: int(_text(folder / "max_energy_range_uj")) for name, folder in packages.items()}
        meter = Meter(lambda: {name: int(_text(one / "energy_uj")) for name, one in packages.items()}, ranges, 1e6)
        return meter if packages and meter.read() else None
    except (OSError, ValueError):
        return None


def board_meter(device: torch.device) -> Meter | None:
    """Meter of a CUDA device, found by its identity, as its number here may be another one to the driver."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        board = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}".encode())
        meter = Meter(lambda: {"board": _millijoules(board)}, {}, 1e3)
        return meter if meter.read() else None
    except (pynvml.NVMLError, OSError, AttributeError):  # an older torch knows no identities
        return None


def _millijoules(board: object) -> int:
    import pynvml

    try:
        return int(pynvml.nvmlDeviceGetTotalEnergyConsumption(board))
    except pynvml.NVMLError as error:
        raise OSError(f"the board's energy counter cannot be read: {error}") from error


def _begun(meter: Meter) -> Reading | None:
    try:
        return Reading(meter)
    except (OSError, ValueError):
        return None


def _watch(reading: Reading, has_ended: threading.Event, poll_seconds: float) -> None:
    while not has_ended.wait(poll_seconds):
        reading.joules()


def _metrics(reading: Reading) -> dict[str, Metric]:
    joules = reading.joules()
    return {} if joules is None else {"energy_joules": Metric(joules)}


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
