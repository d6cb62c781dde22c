"""Scores data with an exported winner: the files alone are enough, no study is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from automl._errors import ExportError
from automl.export.blend import Blend
from automl.export.weights import Weights, check_weights
from automl.export.winner import Winner
from evaluators._datasets import Part, encode_part, is_prepared, read_dataset

if TYPE_CHECKING:
    from torch import nn


def predict(
    winner: Winner, weights: Weights, data: Path, *, part: str = "test", device: str = "cpu"
) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """Click probabilities `[rows]` in row order, and the labels where every row has one.

    `data` is a prepared folder of the same digest as the weights, or a source (a folder with `fields.json`, a
    table), encoded with the weights' own vocabularies; a source needs no labels. A test part with labels opens on
    record.

    Raises:
        ExportError: the weights are not the winner's, or the prepared folder is of other data.
        DataError: the source lacks the part or a field.
    """
    return predict_blend(Blend(((winner, weights),)), data, part=part, device=device)


def predict_blend(
    blend: Blend, data: Path, *, part: str = "test", device: str = "cpu"
) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """What `predict` gives, with the mean of the members' logits; the part is read, and opens, once.

    Raises:
        ExportError: weights are not their winner's, or the prepared folder is of other data.
        DataError: the source lacks the part or a field.
    """
    from evaluators._training.device import choose_device
    from evaluators._training.final import score

    place = choose_device(device)
    models = [load_model(*member).to(place) for member in blend.members]  # before a test part opens, on record
    winner, weights = blend.members[0]
    rows = _part(weights, winner, data, part)
    probabilities = blended([score(model, rows) for model in models])
    labels = np.asarray(rows.label)
    return probabilities, None if np.isnan(labels).any() else labels


def blended(members: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The probabilities of the mean logit of probabilities `[rows]` of each member; of one member its own."""
    if len(members) == 1:
        return members[0]
    mean = np.mean([logits_of(one) for one in members], axis=0)
    probabilities: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-mean))
    return probabilities


def logits_of(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Their logits, within plus and minus 34.5: beyond, doubles cannot tell probabilities from one."""
    safe = np.clip(probabilities, 1e-15, 1.0 - 1e-15)
    logits: NDArray[np.float64] = np.log(safe) - np.log1p(-safe)
    return logits


def load_model(winner: Winner, weights: Weights) -> nn.Module:
    """The trained model, in evaluation mode, on the CPU.

    Raises:
        ExportError: the weights are not the winner's, or a tensor is missing, unknown or of another shape.
    """
    from searchspaces.build import build

    check_weights(winner, weights)
    model = build(winner.architecture, winner.model_schema, seed=0)
    try:
        model.load_state_dict(weights.state, strict=True)
    except RuntimeError as error:
        difference = " ".join(str(error).split())
        raise ExportError(
            f"weights must have exactly the tensors of the winner's model, but they do not: {difference} "
            "A block has most likely changed between releases; train the winner again"
        ) from error
    return model.eval()


def _part(weights: Weights, winner: Winner, data: Path, part: str) -> Part:
    if is_prepared(data):
        digest = read_dataset(data).digest
        if digest != weights.data_digest:
            raise ExportError(
                f"prepared data must be what the weights were trained on ({weights.data_digest}), because its ids "
                f"are its own, but {data} is {digest}; give the source that it was prepared from instead: that is "
                "encoded with the weights' own vocabularies"
            )
    return encode_part(data, part, schema=winner.schema, vocabularies=weights.vocabularies)
