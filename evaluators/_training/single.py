"""Training of one model: a cohort of one, with the numbers that it would have in any other."""

from __future__ import annotations

import torch

from evaluators._evaluation import Point
from evaluators._training.cohort import Cohort
from evaluators._training.examples import Examples
from evaluators._training.loop import train
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan, Stream
from searchspaces.build import RankingModel


def train_one(
    model: RankingModel,
    examples: Examples,
    settings: TrainingSettings,
    *,
    seed: int,
    dtype: torch.dtype = torch.float32,
) -> tuple[Point, ...]:
    """Trains in place and gives the learning curve; the model ends in single precision, with averaged weights.

    Raises:
        DivergedError: the loss is no longer a finite number.
    """
    model.lower(dtype)
    cohort = Cohort([model], [settings])
    courses = train(cohort, Stream(examples, kept_bytes=0), Plan.of(settings, len(examples), seed=seed))
    error = courses.of[0].error
    if error is not None:
        raise error
    cohort.release()
    return courses.curve(0)
