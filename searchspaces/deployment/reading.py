"""Reads what people write about a model and a cluster: every mistake in one `SpaceError`.

A model is the path of a winner file (`automl export` writes it), or a plain list of tables:

    model:
      tables:
        - {name: user, rows: 40000000, dim: 128, hotness: 3}
        - {name: small, rows: 1000, dim: 128, count: 20}     # 20 tables alike, which are laid out alike
      dense: {macs: 16000000, parameters: 16000000}          # multiply-adds an example forwards; parameters as many
      numeric: 13

A cluster lists what may be chosen among; devices that are not known, or are better known, are described:

    cluster:
      device: [H100, mine]
      hosts: [1, 2, 4]
      devices_per_host: [8]
      devices:
        H100: {dollars_per_hour: 2.5, inter_gigabytes_per_second: 12.5}
        mine: {teraflops: 400, memory_gigabytes: 96, memory_terabytes_per_second: 3, intra_gigabytes_per_second: 200,
               inter_gigabytes_per_second: 25}
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from searchspaces._errors import SpaceError, did_you_mean
from searchspaces.deployment.cluster import DEVICES, Device
from searchspaces.deployment.model import RankingModel, Table

_TABLE_KEYS = ("name", "rows", "dim", "hotness", "count")
_MODEL_KEYS, _DENSE_KEYS = ("tables", "dense", "numeric"), ("macs", "parameters")
_CLUSTER_KEYS = ("device", "hosts", "devices_per_host", "devices")


@dataclass(frozen=True)
class ClusterChoices:
    """What may be chosen among; `devices` has each device by its name."""

    device: tuple[str, ...]
    hosts: tuple[int, ...]
    devices_per_host: tuple[int, ...]
    devices: Mapping[str, Device]


def read_model(told: Mapping[str, Any]) -> RankingModel:
    """A model from a plain list of tables.

    Raises:
        SpaceError: with every mistake found.
    """
    wrong = list(_model_mistakes(told))
    if wrong:
        raise SpaceError(f"a model is described by tables and a dense part, but: {'; '.join(wrong)}")
    dense = told.get("dense", {})
    macs = int(dense.get("macs", 0))
    tables = tuple(
        Table(
            str(one.get("name", f"table_{at}")),
            int(one["rows"]),
            int(one["dim"]),
            float(one.get("hotness", 1.0)),
            int(one.get("count", 1)),
        )
        for at, one in enumerate(told["tables"])
    )
    return RankingModel(tables, macs, int(dense.get("parameters", macs)), int(told.get("numeric", 0)))


def read_cluster(told: Mapping[str, Any]) -> ClusterChoices:
    """What a cluster can be.

    Raises:
        SpaceError: with every mistake found.
    """
    wrong = [*_unknown(told, _CLUSTER_KEYS, "cluster")]
    devices, mistakes = _devices(told.get("devices", {}))
    names = _listed(told.get("device", "H100"))
    unknown = [name for name in names if name not in devices]
    wrong += [*mistakes, *(f"device: no {name!r}; {did_you_mean(str(name), tuple(devices))}" for name in unknown)]
    counts = {key: _listed(told.get(key, usual)) for key, usual in (("hosts", 1), ("devices_per_host", 8))}
    wrong += [
        f"{key}: must be ascending whole numbers from 1 on, but is {values!r}"
        for key, values in counts.items()
        if not _are_counts(values)
    ]
    if wrong:
        raise SpaceError(f"a cluster is described by what may be chosen among, but: {'; '.join(wrong)}")
    return ClusterChoices(tuple(names), tuple(counts["hosts"]), tuple(counts["devices_per_host"]), devices)


def _devices(told: Any) -> tuple[dict[str, Device], list[str]]:
    """Those that are known, with what is told of them or of others."""
    if not isinstance(told, Mapping):
        return dict(DEVICES), [f"devices: must map names to descriptions, but is {reprlib.repr(told)}"]
    found, wrong = dict(DEVICES), []
    for name, content in told.items():
        try:
            found[str(name)] = _device(str(name), content)
        except (SpaceError, TypeError) as error:
            wrong.append(f"devices.{name}: {error}")
    return found, wrong


def _device(name: str, content: Any) -> Device:
    known = tuple(key for key in inspect.signature(Device).parameters if key != "name")
    if not isinstance(content, Mapping):
        raise SpaceError(f"must describe a device by {', '.join(known)}, but is {reprlib.repr(content)}")
    wrong = list(_unknown(content, known, "a device"))
    wrong += [f"{key} must be a number, but is {value!r}" for key, value in content.items() if not _is_number(value)]
    if wrong:
        raise SpaceError("; ".join(wrong))
    if name in DEVICES:
        return replace(DEVICES[name], **content)
    missing = [key for key in known[:5] if key not in content]
    if missing:
        raise SpaceError(f"a new device tells all of {', '.join(known[:5])}, but {', '.join(missing)} is missing")
    return Device(name, **content)


def _model_mistakes(told: Any) -> Iterator[str]:
    if not isinstance(told, Mapping):
        yield f"it is {reprlib.repr(told)}"
        return
    yield from _unknown(told, _MODEL_KEYS, "model")
    tables = told.get("tables")
    if not isinstance(tables, list | tuple) or not tables:
        yield f"tables: must be a list of at least one table, but is {reprlib.repr(tables)}"
    else:
        for at, table in enumerate(tables):
            yield from (f"tables.{at}: {text}" for text in _table_mistakes(table))
    dense = told.get("dense", {})
    if not isinstance(dense, Mapping):
        yield f"dense: must tell macs and parameters, but is {reprlib.repr(dense)}"
        return
    yield from _unknown(dense, _DENSE_KEYS, "dense")
    counts = {**{f"dense.{key}": value for key, value in dense.items()}, "numeric": told.get("numeric", 0)}
    yield from (
        f"{key}: must be a whole number, but is {value!r}" for key, value in counts.items() if not _is_count(value, 0)
    )


def _table_mistakes(table: Any) -> Iterator[str]:
    if not isinstance(table, Mapping):
        yield f"must tell rows and dim, but is {reprlib.repr(table)}"
        return
    yield from _unknown(table, _TABLE_KEYS, "a table")
    for key in ("rows", "dim", "count"):
        if key in table or key != "count":
            value = table.get(key)
            if not _is_count(value, 1):
                yield f"{key} must be a whole number from 1 on, but is {value!r}"
    hotness = table.get("hotness", 1.0)
    if not _is_number(hotness) or isinstance(hotness, bool) or not hotness > 0:
        yield f"hotness must be a number above 0, but is {hotness!r}"


def _unknown(told: Mapping[str, Any], known: Sequence[str], what: str) -> Iterator[str]:
    yield from (f"{what} has no {key!r}; {did_you_mean(str(key), known)}" for key in told if key not in known)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _are_counts(values: Sequence[Any]) -> bool:
    return bool(values) and all(_is_count(one, 1) for one in values) and list(values) == sorted(set(values))


def _is_count(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
