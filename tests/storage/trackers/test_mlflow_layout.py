"""Names and values that people see in MLflow, against a hand-made table."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from evaluators import Evaluation, Metric, Point, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options
from storage.trackers import _mlflow_layout as layout
from tests.storage.samples import CRASH, evaluation, record, suggestion


def _trial(ne: float = 0.9, *, number: int = 7, stage: str = "search", rung: int = 1) -> Trial:
    suggested = suggestion(number, parents=(3, 5))
    suggested = replace(suggested, fidelity=replace(suggested.fidelity, rung=rung))
    order = number + 1
    return Trial(number, stage, suggested, TrialState.COMPLETE, evaluation(ne), None, 4, order, 1000.0, 1002.0)


def test_a_study_shows_its_settings_as_dotted_scalars() -> None:
    assert layout.study_params(record()) == {
        "data.digest": "sha256:abc",
        "data.rows.train": "80",
        "versions.ctr-automl": "0.1.0",
        "searcher.name": "autoctr",
        "budget.trials": "100",
        "seed": "1",
    }


def test_a_study_shows_its_space() -> None:
    facts = {"space": {"name": "blocks", "digest": "sha256:def", "seconds": None}}
    params = layout.study_params(replace(record(), facts=facts, config={}))
    assert params == {"space.name": "blocks", "space.digest": "sha256:def", "seed": "1"}


def test_a_study_names_its_data() -> None:
    facts = {"data": {"name": "clicks", "digest": "sha256:" + "a" * 64}}
    assert layout.study_dataset(replace(record(), facts=facts)) == ("clicks", "a" * 36, "")
    assert layout.study_dataset(replace(record(), facts={})) is None


def test_names_that_mlflow_refuses_are_changed_and_long_values_cut() -> None:
    odd = replace(record(), config={"a[0]": 1, "b..c": "x" * 9000, "/d//e": [1, 2], "ünd": 1.5, "none": None}, facts={})
    params = layout.study_params(odd)
    assert set(params) == {"a_0_", "b_c", "_d_e", "_nd", "seed"}
    assert (len(params["b_c"]), params["_d_e"], params["_nd"]) == (layout.LONGEST_PARAM, "[1, 2]", "1.5")


def test_a_trial_shows_what_people_filter_by() -> None:
    assert layout.trial_params(_trial()) == {
        "training.lr": "0.01",
        "system.shards": "2",
        "fidelity.rows": "500",
        "replicate": "3",
        "arch.nodes": "5",
        "arch.blocks.full": "1",
        "arch.blocks.gate": "1",
        "arch.blocks.logit": "1",
        "arch.blocks.mlp": "1",
        "arch.blocks.numeric": "1",
        "arch.width_max": "23",
        "arch.width_total": "23",
        "arch.embedding_dim": "16",
    }


def test_dead_blocks_do_not_count() -> None:
    graph = suggestion(7).candidate.architecture
    assert graph is not None
    assert len(graph.nodes) == 6  # the second mlp feeds nobody
    assert layout.trial_params(_trial())["arch.nodes"] == "5"


def test_a_trial_without_an_architecture_has_no_graph_params() -> None:
    bare = replace(_trial(), suggestion=Suggestion(Candidate()))
    assert layout.trial_params(bare) == {"replicate": "0"}


def test_a_trial_carries_its_place_and_its_study() -> None:
    assert layout.trial_tags(record(), _trial(), parent="run") == {
        "mlflow.parentRunId": "run",
        "study.name": "movielens",
        "trial.uid": "uid-movielens/7",
        "trial.number": "7",
        "trial.state": "COMPLETE",
        "trial.stage": "search",
        "trial.parents": "3,5",
        "trial.rung": "1",
        "trial.origin": "mutation",
        "trial.mutation": "mutation",
        "arch.fingerprint": suggestion(7).candidate.fingerprint,
    }


def test_a_trial_without_parents_has_no_mutation() -> None:
    assert "trial.mutation" not in layout.trial_tags(
        record(), replace(_trial(), suggestion=suggestion(7)), parent="run"
    )


def test_a_failed_trial_says_why() -> None:
    failed = replace(_trial(), state=TrialState.FAIL, evaluation=None, failure=CRASH)
    tags = layout.trial_tags(record(), failed, parent="run")
    assert (tags["failure.kind"], tags["failure.reason"]) == ("out_of_memory", CRASH.reason)
    assert layout.trial_readings(failed) == []


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("ne", "val/ne"),
        ("auc", "val/auc"),
        ("logloss", "val/logloss"),
        ("calibration", "val/calibration"),
        ("flops", "cost/flops"),
        ("macs", "cost/macs"),
        ("params", "cost/params"),
        ("embedding_bytes", "cost/embedding_bytes"),
        ("qps", "serve/qps"),
        ("latency_ms_p50", "serve/latency_ms_p50"),
        ("latency_ms_p99", "serve/latency_ms_p99"),
        ("train_seconds", "train/seconds"),
        ("examples_per_second", "train/examples_per_s"),
        ("peak_memory_bytes", "train/peak_memory_bytes"),
    ],
)
def test_metrics_have_the_names_of_the_layout(metric: str, shown: str) -> None:
    assert layout.metric_name(metric) == shown


def test_metrics_come_with_their_errors_and_curves_over_rows() -> None:
    assert layout.trial_readings(_trial(0.9)) == [
        layout.Reading("trial/seconds", 1.5),
        layout.Reading("val/ne", 0.9),
        layout.Reading("val/ne_stderr", 0.01),
        layout.Reading("cost/flops", 2e6),
        layout.Reading("train/loss", 0.7, 512),
        layout.Reading("train/loss", 0.6, 1024),
        layout.Reading("train/ne", 0.95, 1024),
    ]


@pytest.mark.parametrize("spread", ["spread", "std"])
def test_a_trial_shows_what_was_predicted_of_it_whatever_came_of_it(spread: str) -> None:
    memo = Options(
        {"predicted": 0.875, spread: 0.25, "predicted_qps": 9e3, "spread_qps": 1e2, "tau": 0.5, "alpha": 0.1}
    )
    failed = replace(_trial(), state=TrialState.FAIL, evaluation=None, failure=CRASH)
    asked = replace(failed, suggestion=replace(failed.suggestion, memo=memo))
    assert sorted(layout.trial_readings(asked), key=lambda one: one.name) == [
        layout.Reading("predictor/predicted", 0.875),
        layout.Reading("predictor/predicted_qps", 9e3),
        layout.Reading("predictor/spread", 0.25),
        layout.Reading("predictor/spread_qps", 1e2),
    ]


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    curve = tuple(Point(rows, {"loss": 1.0 if rows % 2 else float("nan")}) for rows in range(1, 1000))
    measured = replace(_trial(), evaluation=Evaluation({"ne": Metric(0.5)}, curve))
    steps = [one.step for one in layout.trial_readings(measured) if one.name == "train/loss"]
    assert len(steps) <= layout.CURVE_POINTS
    assert steps[-1] == 999
    assert steps == sorted(steps)


def test_the_last_value_is_that_of_the_last_step() -> None:
    assert layout.last_values(_trial(0.9)) == {
        "trial/seconds": 1.5,
        "val/ne": 0.9,
        "val/ne_stderr": 0.01,
        "cost/flops": 2e6,
        "train/loss": 0.6,
        "train/ne": 0.95,
    }


@pytest.mark.parametrize("problem", ["movielens: ne, flops", "a/b:c", "ünd", "x" * 300])
def test_names_in_the_registry_hold_only_what_it_takes(problem: str) -> None:
    assert re.fullmatch(r"ctr-[A-Za-z0-9_.+-]*", layout.model_name(problem))
    assert re.fullmatch(r"winner-[A-Za-z0-9_-]{0,248}", layout.winner_alias(problem))
