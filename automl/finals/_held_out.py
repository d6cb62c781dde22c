"""What finals keep of the test part, so that it opens once: labels and times, beside the logits on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automl.finals._lessons import Lesson, keep_array
from automl.finals._recipes import Conditions
from automl.training import held_out_part
from evaluators._datasets import Dataset


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Labels `[rows]` of the test part, and the rows' times where there are any."""

    labels: NDArray[np.float64]
    time: NDArray[np.float64] | None


def held_out(lessons: Sequence[Lesson], dataset: Dataset, folder: Path, *, device: str, purpose: str) -> HeldOut:
    """Scores the test part with every lesson that has not been yet, and gives back its labels.

    The part opens, on record, only where a lesson has not been scored. A kill in the middle of the scoring, which
    takes a small part of a training's time, is the one way to open it again.
    """
    labels, times = (folder / f"test-{dataset.digest.replace(':', '-')[-12:]}.{kind}.npy" for kind in ("label", "time"))
    waiting = [one for one in lessons if not one.is_tested]
    if waiting or not labels.exists():
        part, conditions = held_out_part(dataset, purpose=purpose), Conditions(dataset, device)
        for one in waiting:
            one.test(conditions, part)
        if part.time is not None:
            keep_array(times, np.asarray(part.time))
        keep_array(labels, np.asarray(part.label))
    time = np.load(times, allow_pickle=False) if times.exists() else None
    return HeldOut(np.load(labels, allow_pickle=False).astype(np.float64), time)
