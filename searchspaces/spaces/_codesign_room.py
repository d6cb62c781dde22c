"""Room in memory: makes a plan fit by the fewest changes, and says what would where no plan fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from searchspaces._decisions import Choice
from searchspaces._errors import SpaceError
from searchspaces.deployment import BYTES, Cluster, Device, Plan, RankingModel, memory_of
from searchspaces.deployment.cluster import GIGA
from searchspaces.deployment.memory import RESERVE
from searchspaces.deployment.plan import DENSE, TIERS
from searchspaces.spaces._codesign_knobs import CLUSTER, KNOBS, SHARDING

SPREADING = ("row", "table_row", "grid", "column_8", "column_4", "column_2", "table")
"""Ways to spread a table, those that leave least on one device first."""

MOST_HOSTS = 1 << 14
Choices = Mapping[str, Sequence[Choice]]


@dataclass(frozen=True)
class Room:
    """What must fit: a model, on devices by their names. Settings hold every knob; slots of tables are in order."""

    model: RankingModel
    devices: Mapping[str, Device]

    @property
    def slots(self) -> tuple[str, ...]:
        """One a table of the model."""
        return tuple(f"{SHARDING}.{table.name}" for table in self.model.tables)

    def plan(self, settings: Mapping[str, Any]) -> Plan:
        """The plan of these settings."""
        device, hosts, within = (settings[name] for name in CLUSTER)
        knobs = {name: settings[name] for name in KNOBS if name in settings}
        return Plan(Cluster(self.devices[device], hosts, within), tuple(settings[slot] for slot in self.slots), **knobs)

    def fits(self, settings: Mapping[str, Any]) -> bool:
        """Whether the fullest device holds what it must."""
        return memory_of(self.model, self.plan(settings)).fits

    def roomier(self, settings: Mapping[str, Choice], choices: Choices) -> Iterator[dict[str, Choice]]:
        """Settings that need less and less: large tables spread, more of them each time, then fewer groups, smaller
        micro-batches, and slower memory; each change comes on top of those before."""
        found = dict(settings)
        order = sorted(self.model.tables, key=lambda table: table.weights * table.count, reverse=True)
        targets = {slot: _first(SPREADING, choices[slot]) for slot in (f"{SHARDING}.{table.name}" for table in order)}
        moved = [slot for slot, target in targets.items() if found[slot] != target]
        count = 1
        while moved:
            found.update({slot: targets[slot] for slot in moved[:count]})
            yield dict(found)
            if count >= len(moved):
                break
            count *= 2
        for name, values in (
            ("groups", [one for one in reversed(choices["groups"]) if one < found["groups"]]),  # type: ignore[operator]
            ("accumulation", [one for one in choices["accumulation"] if one > found["accumulation"]]),  # type: ignore[operator]
            ("tier", [one for one in TIERS[TIERS.index(str(found["tier"])) + 1 :] if one in choices["tier"]]),
        ):
            for value in values:
                found[name] = value
                yield dict(found)

    def check(self, choices: Choices) -> None:
        """Returns silently where some plan of the choices fits.

        Raises:
            SpaceError: none does; the message tells the smallest change after which one would.
        """
        clusters = [
            {"device": device, "hosts": hosts, "devices_per_host": within}
            for device in choices["device"]
            for hosts in choices["hosts"]
            for within in choices["devices_per_host"]
        ]
        if any(self._has_room(cluster, choices) for cluster in clusters):
            return
        largest = max(clusters, key=self._capacity)
        changes = [text for text, is_enough in self._changes(largest, choices) if is_enough] or ["another model"]
        held = self.model.table_weights * min(BYTES[str(one)] for one in choices["table_dtype"]) / GIGA
        cluster = self.plan(_thrifty(largest, self.slots, choices)).cluster
        raise SpaceError(
            f"no plan of this space fits: the tables take {held:,.1f} GB at least, and {cluster} hold "
            f"{self._capacity(largest) / GIGA:,.1f} GB beside a reserve of {RESERVE:.0%}; "
            f"the smallest change that would fit: {'; or '.join(changes)}"
        )

    def _changes(self, cluster: Mapping[str, Any], choices: Choices) -> Iterator[tuple[str, bool]]:
        """Each change by itself and whether it is enough: knobs first, as they cost nothing, then hosts and devices."""
        for name, value in (("table_dtype", "fp16"), (SHARDING, "row"), ("tier", "cached"), ("tier", "host")):
            slots = self.slots if name == SHARDING else (name,)
            if any(value not in choices[slot] for slot in slots):
                wider = {**choices, **{slot: (*choices[slot], value) for slot in slots}}
                yield f"{value!r} among the choices of {name!r}", self._has_room(cluster, wider)
        hosts = self._least_hosts(cluster, choices)
        yield f"{hosts} hosts instead of {cluster['hosts']}", hosts <= MOST_HOSTS
        device = self.devices[str(cluster["device"])]
        least = self._least_gigabytes(cluster, choices)
        yield f"devices of {least:,.0f} GB instead of {device.memory_gigabytes:,.0f} GB", True

    def _least_hosts(self, cluster: Mapping[str, Any], choices: Choices) -> int:
        """By halving: more hosts hold more; above `MOST_HOSTS` where even that many do not."""
        low, high = int(cluster["hosts"]), int(cluster["hosts"])
        while high <= MOST_HOSTS and not self._has_room({**cluster, "hosts": high}, choices):
            low, high = high, 2 * high
        while high <= MOST_HOSTS and high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._has_room({**cluster, "hosts": middle}, choices) else (middle, high)
        return high

    def _least_gigabytes(self, cluster: Mapping[str, Any], choices: Choices) -> float:
        needed = min(memory_of(self.model, self.plan(one)).needed for one in _thriftiest(cluster, self.slots, choices))
        return -(-needed / (1 - RESERVE) // GIGA)

    def _has_room(self, cluster: Mapping[str, Any], choices: Choices) -> bool:
        return any(self.fits(settings) for settings in _thriftiest(cluster, self.slots, choices))

    def _capacity(self, cluster: Mapping[str, Any]) -> float:
        device = self.devices[str(cluster["device"])]
        return device.memory_bytes * (1 - RESERVE) * int(cluster["hosts"]) * int(cluster["devices_per_host"])


def _thriftiest(cluster: Mapping[str, Any], slots: Sequence[str], choices: Choices) -> Iterator[dict[str, Any]]:
    """Everything spread the same way, each way in turn: none of them needs least for every model."""
    for how in SPREADING:
        if all(how in choices[slot] for slot in slots):
            yield {**_thrifty(cluster, slots, choices), **dict.fromkeys(slots, how)}
    yield _thrifty(cluster, slots, choices)


def _thrifty(cluster: Mapping[str, Any], slots: Sequence[str], choices: Choices) -> dict[str, Any]:
    """The choice of each knob that needs least memory."""
    found: dict[str, Any] = dict(cluster)
    for name in KNOBS:
        values = list(choices[name])
        if name.endswith("_dtype"):
            found[name] = min(values, key=lambda one: BYTES[str(one)])
        elif name in ("dense", "tier"):
            order = DENSE if name == "dense" else TIERS
            found[name] = max(values, key=lambda one, order=order: order.index(str(one)))  # type: ignore[misc]
        else:
            found[name] = max(values) if name in ("accumulation", "compression") else min(values)
    return {**found, **{slot: _first((*SPREADING, "data"), choices[slot]) for slot in slots}}


def _first(order: Sequence[str], choices: Sequence[Choice]) -> Choice:
    return next((one for one in order if one in choices), choices[0])
