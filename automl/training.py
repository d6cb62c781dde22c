"""Final training: rebuilds a winner, trains it at full fidelity over seeds, and opens the test part for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import ExportError
from automl._files import check_place
from automl.export import Winner, write_weights
from evaluators import Metric, training_seed
from evaluators._datasets import Dataset, Part, open_dataset, openings
from evaluators._datasets.held_out import open_test_part
from searchspaces import FeatureSchema
from searchspaces.cost import cost

if TYPE_CHECKING:
    from evaluators._training.final import FinalModel

QUALITY = ("ne", "auc", "logloss", "calibration")


@dataclass(frozen=True)
class Training:
    """How a winner is trained: `seeds` replicates derived from `seed`, none of them the search's own."""

    seeds: int = 1
    seed: int = 0
    device: str = "auto"
    is_tested: bool = True


def train_winner(winner: Winner, data: str | Path, plan: Training, *, weights: Path | None = None) -> dict[str, Any]:
    """Trains a winner over seeds; returns metrics of each and their mean and standard deviation.

    With `weights`, the first seed's model is written there. The test part is opened once, on record, where
    the data has one and the plan asks for it.

    Raises:
        ExportError: the data has other fields, the rebuilt model another number of parameters, or the weights
            cannot be written.
    """
    if weights is not None:
        check_place(weights)
    dataset = open_dataset(data)
    _check_fields(winner, dataset)
    _check_trainable(winner, dataset, plan)
    vocabularies = dataset.vocabularies() if weights is not None else []
    test = _test_part(dataset, plan)
    rows = []
    for replicate, final in _trained(winner, dataset, plan):
        _check_parameters(winner, dataset, final)
        if weights is not None and replicate == 1:
            write_weights(weights, final.model, winner=winner, vocabularies=vocabularies)
        rows.append(_row(replicate, final, test))
    return {
        "fingerprint": winner.fingerprint,
        "data": dataset.name,
        "data_digest": dataset.digest,
        "params": rows[0]["params"],
        "seeds": rows,
        "spread": spread(rows),
        "test_openings": openings(dataset.digest),
    }


def held_out_part(dataset: Dataset, *, purpose: str) -> Part:
    """Opens the test part, on record, for a final training.

    Raises:
        DataError: the dataset has none, or the record cannot be written.
    """
    return open_test_part(dataset, purpose=purpose)


def spread(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Mean, standard deviation (n - 1) and count of each number over rows; no deviation for one row.

    >>> spread([{"ne": 1.0}, {"ne": 3.0}])["ne"]["mean"]
    2.0
    """
    names = [name for name, value in rows[0].items() if isinstance(value, float) and name != "seconds"]
    found: dict[str, dict[str, float | None]] = {}
    for name in names:
        values = np.asarray([row[name] for row in rows])
        deviation = float(values.std(ddof=1)) if len(values) > 1 else None
        found[name] = {"mean": float(values.mean()), "sd": deviation}
    return found


def described(probabilities: NDArray[np.float64], labels: NDArray[np.float32]) -> str:
    """One line on how well probabilities `[rows]` fit labels `[rows]` of two classes; empty for one class."""
    if labels.min() == labels.max():
        return ""
    from evaluators._training.metrics import quality

    safe = np.clip(probabilities, 1e-12, 1 - 1e-12)
    metrics = quality(np.log(safe) - np.log1p(-safe), labels.astype(np.float64))
    return ", ".join(f"{name} {metrics[name].value:.4f}" for name in QUALITY if name in metrics)


def _trained(winner: Winner, dataset: Dataset, plan: Training) -> Iterator[tuple[int, FinalModel]]:
    from evaluators._training.device import choose_device
    from evaluators._training.final import train_final
    from evaluators._training.settings import TrainingSettings

    for replicate in range(1, plan.seeds + 1):
        seed = training_seed(plan.seed, replicate)
        device = choose_device(plan.device)
        yield replicate, train_final(winner.candidate, dataset, TrainingSettings(), seed=seed, device=device)


def _row(replicate: int, final: FinalModel, test: Any) -> dict[str, Any]:
    from evaluators._training.final import measure

    tested = {} if test is None else _values("test", measure(final.model, test))
    return {
        "replicate": replicate,
        **tested,
        **_values("valid", final.valid),
        "params": final.params,
        "seconds": round(final.train_seconds, 2),
    }


def _values(part: str, metrics: Mapping[str, Metric]) -> dict[str, float]:
    return {f"{part}_{name}": metrics[name].value for name in QUALITY if name in metrics}


def _test_part(dataset: Dataset, plan: Training) -> Any:
    if not plan.is_tested or not dataset.rows.get("test"):
        return None
    return held_out_part(dataset, purpose="final training")


def _check_trainable(winner: Winner, dataset: Dataset, plan: Training) -> None:
    """Before the test part is opened, which goes on record: what would end the training before its first step."""
    from evaluators._training.device import choose_device
    from evaluators._training.settings import TrainingSettings

    choose_device(plan.device)
    TrainingSettings().overridden(winner.candidate.training)
    for part in ("train", "valid"):
        dataset.part(part)


def _check_fields(winner: Winner, dataset: Dataset) -> None:
    wanted, found = (
        [(one.name, one.kind.value) for one in schema.fields] for schema in (winner.schema, dataset.schema)
    )
    if wanted != found:
        differing = sorted(set(wanted) ^ set(found))
        raise ExportError(
            f"a winner is trained on data with its own fields, but {dataset.folder} differs in {differing[0][0]!r} "
            f"({len(differing)} differences); name the data of the study, or search on this data"
        )


def _check_parameters(winner: Winner, dataset: Dataset, final: FinalModel) -> None:
    same_data = dataset.digest == winner.data_digest
    expected = winner.parameters if same_data else cost(winner.architecture, _capped(winner, dataset.schema)).parameters
    if final.params != expected:
        raise ExportError(
            f"the rebuilt model must have {expected} parameters, but has {final.params}; a block has changed between "
            "releases, or the file was edited: export the trial again"
        )


def _capped(winner: Winner, schema: FeatureSchema) -> FeatureSchema:
    hash_cap: int | None = winner.training.get("hash_cap")
    return schema.capped(hash_cap)
