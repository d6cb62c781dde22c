"""The evaluator `tabular`: what was trained is looked up, truth stays hidden, strangers fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Metric, Point, Suggestion
from evaluators._tabular.entries import CONTROL, SEARCH, TRUTH, Entry
from evaluators.tabular import Tabular
from searchspaces import Options
from tests.evaluators.small_data import mlp
from tests.evaluators.small_tables import write_table

CURVE = (Point(100, {"train_logloss": 0.6}), Point(200, {"train_logloss": 0.5}))


def _trained(ne: float) -> Evaluation:
    return Evaluation({"ne": Metric(ne, 0.01), "logloss": Metric(ne / 2), "flops": Metric(10.0)}, CURVE, seconds=2.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seen = [Entry(0, mlp(8), at, SEARCH, _trained(0.8 + at / 10)) for at in range(2)]
    hidden = [Entry(0, mlp(8), at, TRUTH, _trained(0.1)) for at in range(2, 5)]
    failed = Entry(1, mlp(16), 0, SEARCH, Failure(FailureKind.OUT_OF_MEMORY, "too large"))
    return write_table(tmp_path / "table", [*seen, *hidden, failed])


def _outcome(folder: Path, suggestion: Suggestion, *, seed: int = 0) -> Evaluation | Failure:
    ((_, outcome),) = Tabular(seed, table=str(folder)).evaluate([suggestion])
    return outcome


def _ne(folder: Path, replicate: int, *, seed: int = 0) -> float:
    outcome = _outcome(folder, Suggestion(mlp(8), replicate=replicate), seed=seed)
    assert isinstance(outcome, Evaluation)
    return outcome.value("ne")


def test_what_was_trained_is_what_is_served(folder: Path) -> None:
    assert _outcome(folder, Suggestion(mlp(8))) == _trained(0.8)


def test_replicates_are_the_stored_ones_over_and_over_and_truth_is_none_of_them(folder: Path) -> None:
    assert [_ne(folder, at) for at in range(5)] == [0.8, 0.9, 0.8, 0.9, 0.8]


def test_studies_of_other_seeds_begin_with_other_replicates(folder: Path) -> None:
    assert [_ne(folder, 0, seed=seed) for seed in range(3)] == [0.8, 0.9, 0.8]


def test_human_made_architectures_are_served_under_the_seeds_of_the_search(tmp_path: Path) -> None:
    seen = [Entry(0, mlp(8), at, SEARCH, _trained(0.8)) for at in range(2)]
    made = [Entry(1, mlp(64), at, CONTROL, _trained(0.7 + at / 100)) for at in range(4)]
    folder = write_table(tmp_path, [*seen, *made])
    found = [_outcome(folder, Suggestion(mlp(64), replicate=at)) for at in range(3)]
    assert [one.value("ne") for one in found if isinstance(one, Evaluation)] == [0.7, 0.71, 0.7]


def test_a_training_that_failed_fails_again(folder: Path) -> None:
    assert _outcome(folder, Suggestion(mlp(16))) == Failure(FailureKind.OUT_OF_MEMORY, "too large")


def test_a_stranger_is_invalid_and_told_where_to_search(folder: Path) -> None:
    outcome = _outcome(folder, Suggestion(mlp(32)))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.INVALID
    assert outcome.reason.startswith(f"a table answers for its 2 candidates, and {mlp(32).fingerprint} is none of them")
    assert "'tabled'" in outcome.reason


def test_a_rung_is_read_from_the_curve(folder: Path) -> None:
    outcome = _outcome(folder, Suggestion(mlp(8), Fidelity(-1, Options(rows=100))))
    assert isinstance(outcome, Evaluation)
    assert outcome.value("ne") == pytest.approx(0.6 / 0.5)
    assert outcome.seconds == 1.0


def test_a_rung_before_the_curve_is_invalid(folder: Path) -> None:
    outcome = _outcome(folder, Suggestion(mlp(8), Fidelity(-1, Options(rows=50))))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "the curve in the table begins at 100 rows, but the rung has 50; use more rows"


@pytest.mark.parametrize("settings", [{"passes": 2}, {"rows": 0}, {"rows": True}, {"rows": 100, "passes": 1}])
def test_a_fidelity_sets_rows_and_nothing_else(folder: Path, settings: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="a fidelity of a table sets 'rows', a whole number of at least 1"):
        _outcome(folder, Suggestion(mlp(8), Fidelity(-1, Options(settings))))


def test_a_table_of_truth_alone_cannot_be_searched(tmp_path: Path) -> None:
    write_table(tmp_path, [Entry(0, mlp(8), 0, TRUTH, _trained(0.8))])
    with pytest.raises(EvaluatorError, match="a table to search in has trainings of the role 'search'"):
        Tabular(0, table=str(tmp_path))


def test_a_cohort_holds_at_least_one(folder: Path) -> None:
    with pytest.raises(EvaluatorError, match="'cohort_size' must be at least 1, but is 0"):
        Tabular(0, table=str(folder), cohort_size=0)
