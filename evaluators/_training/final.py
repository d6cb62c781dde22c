"""Trains a winner at full fidelity and scores data with it; runs in the caller's process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from evaluators._datasets import Dataset, Part
from evaluators._evaluation import Metric
from evaluators._training.evaluate import checked_logits, checked_quality, trainable
from evaluators._training.examples import Examples
from evaluators._training.loop import score as logits_of
from evaluators._training.metrics import probabilities, quality
from evaluators._training.settings import TrainingSettings
from evaluators._training.single import train_one
from searchspaces import Candidate
from searchspaces.build import build


@dataclass(frozen=True, eq=False)
class FinalModel:
    """A model trained on all training rows, and what it is worth on the validation part."""

    model: nn.Module
    seed: int
    params: int
    valid: Mapping[str, Metric]
    train_seconds: float


def train_final(
    candidate: Candidate, dataset: Dataset, settings: TrainingSettings, *, seed: int, device: torch.device
) -> FinalModel:
    """Trains on the whole training part with whole tables, whatever fidelity the search had.

    `settings` are the evaluator's; the candidate's own are put on top. The caller opens the test part
    and gives it to `measure`, so that each opening is counted where it is decided.

    Raises:
        DivergedError: the loss is not finite, or the model is far worse than guessing.
        EvaluatorError: the candidate has no architecture, or a setting of it is wrong.
        SearchSpaceError: the architecture cannot be built for this schema.
    """
    settings = replace(settings, rows=None, prefix=False, negative_rate=1.0, hash_cap=None)
    settings = settings.overridden(candidate.training)
    model = build(trainable(candidate), dataset.schema.capped(settings.hash_cap), seed=seed).to(device)
    started = time.perf_counter()
    train_one(model, Examples(dataset.part("train"), device), settings, seed=seed)
    seconds = time.perf_counter() - started
    valid = checked_quality(measure(model, dataset.part("valid")))
    params = sum(one.numel() for one in model.parameters())
    return FinalModel(model, seed, params, valid, seconds)


def measure(model: nn.Module, part: Part) -> dict[str, Metric]:
    """ne, auc, logloss and calibration on a part with labels.

    Raises:
        DivergedError: a logit is not finite.
        EvaluatorError: the part's labels are all of one class.
    """
    logits = logits_of(model, Examples(part, _device_of(model)))
    return quality(checked_logits(logits), part.label.astype(np.float64))


def score(model: nn.Module, part: Part) -> NDArray[np.float64]:
    """Click probabilities in row order, [rows].

    Raises:
        DivergedError: a logit is not finite.
    """
    return probabilities(checked_logits(logits_of(model, Examples(part, _device_of(model)))))


def _device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
