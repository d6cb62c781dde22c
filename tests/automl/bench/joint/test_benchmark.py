"""The comparison of a joint search with others: by hand on planted trials, and whole on parts that answer at once."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automl._errors import AutomlError
from automl.bench.joint.benchmark import figures, joint
from automl.bench.joint.searches import JOINT, RANDOM, SEQUENTIAL, Plan, Step
from automl.opening import load_study
from evaluators import Evaluation, Failure, FailureKind, Metric, ObjectiveError, Suggestion, Trial, TrialState
from searchspaces import Candidate
from tests.automl.cli_runs import run_cli
from tests.evaluators.small_data import write_small_data


def step(number: int, ne: float, speed: float, *, seconds: float = 1.0, reused: bool = False) -> Step:
    told = {"ne": ne, "speed_ratio": speed, "quality_seconds": 0.0 if reused else seconds, "speed_seconds": 0.0}
    done = Evaluation({name: Metric(value) for name, value in told.items()})
    trial = Trial(number, "search", Suggestion(Candidate()), TrialState.COMPLETE, done)
    return Step(trial, 0.0 if reused else seconds)


def of_arm(found: dict[str, Any], arm: str) -> dict[str, Any]:
    row: dict[str, Any] = next(one for one in found["arms"] if one["arm"] == arm)
    return row


def test_the_share_of_the_box_is_that_by_hand() -> None:
    found = figures(
        {
            (JOINT, 1): [step(0, 0.8, 1.0), step(1, 0.9, 10.0)],
            (SEQUENTIAL, 1): [step(0, 0.8, 1.0)],
            (RANDOM, 1): [step(0, 0.9, 10.0)],
        },
        "speed_ratio",
    )
    assert found["corners"]["best"] == pytest.approx({"ne": 0.8, "speed_ratio": 10.0})
    assert found["corners"]["worst"] == pytest.approx({"ne": 0.91, "speed_ratio": 10**-0.1})
    # sides 1.1 by 1.1 in units of the range: the corner points dominate a strip of 0.1 each
    assert of_arm(found, SEQUENTIAL)["hypervolume"] == pytest.approx(0.11 / 1.21)
    assert of_arm(found, JOINT)["hypervolume"] == pytest.approx((0.22 - 0.01) / 1.21)
    assert [(one["ne"], one["speed_ratio"]) for one in of_arm(found, JOINT)["front"]] == [(0.8, 1.0), (0.9, 10.0)]


def test_arms_are_compared_at_the_seconds_of_the_first_that_is_through() -> None:
    found = figures(
        {
            (JOINT, 1): [step(0, 0.9, 2.0, seconds=5.0), step(1, 0.8, 2.0, seconds=5.0)],
            (SEQUENTIAL, 1): [step(0, 0.9, 1.0, seconds=3.0), step(1, 0.9, 4.0, seconds=3.0, reused=True)],
            (RANDOM, 1): [step(0, 0.9, 1.0, seconds=5.0)],
        },
        "speed_ratio",
    )
    assert of_arm(found, JOINT)["at_equal_seconds"] == 0.0  # its first trial ends after three seconds
    assert of_arm(found, JOINT)["hypervolume"] > 0.0
    row = of_arm(found, SEQUENTIAL)
    assert row["at_equal_seconds"] == row["hypervolume"]
    assert (row["trainings_reused"], row["seconds"]) == (1.0, 3.0)


def test_arms_that_have_nothing_cover_nothing() -> None:
    failed = Trial(0, "search", Suggestion(Candidate()), TrialState.FAIL, failure=Failure(FailureKind.CRASHED, "why"))
    found = figures({(arm, 1): [Step(failed, 0.0)] for arm in (JOINT, SEQUENTIAL, RANDOM)}, "speed_ratio")
    assert {row["hypervolume"] for row in found["arms"]} == {0.0}
    assert {row["failed"] for row in found["arms"]} == {1.0}


@dataclass(eq=False)
class _Law:
    """A law in the place of a training and of a run: small models are worse and fast, and so are large batches."""

    dataset: Path
    study_seed: int
    cohort_size: int = 1

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome a member."""
        for position, one in enumerate(cohort):
            assert one.candidate.architecture is not None
            nodes = len(one.candidate.architecture.nodes)
            yield position, Evaluation(self.metrics(nodes, one.candidate), seconds=1.0)

    def metrics(self, nodes: int, candidate: Candidate) -> dict[str, Metric]:
        """What a model of so many nodes has."""
        batch = float(str(candidate.training.get("batch_size", 512)))
        return {"ne": Metric(0.8 + 0.1 / nodes + 1e-6 * batch, 0.001)}

    def open(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing is held."""


class _SpeedLaw(_Law):
    def metrics(self, nodes: int, candidate: Candidate) -> dict[str, Metric]:
        speed = math.sqrt(float(str(candidate.system.get("batch_size", 512)))) / nodes
        return {"speed_ratio": Metric(speed), "examples_per_second": Metric(1000 * speed)}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr("evaluators.train.Train", _Law)
    monkeypatch.setattr("evaluators.measured_run.MeasuredRun", _SpeedLaw)
    data = write_small_data(tmp_path / "data", rows=100).folder
    parts = {"quality": {"name": "train"}, "speed": {"name": "measured_run"}, "searcher": {"name": "random_search"}}
    return Plan(str(data), tmp_path / "kept", trials=4, seeds=1, **parts)  # type: ignore[arg-type]  # of one kind


def test_every_arm_has_the_same_budget_and_goes_on_where_it_stopped(plan: Plan) -> None:
    found = joint(plan)
    assert [(row["arm"], row["trials"]) for row in found["arms"]] == [(JOINT, 4), (SEQUENTIAL, 4), (RANDOM, 4)]
    assert found["duels"][0]["against"] == SEQUENTIAL
    again = joint(plan)
    assert again["searches"] == found["searches"]  # nothing was measured again
    architecture = load_study("architecture-1", storage=f"sqlite:///{plan.folder / 'automl.db'}")
    system = load_study("system-1", storage=f"sqlite:///{plan.folder / 'automl.db'}")
    best = min(architecture.trials, key=lambda one: one.value("ne") or 9.0)
    assert system.config.evaluator["model"]["architecture"] == best.candidate.to_dict()["architecture"]
    assert all(one.candidate.architecture is None for one in system.trials)
    architecture.close()
    system.close()
    with pytest.raises(AutomlError, match="has another trials"):
        joint(Plan(plan.data, plan.folder, trials=6, searcher=plan.searcher, quality=plan.quality, speed=plan.speed))


def test_the_command_prints_fronts(plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = ("--quality", '{"name": "train"}', "--speed", '{"name": "measured_run"}', "--trials", "4", "--seeds", "1")
    out = tmp_path / "found.json"
    done = run_cli(
        capsys, "bench", "joint", "--data", plan.data, "--folder", str(plan.folder), *parts, "--out", str(out)
    )
    assert done.code == 0, done.err
    assert "at_equal_seconds" in done.out
    assert {row["arm"] for row in json.loads(out.read_text(encoding="utf-8"))["arms"]} == {JOINT, SEQUENTIAL, RANDOM}


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"metric": "ne"}, "must be a speed, one of speed_ratio"), ({"trials": 3}, "has at least 4 trials, but is 3")],
)
def test_a_wrong_plan_is_told_before_anything_runs(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ObjectiveError, match=words):
        joint(Plan("none", tmp_path, **changes))
