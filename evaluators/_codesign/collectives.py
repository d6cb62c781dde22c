"""Seconds of collective operations on a network of two levels: links within a host, a network card a device between.

Letters: g devices a host and n hosts take part. Bytes are those of one device. Bandwidths are data-sheet peaks in
bytes a second; what of them is achieved is for the caller to say. Latencies are those of one message.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from searchspaces.deployment.cluster import GIGA, Device

WITHIN_LATENCY, BETWEEN_LATENCY = 0.5e-6, 2e-6
"""Seconds of one of many messages between devices of one host and of two hosts: guesses."""


@dataclass(frozen=True)
class Ring:
    """Who takes part: `within` devices on each of `hosts`, and their links."""

    within: int
    hosts: int
    within_bytes_per_second: float
    between_bytes_per_second: float

    @classmethod
    def of(cls, device: Device, within: int, hosts: int) -> Ring:
        """Devices of one kind."""
        links = device.intra_gigabytes_per_second * GIGA, device.inter_gigabytes_per_second * GIGA
        return cls(within, hosts, *links)

    @property
    def size(self) -> int:
        """All that take part."""
        return self.within * self.hosts

    @property
    def all_to_all_latency(self) -> float:
        """Seconds of the messages alone, one to each peer in the host and, by rail, one to each other host."""
        return WITHIN_LATENCY * (self.within - 1) + BETWEEN_LATENCY * (self.hosts - 1)

    @property
    def all_reduce_latency(self) -> float:
        """Seconds of the messages alone, up a tree and down again."""
        return 2 * (WITHIN_LATENCY * math.log2(self.within) + BETWEEN_LATENCY * math.log2(self.hosts))

    @property
    def ring_latency(self) -> float:
        """Seconds of the messages alone, once around: as many as devices, each as slow as the slowest link's."""
        return (self.size - 1) * (BETWEEN_LATENCY if self.hosts > 1 else WITHIN_LATENCY)

    def all_to_all_seconds(self, sent: float) -> float:
        """Each sends an equal part of `sent` bytes to each: the slower of both levels, which work at the same time."""
        within = sent * (self.within - 1) / self.size / self.within_bytes_per_second
        between = sent * (self.size - self.within) / self.size / self.between_bytes_per_second
        return max(within, between)

    def reduce_scatter_seconds(self, held: float) -> float:
        """Sums of `held` bytes that each has a part of, first within hosts, then between; an all-gather is as long."""
        within = (self.within - 1) / self.within * held / self.within_bytes_per_second
        return within + (self.hosts - 1) / self.hosts * held / self.within / self.between_bytes_per_second

    def all_reduce_seconds(self, held: float) -> float:
        """Sums of `held` bytes for everybody: a reduce-scatter and an all-gather."""
        return 2 * self.reduce_scatter_seconds(held)
