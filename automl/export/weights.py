"""The weights file: one safetensors file that scores raw columns anywhere, vocabularies included.

Tensors: `model.NAME` for each entry of the state dict; for categorical field i, in order,
`vocabulary.i.text` (uint8, the values' UTF-8 one after the other), `vocabulary.i.ends` (int64, where each
value ends) and `vocabulary.i.null` (int64 [1], the place of the missing value, -1 where it has no id). The
value at place p has id p + 1. Nothing in the file is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automl._errors import ExportError
from automl._files import replacing
from automl.export.winner import Winner

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT_VERSION = "1"
KIND = "ctr-automl weights"

_MODEL = "model."
_PARTS = ("text", "ends", "null")


@dataclass(frozen=True, eq=False)
class Weights:
    """What a weights file holds: the state dict, the vocabularies by categorical field, and what they belong to."""

    state: Mapping[str, Tensor]
    vocabularies: tuple[tuple[str | None, ...], ...]
    fingerprint: str
    schema_digest: str
    data_digest: str


def write_weights(
    path: Path, model: nn.Module, *, winner: Winner, vocabularies: Sequence[Sequence[str | None]]
) -> Path:
    """Writes a trained model with its vocabularies whole or not at all.

    Raises:
        ExportError: there is not one vocabulary per categorical field of that field's size, or the file cannot be
            written.
    """
    from safetensors.torch import save_file

    _check_vocabularies(winner, vocabularies)
    tensors = {f"{_MODEL}{name}": one.detach().cpu().contiguous() for name, one in model.state_dict().items()}
    for number, values in enumerate(vocabularies):
        tensors |= {f"vocabulary.{number}.{part}": one for part, one in _packed(values).items()}
    metadata = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "fingerprint": winner.fingerprint,
        "schema_digest": winner.schema.digest,
        "data_digest": winner.data_digest,
    }
    with replacing(path) as draft:
        save_file(tensors, draft, metadata)
    return path


def read_weights(path: Path) -> Weights:
    """Reads what `write_weights` wrote.

    Raises:
        ExportError: the file is missing, no safetensors file, no weights file of this format version, or damaged.
    """
    tensors, metadata = _load(path)
    _check_metadata(path, metadata)
    state = {name.removeprefix(_MODEL): one for name, one in tensors.items() if name.startswith(_MODEL)}
    wrong = [name for name, one in state.items() if one.is_floating_point() and not bool(one.isfinite().all())]
    if wrong:
        raise ExportError(
            f"weights are finite numbers, but {wrong[0]!r} in {path} has others: the file is damaged; "
            "take the one that `automl train` wrote, or train the winner again"
        )
    fields = {name.split(".")[1] for name in tensors if name.startswith("vocabulary.")}
    try:
        vocabularies = tuple(
            _unpacked(*(tensors[f"vocabulary.{number}.{part}"] for part in _PARTS)) for number in range(len(fields))
        )
    except (KeyError, ValueError, IndexError) as error:
        raise ExportError(f"the vocabularies in {path} are damaged ({error}); write the weights again") from error
    return Weights(state, vocabularies, metadata["fingerprint"], metadata["schema_digest"], metadata["data_digest"])


def check_weights(winner: Winner, weights: Weights) -> None:
    """Returns silently where the weights belong to the winner.

    Raises:
        ExportError: they were trained for another architecture or another schema.
    """
    for what, ours, theirs in (
        ("architecture", winner.fingerprint, weights.fingerprint),
        ("schema", winner.schema.digest, weights.schema_digest),
    ):
        if ours != theirs:
            raise ExportError(
                f"weights must belong to the winner's {what} ({ours}), but these are for {theirs}; "
                "take the weights that `automl train` wrote for this winner file"
            )
    _check_vocabularies(winner, weights.vocabularies)


def _check_vocabularies(winner: Winner, vocabularies: Sequence[Sequence[str | None]]) -> None:
    fields = winner.schema.categorical
    if len(fields) != len(vocabularies):
        raise ExportError(
            f"weights need one vocabulary per categorical field, but the schema has {len(fields)} such fields "
            f"and there are {len(vocabularies)} vocabularies; take both from one dataset"
        )
    for field, values in zip(fields, vocabularies, strict=True):
        if len(values) + 1 != field.vocabulary_size:
            raise ExportError(
                f"a vocabulary has one value for each id from 1 on, but field {field.name!r} has "
                f"{field.vocabulary_size} ids and {len(values)} values; take both from one dataset"
            )


def _packed(values: Sequence[str | None]) -> dict[str, Tensor]:
    import numpy as np
    import torch

    texts = [b"" if value is None else value.encode() for value in values]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return {
        "text": torch.frombuffer(bytearray(b"".join(texts)), dtype=torch.uint8) if any(texts) else _no_text(),
        "ends": torch.from_numpy(ends),
        "null": torch.tensor([next((at for at, value in enumerate(values) if value is None), -1)]),
    }


def _no_text() -> Tensor:
    import torch

    return torch.zeros(0, dtype=torch.uint8)


def _unpacked(text: Tensor, ends: Tensor, null: Tensor) -> tuple[str | None, ...]:
    content = text.numpy().tobytes()
    stops = ends.tolist()
    if stops != sorted(stops) or (stops[-1] if stops else 0) != len(content):
        raise ValueError("the values' ends do not fit their text")
    absent = int(null[0])
    starts = [0, *stops[:-1]]
    return tuple(
        None if at == absent else content[start:stop].decode()
        for at, (start, stop) in enumerate(zip(starts, stops, strict=False))
    )


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise ExportError(f"no weights file at {path}; `automl train WINNER.yaml --out ...` writes one") from None
    except (OSError, SafetensorError) as error:
        raise ExportError(f"weights are a safetensors file, but {path} cannot be read as one: {error}") from error


def _check_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("kind") != KIND:
        raise ExportError(
            f"a weights file says that it is one ({KIND!r}), but {path} has kind {metadata.get('kind')!r}; "
            "take the file that `automl train` wrote"
        )
    if metadata.get("format_version") != FORMAT_VERSION:
        raise ExportError(
            f"this release reads weights of format version {FORMAT_VERSION}, but {path} has "
            f"{metadata.get('format_version')!r}; train the winner again with this release"
        )
    absent = [key for key in ("fingerprint", "schema_digest", "data_digest") if key not in metadata]
    if absent:
        raise ExportError(f"a weights file names what it belongs to, but {path} has no {', '.join(absent)}")
