"""The evaluator that composes a quality and a speed: who is asked what, how often, and what comes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Suggestion
from evaluators.joint import Joint
from evaluators.simulated_cluster import SimulatedCluster
from searchspaces import Candidate, Options, SearchSpace
from searchspaces.cost import cost
from searchspaces.spaces.autoctr import AutoCTR
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.joint import JointSpace
from searchspaces.spaces.run_settings import RunSettings
from tests.evaluators.joint_parts import Part
from tests.evaluators.small_data import SCHEMA, mlp, suggest

MODELS = AutoCTR(SCHEMA, blocks=3)


def parts() -> tuple[Part, Part]:
    return Part({"ne": 0.8, "params": 9.0, "peak_memory_bytes": 1.0}), Part(
        {"examples_per_second": 50.0, "peak_memory_bytes": 3.0}, seconds=1.0
    )


def joint(quality: Part, speed: Part, space: SearchSpace = MODELS, **options: Any) -> Joint:
    return Joint(space, quality=quality, speed=speed, **options)


def run(candidate: Candidate, **knobs: object) -> Suggestion:
    return suggest(Candidate(candidate.architecture, candidate.training, Options(knobs)))


def outcomes(evaluator: Joint, *asked: Suggestion) -> list[Evaluation | Failure]:
    found = dict(evaluator.evaluate(asked))
    return [found[at] for at in range(len(asked))]


def test_a_trial_has_the_metrics_of_both_and_those_of_a_run_are_the_speeds() -> None:
    [found] = outcomes(joint(*parts()), run(mlp()))
    assert isinstance(found, Evaluation)
    assert {name: one.value for name, one in found.metrics.items()} == {
        "ne": 0.8,
        "params": 9.0,
        "examples_per_second": 50.0,
        "peak_memory_bytes": 3.0,
        "quality_seconds": 2.0,
        "speed_seconds": 1.0,
    }
    assert found.seconds == 3.0


def test_candidates_that_differ_in_neutral_knobs_are_trained_once_and_run_each() -> None:
    quality, speed = parts()
    evaluator = joint(quality, speed)
    [first] = outcomes(evaluator, run(mlp(), threads=1))
    [second, third] = outcomes(evaluator, run(mlp(), threads=2, prefetch=1), run(mlp(), ranks=2, sharding="row"))
    assert (len(quality.asked), len(speed.asked)) == (1, 3)
    assert quality.asked[0].candidate == mlp()
    seconds = [one.metrics["quality_seconds"].value for one in (first, second, third) if isinstance(one, Evaluation)]
    assert seconds == [2.0, 0.0, 0.0]


def test_members_of_one_cohort_share_a_training() -> None:
    quality, speed = parts()
    found = outcomes(joint(quality, speed), run(mlp(), threads=1), run(mlp(), threads=2))
    assert len(quality.asked) == 1
    assert [one.seconds for one in found] == [3.0, 1.0]


def test_the_batch_is_a_setting_of_the_training_and_trained_for_itself() -> None:
    quality, speed = parts()
    evaluator = joint(quality, speed)
    outcomes(evaluator, run(mlp(), batch_size=256), run(mlp(), batch_size=512), run(mlp(), global_batch=512))
    assert [one.candidate.training.to_dict() for one in quality.asked] == [{"batch_size": 256}, {"batch_size": 512}]
    assert not any(one.candidate.system for one in quality.asked)


def test_replicates_are_measured_anew_and_the_same_trial_is_not() -> None:
    quality, speed = parts()
    evaluator = joint(quality, speed)
    outcomes(evaluator, suggest(mlp()), suggest(mlp(), replicate=1))
    outcomes(evaluator, suggest(mlp()))
    assert (len(quality.asked), len(speed.asked)) == (2, 2)


def test_a_fidelity_is_of_the_quality_and_the_speed_is_known_from_the_lower_rung() -> None:
    quality, speed = parts()
    evaluator = joint(quality, speed)
    outcomes(evaluator, Suggestion(mlp(), Fidelity(-1, Options(rows=10))))
    outcomes(evaluator, Suggestion(mlp()))
    assert [one.fidelity.rung for one in quality.asked] == [-1, 0]
    assert [one.fidelity.rung for one in speed.asked] == [0]


def test_what_cannot_run_is_not_trained() -> None:
    quality, speed = parts()
    speed.fails_on = "threads"
    [found] = outcomes(joint(quality, speed), run(mlp(), threads=2))
    assert found == Failure(FailureKind.OUT_OF_MEMORY, "speed: too large")
    assert quality.asked == []


def test_a_training_that_fails_is_told_as_that_and_its_speed_costs_too() -> None:
    quality, speed = parts()
    quality.fails_on = "learning_rate"
    bad, good = outcomes(joint(quality, speed), run(mlp(learning_rate=9.0)), run(mlp()))
    assert bad == Failure(FailureKind.OUT_OF_MEMORY, "quality: too large")
    assert bad.seconds == 3.0
    assert isinstance(good, Evaluation)


def test_a_failure_is_tried_again() -> None:
    quality, speed = parts()
    quality.fails_on = "learning_rate"
    first, second = outcomes(joint(quality, speed), run(mlp(learning_rate=9.0)), run(mlp(learning_rate=9.0), threads=2))
    assert isinstance(first, Failure)
    assert isinstance(second, Failure)
    assert second.seconds == 1.0
    assert len(quality.asked) == 1


def test_cohorts_are_as_large_as_each_part_takes_them() -> None:
    quality, speed = parts()
    quality.cohort_size = 2
    evaluator = joint(quality, speed)
    outcomes(evaluator, run(mlp(4)), run(mlp(8)), run(mlp(16)))
    assert (evaluator.cohort_size, quality.calls, speed.calls) == (2, 2, 3)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"dtype": "bf16"}, "no training can be told dtype 'bf16' (every training has 'fp32')"),
        ({"colour": "red"}, "no training can be told colour 'red'; fix the knob, or name it under 'neglected'"),
    ],
)
def test_a_knob_that_no_training_can_be_told_is_refused(knobs: dict[str, object], words: str) -> None:
    [found] = outcomes(joint(*parts()), run(mlp(), **knobs))
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.INVALID
    assert words in found.reason


def test_a_knob_may_be_neglected() -> None:
    quality, speed = parts()
    evaluator = joint(quality, speed, neglected=("dtype", "batch_size"))
    outcomes(evaluator, run(mlp(), dtype="bf16", batch_size=64))
    assert quality.asked[0].candidate == mlp()
    assert speed.asked[0].candidate.system == Options(dtype="bf16", batch_size=64)


def test_a_setting_that_is_decided_twice_is_refused() -> None:
    [found] = outcomes(joint(*parts()), run(mlp(batch_size=64), batch_size=128))
    assert isinstance(found, Failure)
    assert "'batch_size' is among the training and the system settings" in found.reason


def test_choices_that_no_training_can_be_told_are_refused_before_anything_is_measured() -> None:
    space = JointSpace(
        SCHEMA, architecture=MODELS, system=RunSettings(SCHEMA, knobs={"groups": [1], "dtype": ["fp32"]})
    )
    words = r"table_optimizer, wire; fix them .*knobs: {'table_optimizer': \['rowwise_adagrad'\], 'wire': \['fp32'\]}"
    with pytest.raises(EvaluatorError, match=words):
        joint(*parts(), space=space)
    assert joint(*parts(), space=space, neglected=("table_optimizer", "wire")).cohort_size == 1


def test_a_metric_that_both_tell_must_agree() -> None:
    evaluator = joint(Part({"ne": 0.8, "params": 9.0}), Part({"params": 8.0}))
    with pytest.raises(EvaluatorError, match="'params' is 9 of the quality and 8 of the speed"):
        outcomes(evaluator, run(mlp()))
    assert isinstance(outcomes(joint(Part({"params": 9.0}), Part({"params": 9.0})), run(mlp()))[0], Evaluation)


def test_systems_are_searched_for_a_model_that_is_named() -> None:
    quality, speed = parts()
    space = RunSettings(
        SCHEMA, knobs={"groups": [1], "dtype": ["fp32"], "wire": ["fp32"], "table_optimizer": ["rowwise_adagrad"]}
    )
    evaluator = joint(quality, speed, space, model=mlp(32, learning_rate=0.01).to_dict())
    outcomes(evaluator, suggest(space.sample(np.random.default_rng(1))))
    assert quality.asked[0].candidate.architecture == speed.asked[0].candidate.architecture == mlp(32).architecture
    assert quality.asked[0].candidate.training["learning_rate"] == 0.01


@pytest.mark.parametrize(
    ("model", "words"),
    [({"training": {}}, "must have an architecture"), ({"architecture": {"nodes": 3}}, "cannot be read")],
)
def test_a_wrong_model_is_told(model: dict[str, object], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        joint(*parts(), model=model)


def test_no_model_is_no_trial() -> None:
    [found] = outcomes(joint(*parts()), suggest(Candidate(system=Options(threads=1))))
    assert isinstance(found, Failure)
    assert "name one as 'model'" in found.reason


def test_a_simulated_cluster_trains_the_candidates_own_dense_part() -> None:
    model = {"tables": [{"rows": 1_000_000, "dim": 64}], "dense": {"macs": 1_000_000_000}}
    knobs = {
        "towers": [1],
        "groups": [1],
        "table_dtype": ["fp32"],
        "forward_dtype": ["fp32"],
        "backward_dtype": ["fp32"],
    }
    systems = Codesign(SCHEMA, model=model, cluster={"hosts": [1]}, knobs={**knobs, "all_reduce_dtype": ["fp32"]})
    space = JointSpace(SCHEMA, architecture=MODELS, system=systems)
    speed = SimulatedCluster(space, schema=SCHEMA)
    evaluator = Joint(space, quality=parts()[0], speed=speed, neglected=("compute_dtype",))
    candidate = space.sample(np.random.default_rng(1))
    [found] = outcomes(evaluator, suggest(candidate))
    assert isinstance(found, Evaluation)
    assert candidate.architecture is not None
    own = {"macs": cost(candidate.architecture, SCHEMA).macs, "parameters": 0}
    described = Codesign(
        SCHEMA, model={**model, "dense": own}, cluster={"hosts": [1]}, knobs={**knobs, "all_reduce_dtype": ["fp32"]}
    )
    [(_, alone)] = SimulatedCluster(described).evaluate([suggest(Candidate(None, system=candidate.system))])
    assert isinstance(alone, Evaluation)
    assert found.value("step_seconds_dense") == pytest.approx(alone.value("step_seconds_dense"))
