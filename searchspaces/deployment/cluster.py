"""Devices by their data sheets, and clusters of them.

Peaks are dense bf16, without sparsity. `inter_gigabytes_per_second` is one network card's, of which each device has
one of its own: InfiniBand of 200 Gb/s on A100 hosts and 400 Gb/s on later ones, Ethernet where a cluster says so.
Prices are rough on-demand list prices a device and hour of 2024; a cluster description overrides what it knows better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from searchspaces._errors import SpaceError

GIGA = 1e9
_PEAKS: Mapping[str, float] = MappingProxyType(
    {"fp32": 1 / 16, "tf32": 1 / 2, "bf16": 1.0, "fp16": 1.0, "fp8": 2.0, "int8": 2.0}
)
"""Of a number's kind, in units of bf16: how tensor cores of A100 and later scale."""


@dataclass(frozen=True)
class Device:
    """One accelerator: peaks of arithmetic, memory, links within the host and between hosts, and to the host's memory.

    Raises:
        SpaceError: a number is not above zero.
    """

    name: str
    teraflops: float
    memory_gigabytes: float
    memory_terabytes_per_second: float
    intra_gigabytes_per_second: float
    inter_gigabytes_per_second: float
    host_gigabytes_per_second: float = 25.0
    dollars_per_hour: float = 2.0
    has_fp8: bool = False

    def __post_init__(self) -> None:
        for key, value in vars(self).items():
            if isinstance(value, float | int) and not isinstance(value, bool) and not value > 0:
                raise SpaceError(f"{key!r} of a device must be above 0, but of {self.name!r} it is {value}")

    def flops_per_second(self, dtype: str) -> float:
        """Peak of a number's kind."""
        return self.teraflops * 1e12 * _PEAKS[dtype]

    @property
    def memory_bytes(self) -> float:
        """Memory of the device."""
        return self.memory_gigabytes * GIGA

    @property
    def memory_bytes_per_second(self) -> float:
        """Peak of its own memory."""
        return self.memory_terabytes_per_second * 1e12


DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        one.name: one
        for one in (
            Device("V100", 125, 32, 0.9, 150, 12.5, 12, 1.5),
            Device("A30", 165, 24, 0.933, 25, 25, 25, 0.8),
            Device("A100", 312, 80, 2.04, 300, 25, 25, 2.0),
            Device("L40", 181, 48, 0.864, 25, 25, 25, 1.0),
            Device("L40S", 362, 48, 0.864, 25, 25, 25, 1.2, has_fp8=True),
            Device("H100-PCIe", 756, 80, 2.0, 50, 25, 50, 2.5, has_fp8=True),
            Device("H100", 989, 80, 3.35, 450, 50, 50, 3.5, has_fp8=True),
            Device("H200", 989, 141, 4.8, 450, 50, 50, 4.0, has_fp8=True),
            Device("B200", 2250, 180, 8.0, 900, 50, 50, 6.0, has_fp8=True),
        )
    }
)


@dataclass(frozen=True)
class Cluster:
    """`hosts` with `devices_per_host` devices each.

    Raises:
        SpaceError: a count is below one.
    """

    device: Device
    hosts: int
    devices_per_host: int

    def __post_init__(self) -> None:
        for key in ("hosts", "devices_per_host"):
            if getattr(self, key) < 1:
                raise SpaceError(f"{key!r} of a cluster must be at least 1, but is {getattr(self, key)}")

    @property
    def devices(self) -> int:
        """W, of all hosts."""
        return self.hosts * self.devices_per_host

    @property
    def dollars_per_second(self) -> float:
        """Price of all devices."""
        return self.devices * self.device.dollars_per_hour / 3600.0

    def __str__(self) -> str:
        return f"{self.hosts} host(s) of {self.devices_per_host} {self.device.name}"
