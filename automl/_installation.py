"""Looks at what a search stands on: distributions, plug-ins, cores, memory, devices, disks."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

from automl import plugins
from automl._finding import Finding, State, judged
from automl._guard import OURS, PACKAGES, strangers
from automl._machine import cores, free_disk, load_per_core, memory, readable
from evaluators._datasets import home

LEAST_DISK = 2**30
"""Free bytes under which a disk is told: a search with its mirror and its data soon fills them."""

REINSTALL = "reinstall ctr-automl, best in an environment of its own"


def version_findings() -> list[Finding]:
    """Python, ours, and every distribution that ours needs, by its metadata alone."""
    found = [Finding("version", "python", f"{platform.python_version()} on {platform.platform()}")]
    for name in (OURS, *_needed()):
        try:
            found.append(Finding("version", name, version(name)))
        except PackageNotFoundError:
            found.append(Finding("version", name, "is not installed", State.PROBLEM, way_out=REINSTALL))
    return found


def stranger_findings(claims: Mapping[str, Sequence[str]] | None = None) -> list[Finding]:
    """Whether another distribution has taken one of our package names."""
    wrong = strangers(packages_distributions() if claims is None else claims, {name: _home(name) for name in PACKAGES})
    way_out = f"uninstall the other distribution and {REINSTALL}"
    return [judged("version", "package names", wrong, way_out=way_out)]


def plugin_findings(rooms: Sequence[str] = tuple(plugins.ROOMS)) -> list[Finding]:
    """Loads every plug-in of every room and names those that do not load."""
    return [finding for room in rooms for finding in _room(room)]


def machine_findings() -> list[Finding]:
    """Cores, load and memory, under the limits of the control group."""
    seen, kept = cores(), memory()
    limit = "" if seen.limit is None else f", {seen.limit:g} at once by the control group"
    group = "" if kept.limit is None else f", {readable(kept.limit)} by the control group"
    load = load_per_core()
    return [
        Finding("machine", "cores", f"{seen.usable} of {seen.present} usable{limit}"),
        Finding("machine", "load", f"{load:.2f} a core in the last minute"),
        Finding("machine", "memory", f"{readable(kept.available)} of {readable(kept.total)} available{group}"),
    ]


def device_findings() -> list[Finding]:
    """What torch sees; it takes seconds to load, and may not load at all."""
    try:
        from evaluators._training.accelerators import accelerators, build, threads

        found = [Finding("device", "torch", build()), Finding("device", "threads", f"{threads()} by default")]
        seen = accelerators()
    except Exception as error:  # noqa: BLE001  # a broken build may raise anything: that is what is looked for
        text = f"does not load: {' '.join(str(error).split())}"
        return [Finding("device", "torch", text, State.PROBLEM, way_out="reinstall torch for this machine")]
    for number, one in enumerate(seen):
        bf16 = "with" if one.has_bf16 else "without"
        text = f"{one.name}, {readable(one.free_bytes)} of {readable(one.total_bytes)} free, {bf16} bf16"
        found.append(Finding("device", f"cuda:{number}", text))
    return found if seen else [*found, Finding("device", "cuda", "none: trials run on the CPU")]


def disk_findings(folders: Mapping[str, Path]) -> list[Finding]:
    """Free disk of each named folder, of the cache and of temporary files, and whether it may be written."""
    known = {**folders, "cache": home(), "temporary files": Path(tempfile.gettempdir())}
    return [_disk(name, folder.absolute()) for name, folder in known.items()]


def _disk(name: str, folder: Path) -> Finding:
    text = f"{readable(free_disk(folder))} free in {folder}"
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        way_out = "allow writing to it, or name another folder"
        return Finding("disk", name, f"{there} may not be written", State.PROBLEM, way_out=way_out)
    is_little = free_disk(folder) < LEAST_DISK
    state = State.WARNING if is_little else State.OK
    return Finding("disk", name, text, state, way_out="make room before a long search" if is_little else "")


def _room(room: str) -> list[Finding]:
    broken = []
    for name in plugins.names(room):
        try:
            plugins.load(room, name)
        except Exception as error:  # noqa: BLE001  # a plug-in may raise anything: that is what is looked for
            broken.append(_broken(room, name, error))
    fine = [name for name in plugins.names(room) if f"{room} {name}" not in {one.name for one in broken}]
    return [Finding("plug-in", room, ", ".join(map(str, fine)) or "none"), *broken]


def _broken(room: str, name: str, error: Exception) -> Finding:
    text = f"does not load: {type(error).__name__}: {' '.join(str(error).split())}"
    where = plugins.origin(room, name)
    way_out = REINSTALL if where == OURS else f"update or uninstall {where}"
    return Finding("plug-in", f"{room} {name}", text, State.PROBLEM, origin=where, way_out=way_out)


def _needed() -> list[str]:
    """Names of the distributions that ours needs, without those of extras."""
    texts = [text for text in requires(OURS) or [] if "extra ==" not in text]
    return sorted(match[0] for text in texts if (match := re.match(r"[\w.-]+", text)))


def _home(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
