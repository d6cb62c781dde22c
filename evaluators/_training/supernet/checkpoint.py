"""A supernet on disk: weights as safetensors, all else as JSON, which is replaced last and names its weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evaluators._errors import EvaluatorError
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.shared import Shared, Tile
from evaluators._training.supernet.tables import SharedTable

VERSION = 3
FACTS_FILE = "supernet.json"


def save(net: Supernet, folder: Path, identity: Mapping[str, Any]) -> None:
    """Writes a checkpoint; a kill at any time leaves the one before or this one."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = f"step-{net.steps}.safetensors"
    tensors, keys = _tensors(net)
    save_file(tensors, folder / f"{weights}.partial")
    os.replace(folder / f"{weights}.partial", folder / weights)
    counts = {"steps": net.steps, "barren": net.barren, "rows": net.rows}
    facts = {"version": VERSION, "identity": identity, "weights": weights, **counts, **keys}
    partial = folder / f"{FACTS_FILE}.partial"
    partial.write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")
    os.replace(partial, folder / FACTS_FILE)
    for old in folder.glob("step-*.safetensors*"):
        if old.name != weights:
            old.unlink()


def forget(folder: Path) -> None:
    """Removes a checkpoint, which takes gigabytes; silently where there is none."""
    (folder / FACTS_FILE).unlink(missing_ok=True)
    for weights in folder.glob("step-*.safetensors*"):
        weights.unlink()


def restore(net: Supernet, folder: Path, identity: Mapping[str, Any]) -> None:
    """Puts a checkpoint into a fresh supernet; returns silently where there is none.

    Raises:
        EvaluatorError: the checkpoint is another supernet's, or cannot be read.
    """
    if not (folder / FACTS_FILE).exists():
        return
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        tensors = _read(folder / facts["weights"])
        given = facts["identity"]
        if facts["version"] == VERSION and given == identity:
            steps, barren, rows = facts["steps"], facts["barren"], facts["rows"]
            _put(net, facts, tensors)
            net.steps, net.barren, net.rows = steps, barren, rows
            return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluatorError(
            f"a checkpoint of a supernet must be whole, but {folder} is not: {error!r}; remove it to begin again"
        ) from error
    different = sorted(name for name in {*given, *identity} if given.get(name) != identity.get(name))
    raise EvaluatorError(
        f"a supernet goes on from a checkpoint of its own, but that in {folder} differs in "
        f"{', '.join(different) or 'its version'}; name another folder"
    )


def _tensors(net: Supernet) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by short names, and the keys that the names stand for."""
    found: dict[str, Tensor] = {}
    for number, one in enumerate(net.shared.values()):
        for key, tile in one.used().items():
            name = f"shared.{number}.tiles.{'-'.join(map(str, key))}"
            found[f"{name}.values"], found[f"{name}.squares"] = tile.values.contiguous(), tile.squares.contiguous()
        for axis, labels in enumerate(one.labels):
            found[f"shared.{number}.labels.{axis}"] = torch.from_numpy(labels.view(np.int64).copy())
    for number, table in enumerate(net.tables.values()):
        found[f"tables.{number}.weight"], found[f"tables.{number}.squares"] = table.weight, table.squares
    tables = [[key, list(table.parts), table.centre] for key, table in net.tables.items()]
    return found, {"shared": list(net.shared), "tables": tables}


def _put(net: Supernet, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    moved = {name: one.to(net.device, net.dtype) if one.is_floating_point() else one for name, one in tensors.items()}
    by_number: dict[str, dict[str, Tensor]] = {str(number): {} for number in range(len(facts["shared"]))}
    for name, one in moved.items():
        kind, number, rest = name.split(".", 2)
        if kind == "shared":
            by_number[number][rest] = one
    for key, own in zip(facts["shared"], by_number.values(), strict=True):
        net.shared[key] = _shared(own, like=torch.zeros(0, dtype=net.dtype, device=net.device))
    for at, (key, parts, centre) in enumerate(facts["tables"]):
        named = tuple((str(name), int(rows)) for name, rows in parts)
        weight, squares = moved[f"tables.{at}.weight"], moved[f"tables.{at}.squares"]
        net.tables[key] = SharedTable(named, centre, net.seed, weight, squares)


def _shared(own: Mapping[str, Tensor], *, like: Tensor) -> Shared:
    axes = sum(name.startswith("labels.") for name in own)
    labels = tuple(own[f"labels.{axis}"].cpu().numpy().view(np.uint64) for axis in range(axes))
    names = [name.split(".")[1] for name in own if name.startswith("tiles.") and name.endswith(".values")]
    tiles = {
        tuple(int(one) for one in name.split("-")): Tile(own[f"tiles.{name}.values"], own[f"tiles.{name}.squares"])
        for name in names
    }
    return Shared(labels, like, tiles)


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    return found
