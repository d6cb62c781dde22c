"""What predictors are compared on: labels, spaces, and the tau that noise allows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.bench.predictors.pool import ceiling_of, pool_of_file, pool_of_table
from automl.bench.trial_files.source import Source
from evaluators import Evaluation, Failure, FailureKind, Goal, ObjectiveError
from evaluators._tabular.entries import Entry
from predictors import rank_correlation
from tests.automl.bench.race.grounds import trials_file
from tests.evaluators.small_data import SCHEMA
from tests.evaluators.small_tables import SOURCE, entries, write_table


@pytest.mark.parametrize(("noise", "replicates"), [(0.3, 2), (1.0, 2), (1.0, 5)])
def test_the_ceiling_is_the_tau_of_the_true_order_with_noisy_labels(noise: float, replicates: int) -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=4000)
    shifts = rng.normal(size=replicates)  # what a seed does to all candidates changes no order
    labels = true[:, None] + noise * rng.normal(size=(4000, replicates)) + shifts
    reached = rank_correlation(true, labels.mean(axis=1))
    assert ceiling_of(labels.tolist()) == pytest.approx(reached, abs=0.02)


def test_labels_without_noise_allow_everything_and_noise_alone_nothing() -> None:
    rng = np.random.default_rng(1)
    assert ceiling_of([[value, value] for value in rng.normal(size=50)]) == 1.0
    noise = ceiling_of(rng.normal(size=(2000, 2)).tolist())
    assert noise is not None
    assert noise < 0.2


@pytest.mark.parametrize(
    "labels",
    [[], [[0.1]] * 20, [[0.1, 0.2]] * 9, [[0.1, 0.2]] * 10 + [[0.1]] * 11],
    ids=["none", "single", "few", "minority"],
)
def test_there_is_no_ceiling_where_too_few_candidates_tell_their_noise(labels: list[list[float]]) -> None:
    assert ceiling_of(labels) is None


def test_a_table_is_seen_as_its_space_sees_it(tmp_path: Path) -> None:
    pool = pool_of_table(write_table(tmp_path / "t", entries(12)), "ne")
    candidate = pool.trials[0].suggestion.candidate
    assert len(pool.trials) == 12
    assert candidate.architecture is not None
    assert pool.space.encode(candidate) == pytest.approx(SOURCE.encode(candidate))
    assert pool.about["space"]["name"] == "autoctr"
    assert pool.schema == SCHEMA


def test_labels_of_a_table_are_means_of_what_searchers_may_see(tmp_path: Path) -> None:
    found = entries(12, noise=0.01)
    pool = pool_of_table(write_table(tmp_path / "t", found), "ne")
    seen = [one.outcome.value("ne") for one in found[:2] if isinstance(one.outcome, Evaluation)]
    assert pool.trials[0].value("ne") == pytest.approx(np.mean(seen))
    assert (pool.about["rows"]["read"], pool.about["rows"]["other"]) == (60, 36)


def test_failed_trainings_of_a_table_are_counted_and_the_others_stay(tmp_path: Path) -> None:
    found = entries(12)
    failed = Failure(FailureKind.DIVERGED, "loss is nan")
    found[:2] = [Entry(one.number, one.candidate, one.replicate, one.role, failed) for one in found[:2]]
    found[5] = Entry(1, found[5].candidate, 0, "search", failed)
    pool = pool_of_table(write_table(tmp_path / "t", found), "ne")
    assert len(pool.trials) == pool.about["rows"]["candidates"] == 11
    assert pool.about["rows"]["unfinished"] == 3
    assert pool.ceiling is not None


def test_the_goal_of_a_table_is_that_of_the_metric(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t", entries(12))
    assert pool_of_table(table, "flops").goal is Goal.MINIMIZE
    with pytest.raises(ObjectiveError, match="'accuracy' is no known metric"):
        pool_of_table(table, "accuracy")


def test_a_file_with_repetitions_has_a_ceiling_and_one_without_has_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [{"op": at, "deep": str(at % 3), "acc_0": at / 30, "acc_1": at / 30 + rng.normal()} for at in range(30)]
    file = trials_file(tmp_path, rows)
    both, one = (pool_of_file(Source(file, name, choices=("op",))) for name in ("acc", "acc_0"))
    assert both.ceiling is not None
    assert 0 < both.ceiling < 1
    assert one.ceiling is None
