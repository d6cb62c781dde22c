"""Room in memory: makes a plan fit by the fewest changes, and says what would where no plan fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from searchspaces._decisions import Choice
from searchspaces._errors import SpaceError
from searchspaces.deployment import BYTES, Cluster, Device, Plan, RankingModel, memory_of
from searchspaces.deployment.cluster import GIGA
from searchspaces.deployment.memory import RESERVE
from searchspaces.deployment.plan import DENSE, TIERS
from searchspaces.spaces._codesign_knobs import CLUSTER, KNOBS, SHARDING
from searchspaces.spaces._codesign_rules import Rule, broken, contradiction, kept, rules

SPREADING = ("row", "table_row", "grid", "column_8", "column_4", "column_2", "table")
"""Ways to spread a table, those that leave least on one device first."""

_ORDERS: Mapping[str, Sequence[str]] = {"dense": DENSE[::-1], "tier": TIERS[::-1]}
"""Choices of other knobs that are names, those that need least first."""

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

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Between the knobs of such a model."""
        return rules(self.devices, self.slots)

    def plan(self, settings: Mapping[str, Any]) -> Plan:
        """The plan of these settings."""
        knobs = {name: settings[name] for name in KNOBS if name in settings}
        return Plan(self._cluster(settings), tuple(settings[slot] for slot in self.slots), **knobs)

    def fits(self, settings: Mapping[str, Any]) -> bool:
        """Whether the fullest device holds what it must."""
        return memory_of(self.model, self.plan(settings)).fits

    def roomier(self, settings: Mapping[str, Choice], choices: Choices) -> Iterator[dict[str, Choice]]:
        """Settings that need less and less: large tables spread, more of them each time, then fewer groups, smaller
        micro-batches, and slower memory; each change comes on top of those before."""
        found = dict(settings)
        order = sorted(self.model.tables, key=lambda table: table.weights * table.count, reverse=True)
        slots = [f"{SHARDING}.{table.name}" for table in order]
        orders = {**choices, **{slot: _thriftiest_first(slot, choices[slot]) for slot in slots}}
        targets = kept({**found, **{slot: orders[slot][0] for slot in slots}}, self.rules, orders)
        moved = [slot for slot in slots if found[slot] != targets[slot]]
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
        raise SpaceError(
            f"no plan of this space fits: the tables take {held:,.1f} GB at least, and {self._cluster(largest)} hold "
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
        yield f"{hosts} hosts instead of {cluster['hosts']}", hosts is not None
        device = self.devices[str(cluster["device"])]
        least = self._least_gigabytes(cluster, choices)
        yield f"devices of {least:,.0f} GB instead of {device.memory_gigabytes:,.0f} GB", True

    def _least_hosts(self, cluster: Mapping[str, Any], choices: Choices) -> int | None:
        """More than there are, that hold a plan and contradict no other choice; None up to `MOST_HOSTS`."""
        within, batches = int(cluster["devices_per_host"]), [int(one) for one in choices["global_batch"]]
        for hosts in range(int(cluster["hosts"]) + 1, MOST_HOSTS + 1):
            if all(batch % (hosts * within) for batch in batches):
                continue  # most are ruled out by this alone, and everything else takes longer
            asked = {**cluster, "hosts": hosts}
            only = {**choices, **{name: (value,) for name, value in asked.items()}}
            if self._has_room(asked, choices) and contradiction(self.rules, only) is None:
                return hosts
        return None

    def _least_gigabytes(self, cluster: Mapping[str, Any], choices: Choices) -> float:
        needed = min(memory_of(self.model, self.plan(one)).needed for one in self._thriftiest(cluster, choices))
        return -(-needed / (1 - RESERVE) // GIGA)

    def _has_room(self, cluster: Mapping[str, Any], choices: Choices) -> bool:
        return any(self.fits(settings) for settings in self._thriftiest(cluster, choices))

    def _thriftiest(self, cluster: Mapping[str, Any], choices: Choices) -> Iterator[dict[str, Choice]]:
        """All tables spread the same way, each way in turn, then each its own way: none needs least for every model.

        What contradicts itself is no plan, and left out.
        """
        orders = {name: _thriftiest_first(name, values) for name, values in choices.items() if name not in cluster}
        orders |= {name: [value] for name, value in cluster.items()}
        alike = [how for how in SPREADING if all(how in choices[slot] for slot in self.slots)]
        spread: list[dict[str, list[Choice]]] = [{slot: [how] for slot in self.slots} for how in alike]
        for same in (*spread, {}):
            tried = {**orders, **same}
            found = kept({name: values[0] for name, values in tried.items()}, self.rules, tried)
            if not any(broken(found, self.rules)):
                yield found

    def _cluster(self, settings: Mapping[str, Any]) -> Cluster:
        device, hosts, within = (settings[name] for name in CLUSTER)
        return Cluster(self.devices[device], hosts, within)

    def _capacity(self, cluster: Mapping[str, Any]) -> float:
        found = self._cluster(cluster)
        return found.device.memory_bytes * (1 - RESERVE) * found.devices


def _thriftiest_first(name: str, values: Sequence[Choice]) -> list[Choice]:
    """Choices of a knob, those that need least memory first."""
    if name.endswith("_dtype"):
        return sorted(values, key=lambda one: BYTES[str(one)])
    if name in _ORDERS:
        return sorted(values, key=lambda one: _ORDERS[name].index(str(one)))
    if name.startswith(f"{SHARDING}."):
        return sorted(values, key=lambda one: (*SPREADING, "data").index(str(one)))
    return sorted(values, key=float, reverse=name in ("accumulation", "compression"))
