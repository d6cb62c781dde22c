from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluators import Evaluation, EvaluatorError, Suggestion, training_seed
from evaluators._datasets import Dataset, Part
from evaluators._training.metrics import quality
from evaluators._trees.final import score_trees, train_final_trees
from evaluators.trees import Trees
from searchspaces import Candidate, Options
from tests.evaluators.small_data import mlp, suggest, write_small_data

TREES = Candidate(None, Options(max_rounds=20, native_up_to=0, large_fields="both"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_small_data(tmp_path_factory.mktemp("trees") / "small")


def test_final_trees_are_those_of_the_evaluator_under_their_seed(dataset: Dataset) -> None:
    ((_, measured),) = Trees(dataset.folder, 1).evaluate([Suggestion(TREES, replicate=3)])
    final = train_final_trees(TREES, dataset, seed=training_seed(1, 3))
    labels = np.asarray(dataset.part("valid").label, np.float64)
    assert isinstance(measured, Evaluation)
    assert quality(final.valid_logits, labels)["ne"].value == measured.value("ne")
    assert final.grown.params == measured.value("params")


def test_a_part_is_scored_as_it_was_when_the_trees_were_grown(dataset: Dataset) -> None:
    final = train_final_trees(TREES, dataset, seed=1)
    assert np.array_equal(score_trees(final.grown.text, TREES, dataset, dataset.part("valid")), final.valid_logits)


def test_nothing_is_learned_of_the_part_that_is_scored(dataset: Dataset) -> None:
    text, part = train_final_trees(TREES, dataset, seed=1).grown.text, dataset.part("valid")
    known = score_trees(text, TREES, dataset, part)
    half = Part(np.zeros(50, np.float32), part.numeric[:50], part.categorical[:50])
    assert np.array_equal(score_trees(text, TREES, dataset, half), known[:50])


def test_an_architecture_is_no_tree(dataset: Dataset) -> None:
    with pytest.raises(EvaluatorError, match="trees are grown from settings alone"):
        train_final_trees(suggest(mlp()).candidate, dataset, seed=1)


def test_a_wrong_setting_is_refused(dataset: Dataset) -> None:
    with pytest.raises(EvaluatorError, match="no setting 'leaves' of the trees"):
        train_final_trees(replace(TREES, training=Options(leaves=3)), dataset, seed=1)
