"""Hard constraints between two knobs, and the nearest way to keep them.

Each rule has a knob that gives way and one that it depends on; knobs that give way come after those that they depend
on, so one pass in this order keeps all rules, and a second one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from searchspaces._decisions import Choice
from searchspaces.deployment import Device
from searchspaces.deployment.plan import COLUMNS
from searchspaces.spaces._codesign_knobs import CLUSTER

Settings = Mapping[str, Choice]
"""Every knob's value, those that do not count among them."""


@dataclass(frozen=True)
class Rule:
    """What must hold between the knob that gives way and another; `text` says it."""

    yields: str
    other: str
    text: str
    holds: Callable[[Settings], bool]

    def broken(self, settings: Settings) -> str:
        """The pair with its values, and the rule."""
        return (
            f"{self.yields}={settings[self.yields]!r} and {self.other}={settings[self.other]!r} contradict each other: "
            f"{self.text}"
        )


def rules(devices: Mapping[str, Device], tables: Sequence[str]) -> tuple[Rule, ...]:
    """All rules; those of tables are of the slots `tables`."""
    fixed = (
        Rule("global_batch", "hosts", "each device has the same number of examples", lambda s: not _batch(s) % _all(s)),
        Rule("groups", "hosts", "groups are of whole hosts, or several share each host", _are_groups_whole),
        Rule("towers", "groups", "the hosts of a group are shared evenly by its towers", _are_towers_whole),
        Rule("dense", "hosts", "sharding within hosts and copying between them takes two hosts", _is_hybrid_possible),
        Rule("compute_dtype", "device", "only newer devices compute in fp8", lambda s: _can_compute(s, devices)),
        Rule(
            "accumulation",
            "global_batch",
            "each micro-batch of each device has the same number of examples",
            lambda s: not _batch(s) % (_all(s) * int(s["accumulation"])),
        ),
    )
    return (*fixed, *(_column_rule(slot) for slot in tables))


def kept(settings: Settings, all_rules: Sequence[Rule], choices: Mapping[str, Sequence[Choice]]) -> dict[str, Choice]:
    """The settings with the fewest steps of each knob that gives way; what no choice can keep stays as it is."""
    found = dict(settings)
    by_knob: dict[str, list[Rule]] = {}
    for rule in all_rules:
        by_knob.setdefault(rule.yields, []).append(rule)
    for knob, own in by_knob.items():
        if not all(rule.holds(found) for rule in own):
            found[knob] = _nearest(found, knob, own, choices[knob])
    return found


def distinct(all_rules: Sequence[Rule], choices: Mapping[str, Sequence[Choice]]) -> list[Rule]:
    """Without rules of tables that have the same choices as another table: what holds for one holds for all."""
    found: dict[object, Rule] = {}
    for rule in all_rules:
        found.setdefault((rule.yields.partition(".")[0], rule.text, tuple(choices[rule.yields])), rule)
    return list(found.values())


def broken(settings: Settings, all_rules: Sequence[Rule]) -> Iterator[str]:
    """Each rule that the settings break, with its pair."""
    return (rule.broken(settings) for rule in all_rules if not rule.holds(settings))


def contradiction(all_rules: Sequence[Rule], choices: Mapping[str, Sequence[Choice]]) -> str | None:
    """Where no choice of a knob keeps its rules, and the pair: tries each cluster, batch and number of groups."""
    different = distinct(all_rules, choices)
    free = (*CLUSTER, "global_batch", "groups")
    usual = {slot: values[0] for slot, values in choices.items()}
    for values in product(*(choices[name] for name in free)):
        settings = {**usual, **dict(zip(free, values, strict=True))}
        wrong = next(broken(kept(settings, different, choices), different), None)
        if wrong is not None:
            where = ", ".join(f"{name}={settings[name]!r}" for name in CLUSTER)
            return f"with {where} no choice keeps all rules: {wrong}"
    return None


def _nearest(settings: Settings, knob: str, own: Sequence[Rule], choices: Sequence[Choice]) -> Choice:
    """The choice that keeps the rules in the fewest steps, of two the earlier one; the one that is where none does."""
    place = list(choices).index(settings[knob])
    for at in sorted(range(len(choices)), key=lambda at: (abs(at - place), at)):
        if all(rule.holds({**settings, knob: choices[at]}) for rule in own):
            return choices[at]
    return settings[knob]


def _batch(settings: Settings) -> int:
    return int(settings["global_batch"])


def _all(settings: Settings) -> int:
    return int(settings["hosts"]) * int(settings["devices_per_host"])


def _are_groups_whole(settings: Settings) -> bool:
    groups, within = int(settings["groups"]), int(settings["devices_per_host"])
    if _all(settings) % groups:
        return False
    size = _all(settings) // groups
    return size % within == 0 or within % size == 0


def _are_towers_whole(settings: Settings) -> bool:
    size = _all(settings) // int(settings["groups"])
    hosts = max(size // int(settings["devices_per_host"]), 1)
    return hosts % int(settings["towers"]) == 0


def _is_hybrid_possible(settings: Settings) -> bool:
    return settings["dense"] != "hsdp" or int(settings["hosts"]) > 1


def _can_compute(settings: Settings, devices: Mapping[str, Device]) -> bool:
    return settings["compute_dtype"] not in ("fp8", "int8") or devices[str(settings["device"])].has_fp8


def _column_rule(slot: str) -> Rule:
    def fits(settings: Settings) -> bool:
        return COLUMNS.get(str(settings[slot]), 1) <= _all(settings) // int(settings["groups"])

    return Rule(slot, "groups", "each slice of columns is on a device of its own", fits)
