"""One trial from candidate to evaluation: build, train, score, measure."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from numpy.typing import NDArray

from evaluators._errors import DivergedError, EvaluatorError
from evaluators._evaluation import Evaluation, Metric, Point
from evaluators._training.energy import metered
from evaluators._training.examples import SearchData
from evaluators._training.loop import score, train
from evaluators._training.memory import peak_bytes, reset_peak
from evaluators._training.metrics import quality
from evaluators._training.serving import measure_serving
from evaluators._training.settings import TrainingSettings
from searchspaces import Architecture, Candidate, Cost
from searchspaces.build import build
from searchspaces.cost import cost

DIVERGED_LOGLOSS = 5.0 * math.log(2.0)
"""Log loss in nats from which a model counts as diverged: five times that of answering one half always."""


def evaluate_candidate(candidate: Candidate, data: SearchData, settings: TrainingSettings, *, seed: int) -> Evaluation:
    """Trains the candidate on the training part and measures it on the validation part.

    `energy_joules`, from the first step to the last, is among the metrics where the device tells.

    Raises:
        DivergedError: the loss is not finite, or the model is far worse than guessing.
        EvaluatorError: the candidate has no architecture to train.
        SearchSpaceError: the architecture cannot be built for this schema.
    """
    started = time.perf_counter()
    with metered(data.train.device) as energy:
        metrics, curve = _measured(candidate, data, settings, seed=seed)
        return Evaluation({**metrics, **energy()}, curve, seconds=time.perf_counter() - started)


def _measured(
    candidate: Candidate, data: SearchData, settings: TrainingSettings, *, seed: int
) -> tuple[dict[str, Metric], tuple[Point, ...]]:
    device = data.train.device
    reset_peak(device)
    architecture = trainable(candidate)
    schema = data.schema.capped(settings.hash_cap)
    price = cost(architecture, schema)
    torch.manual_seed(seed)  # dropout draws from the global generator
    model = build(architecture, schema, seed=seed).to(device)
    built = time.perf_counter()
    curve = train(model, data.train, settings, seed=seed)
    train_seconds = time.perf_counter() - built
    found = checked_quality(quality(checked_logits(score(model, data.valid)), data.valid.labels))
    metrics = {
        **found,
        **_static_metrics(price),
        **measure_serving(model, data.valid),
        "examples_per_second": Metric(curve[-1].rows / train_seconds),
        "train_seconds": Metric(train_seconds),
        "peak_memory_bytes": Metric(peak_bytes(device)),
    }
    return metrics, curve


def trainable(candidate: Candidate) -> Architecture:
    """The candidate's architecture.

    Raises:
        EvaluatorError: it has none.
    """
    if candidate.architecture is None:
        raise EvaluatorError(
            f"training needs an architecture, but candidate {candidate.fingerprint} has only settings; "
            "choose an evaluator that measures settings"
        )
    return candidate.architecture


def checked_logits(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same logits, [rows]: the last steps of a training have no later loss that would show them going wrong.

    Raises:
        DivergedError: a logit is not finite.
    """
    wrong = ~np.isfinite(logits)
    if wrong.any():
        raise DivergedError(
            f"a trained model must give finite logits, but gives {logits[wrong.argmax()]} on {wrong.sum()} of "
            f"{len(logits)} evaluated rows; lower the learning rate or the widths"
        )
    return logits


def checked_quality(found: dict[str, Metric]) -> dict[str, Metric]:
    """The same metrics.

    Raises:
        DivergedError: the log loss is beyond `DIVERGED_LOGLOSS`.
    """
    loss = found["logloss"].value
    if loss > DIVERGED_LOGLOSS:
        raise DivergedError(
            f"a trained model must have a log loss below {DIVERGED_LOGLOSS:.2f}, but it is {loss:.4g} "
            "on the evaluated rows; lower the learning rate"
        )
    return found


def _static_metrics(price: Cost) -> dict[str, Metric]:
    return {
        "flops": Metric(price.flops),
        "macs": Metric(price.macs),
        "params": Metric(price.parameters),
        "embedding_bytes": Metric(price.embedding_bytes),
    }
