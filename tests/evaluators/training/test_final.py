"""Final training: whole data, whole tables, and scores for other data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators import DivergedError
from evaluators._datasets import Dataset
from evaluators._training.final import measure, score, train_final
from evaluators._training.settings import TrainingSettings
from tests.evaluators.small_data import mlp, part

CPU = torch.device("cpu")


def test_a_search_fidelity_does_not_reach_the_final(dataset: Dataset) -> None:
    capped = train_final(mlp(), dataset, TrainingSettings(rows=100, hash_cap=2), seed=1, device=CPU)
    whole = train_final(mlp(), dataset, TrainingSettings(), seed=1, device=CPU)
    assert capped.params == whole.params
    assert capped.valid == whole.valid


def test_a_candidates_own_settings_hold_in_the_final(dataset: Dataset) -> None:
    small = train_final(mlp(hash_cap=2), dataset, TrainingSettings(), seed=1, device=CPU)
    whole = train_final(mlp(), dataset, TrainingSettings(), seed=1, device=CPU)
    assert whole.params - small.params == 4 * (20 + 50 + 7 - 3 * 2)


def test_scores_are_probabilities_in_row_order_and_those_that_are_measured(dataset: Dataset) -> None:
    final = train_final(mlp(), dataset, TrainingSettings(), seed=1, device=CPU)
    rows = part(300, 9)
    scores = score(final.model, rows)
    assert scores.shape == (300,)
    assert ((scores > 0) & (scores < 1)).all()
    expected = -np.log(np.where(rows.label > 0.5, scores, 1.0 - scores)).mean()
    assert measure(final.model, rows)["logloss"].value == pytest.approx(expected)


def test_a_final_that_diverges_in_its_last_step_says_so(dataset: Dataset) -> None:
    with pytest.raises(DivergedError, match="must give finite logits, but gives"):
        train_final(mlp(), dataset, TrainingSettings(batch_size=2000, learning_rate=1e38), seed=1, device=CPU)
