from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Suggestion
from evaluators._datasets import Part
from evaluators.trees import Trees
from searchspaces import Candidate, Options
from tests.evaluators.small_data import mlp, suggest, write_small_data

SMALL = Candidate(None, Options(max_rounds=20))


def _only(evaluator: Trees, suggestion: Suggestion) -> Evaluation | Failure:
    ((_, outcome),) = evaluator.evaluate([suggestion])
    return outcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("trees") / "small").folder


def test_trees_are_measured_like_every_candidate(folder: Path) -> None:
    outcome = _only(Trees(folder, 1), Suggestion(SMALL))
    assert isinstance(outcome, Evaluation)
    assert outcome.value("ne") < 0.98
    assert outcome.metrics["ne"].stderr is not None
    assert {"auc", "logloss", "calibration", "params", "train_seconds"} <= outcome.metrics.keys()
    assert outcome.curve[-1].rows == 2000


def test_an_architecture_is_sent_to_another_evaluator(folder: Path) -> None:
    outcome = _only(Trees(folder, 1), suggest(mlp()))
    assert isinstance(outcome, Failure)
    assert (outcome.kind, "choose the evaluator 'train'" in outcome.reason) == (FailureKind.INVALID, True)


def test_a_replicate_is_another_seed(folder: Path) -> None:
    one, two = (_only(Trees(folder, 1), Suggestion(SMALL, replicate=number)) for number in (0, 1))
    assert isinstance(one, Evaluation)
    assert isinstance(two, Evaluation)
    assert one.value("ne") != two.value("ne")


def test_a_fidelity_takes_the_latest_rows_or_the_first(folder: Path) -> None:
    few = Fidelity(-1, Options(rows=500, passes=1))
    first = Fidelity(-1, Options(rows=500, prefix=True))
    ones = [_only(Trees(folder, 1), Suggestion(SMALL, fidelity)) for fidelity in (few, first)]
    values = [one.value("ne") for one in ones if isinstance(one, Evaluation)]
    assert len(set(values)) == 2
    assert [one.curve[-1].rows for one in ones if isinstance(one, Evaluation)] == [500, 500]


def test_rows_of_the_evaluator_are_those_of_a_fidelity(folder: Path) -> None:
    by_option = _only(Trees(folder, 1, rows=500), Suggestion(SMALL))
    by_fidelity = _only(Trees(folder, 1), Suggestion(SMALL, Fidelity(-1, Options(rows=500))))
    assert isinstance(by_option, Evaluation)
    assert isinstance(by_fidelity, Evaluation)
    assert by_option.metrics["ne"] == by_fidelity.metrics["ne"]


def test_the_validation_part_decides_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other labels there, the same logits come out: log losses of the two labellings then sum up to those of p."""
    evaluator = Trees(folder, 1)
    known = _only(evaluator, Suggestion(SMALL))
    part = evaluator._part

    def flipped(name: str) -> Part:
        found = part(name)
        return replace(found, label=(1.0 - found.label).astype(np.float32)) if name == "valid" else found

    monkeypatch.setattr(evaluator, "_part", flipped)
    other = _only(evaluator, Suggestion(SMALL))
    assert isinstance(known, Evaluation)
    assert isinstance(other, Evaluation)
    assert other.value("auc") == pytest.approx(1.0 - known.value("auc"))
    assert other.value("trees") == known.value("trees")


def test_an_option_below_one_is_refused(folder: Path) -> None:
    with pytest.raises(EvaluatorError, match="'rows' must be at least 1, but is 0"):
        Trees(folder, 1, rows=0)
    with pytest.raises(EvaluatorError, match="'threads' must be at least 1, but is 0"):
        Trees(folder, 1, threads=0)
