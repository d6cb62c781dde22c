"""Made-up studies for looking at the report."""

from __future__ import annotations

import numpy as np

from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Point, Suggestion, Trial, TrialState
from searchspaces import Architecture, Candidate, FeatureSchema, Field, Kind, Node, Options
from storage import StudyRecord

NE = Objective("ne")
FLOPS = Objective("flops")
BASELINES = {
    "logistic_regression": (0.9310, 3.1e3, 41_000),
    "wide_deep": (0.9085, 2.1e5, 760_000),
    "deepfm": (0.9071, 2.2e5, 765_000),
    "dlrm": (0.9066, 5.6e5, 940_000),
    "dcnv2": (0.9049, 9.4e5, 1_150_000),
}
SCHEMA = FeatureSchema(
    (Field("age", Kind.NUMERIC), Field("user", Kind.CATEGORICAL, 944), Field("item", Kind.CATEGORICAL, 1331))
)
RECORD = StudyRecord(
    uid="5b0f3f0e7a6a4a0f9d3c",
    name="movielens",
    seed=1,
    problem="movielens-100k · ne, flops",
    config={
        "schema_version": 1,
        "study": {"name": "movielens", "seed": 1},
        "data": "data/movielens-100k",
        "space": {"name": "autoctr", "blocks": 7},
        "searcher": {"name": "autoctr"},
        "evaluator": {"name": "train", "device": "auto"},
        "objectives": [{"metric": "ne"}, {"metric": "flops"}],
        "budget": {"trials": 100},
        "storage": "postgresql://reader:hunter2@host/studies",
    },
    created_at=1_760_000_000.0,
    facts={"data": {"name": "movielens-100k", "digest": "sha256:0f3b"}, "versions": {"torch": "2.13.0"}},
)


def architecture(width: int = 64) -> Architecture:
    return Architecture(
        (
            Node("numeric"),
            Node("full", (), Options(dim=16)),
            Node("mlp", (0, 1), Options(width=width)),
            Node("fm", (1,)),
            Node("logit", (2, 3)),
        )
    )


def measured(
    number: int,
    ne: float,
    flops: float,
    *,
    stage: str = "search",
    origin: str = "mutation",
    params: float = 9e5,
) -> Trial:
    metrics = {
        "ne": Metric(ne, 0.0011),
        "auc": Metric(1.55 - ne),
        "flops": Metric(flops),
        "macs": Metric(flops / 2),
        "params": Metric(params),
        "embedding_bytes": Metric(7.3e6),
        "qps": Metric(2.1e9 / (flops + 4e4)),
        "latency_ms_p99": Metric(0.4 + flops / 2e6),
    }
    evaluation = Evaluation(metrics, (Point(79_000, {"ne": ne}),), None, 3.5 + flops / 4e5)
    candidate = Candidate(architecture(64 + number), Options())
    parents = (number // 2,) if number > 20 else ()
    return Trial(
        number,
        stage,
        Suggestion(candidate, parents=parents, origin=origin),
        TrialState.COMPLETE,
        evaluation,
        finish_order=number + 1,
        started_at=1.76e9 + 5 * number,
        finished_at=1.76e9 + 5 * number + 4.5,
    )


def failed(number: int, kind: FailureKind = FailureKind.DIVERGED) -> Trial:
    failure = Failure(kind, "the loss was not finite after 512 rows", 1.0)
    suggestion = Suggestion(Candidate(architecture(64 + number)), origin="mutation")
    return Trial(number, "search", suggestion, TrialState.FAIL, None, failure, finish_order=number + 1)


def laid_out(number: int, speed: float, memo: Options | None = None, /, **system: object) -> Trial:
    """A trial of a training system: its speed, its price, what its step takes, and its settings."""
    metrics = {
        "examples_per_second": Metric(speed),
        "dollars_per_billion_examples": Metric(1e6 / speed + number % 3),
        "peak_memory_bytes": Metric(1e9 * 2 ** (number % 7)),
        "step_seconds": Metric(0.004),
        "step_seconds_dense": Metric(0.001),
        "step_seconds_latency": Metric(0.003),
    }
    suggestion = Suggestion(Candidate(None, system=Options(system)), origin="policy", memo=memo or Options())
    evaluation = Evaluation(metrics, (), None, 0.01)
    return Trial(number, "search", suggestion, TrialState.COMPLETE, evaluation, finish_order=number + 1)


def baselines() -> list[Trial]:
    return [
        measured(place, ne, flops, stage="baseline", origin=f"zoo:{name}", params=params)
        for place, (name, (ne, flops, params)) in enumerate(BASELINES.items())
    ]


def own(ne: float = 0.91) -> Trial:
    """The user's own model, measured after the human-made ones."""
    return measured(5, ne, 2e5, stage="baseline", origin="baseline")


def search(count: int = 100) -> list[Trial]:
    rng = np.random.default_rng(7)
    trials: list[Trial] = []
    for number in range(5, 5 + count):
        flops = float(10 ** rng.uniform(3.9, 6.6))
        progress = 0.004 * (number / (5 + count))
        ne = 0.9022 + 0.02 * np.exp(-(np.log10(flops) - 3.6)) + 0.004 * rng.exponential() - progress
        origin = "initial" if number < 25 else str(rng.choice(["mutation", "mutation", "crossover", "random"]))
        trials.append(measured(number, float(ne + (0.3 if number % 40 == 0 else 0)), flops, origin=origin))
    broken = {17: failed(17), 65: failed(65, FailureKind.OUT_OF_MEMORY)}
    return [broken.get(trial.number, trial) for trial in trials]
