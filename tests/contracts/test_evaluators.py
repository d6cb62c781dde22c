"""What every evaluator promises, over each file of the room.

A new evaluator needs one entry in `FACTORIES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from evaluators import Evaluation, Evaluator, Failure, FailureKind, Objective, Suggestion
from evaluators._distributed.launch import Ranks, Training, Window
from evaluators.external import External
from evaluators.joint import Joint
from evaluators.measured_run import MeasuredRun
from evaluators.planted import Planted
from evaluators.simulated_cluster import SimulatedCluster
from evaluators.tabular import Tabular
from evaluators.train import Train
from evaluators.trees import Trees
from evaluators.weight_sharing import WeightSharing
from evaluators.zero_cost import ZeroCost
from searchspaces import Candidate, Options, foreign_plugins, plugin_names
from searchspaces.spaces.autoctr import AutoCTR
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.joint import JointSpace
from tests.evaluators.small_data import SCHEMA, mlp, suggest, write_small_data
from tests.evaluators.small_tables import entries, write_table

TIMINGS = frozenset(
    {
        "examples_per_second",
        "speed_ratio",
        "qps",
        "latency_ms_p50",
        "latency_ms_p99",
        "peak_memory_bytes",
        "train_seconds",
        "energy_joules",
        "quality_seconds",
        "speed_seconds",
    }
)
SLOW = frozenset({"train"})
OF_SYSTEMS = frozenset({"simulated_cluster", "measured_run"})
"""Evaluators that tell how fast a model is trained, not how good it is."""


@dataclass(frozen=True)
class Case:
    """An evaluator under test, suggestions it can evaluate, and one it must fail."""

    make: Callable[[], Evaluator]
    good: tuple[Suggestion, ...]
    guilty: Suggestion
    ne: str = "ne"
    """Its normalised entropy: a measure of its own has a name of its own."""


def _train(folder: Path) -> Case:
    data = write_small_data(folder / "small", rows=1000).folder
    good = (suggest(mlp(8)), suggest(mlp(16)), suggest(mlp(8), replicate=1))
    return Case(lambda: Train(data, 1, threads=1, cohort_size=4), good, suggest(mlp(learning_rate=1e30)))


def _planted(_: Path) -> Case:
    space, rng = AutoCTR(SCHEMA), np.random.default_rng(0)
    good = tuple(Suggestion(space.sample(rng)) for _ in range(3))
    return Case(lambda: Planted(space, 1, noise=0.001, cohort_size=4), good, Suggestion(Candidate()))


_TRAINER = """
import json, os, sys
given = json.load(open(os.environ["AUTOML_CANDIDATE"]))
if given["training"].get("learning_rate", 0.0) > 1.0:
    sys.exit("diverged")
metrics = {"ne": 0.5 + given["seed"] / 2**34, "auc": [0.7, 0.01]}
json.dump({"metrics": metrics, "curve": [[1, {"ne": 0.9}]]}, open(sys.argv[1], "w"))
"""


def _external(folder: Path) -> Case:
    (folder / "trainer.py").write_text(_TRAINER, encoding="utf-8")
    command = [sys.executable, "-S", "trainer.py", "{metrics}"]
    good = (suggest(mlp(8)), suggest(mlp(16)), suggest(mlp(8), replicate=1))
    return Case(
        lambda: External(SCHEMA, (Objective("ne"), Objective("flops")), 1, command=command, working_folder=folder),
        good,
        suggest(mlp(learning_rate=1e30)),
    )


def _trees(folder: Path) -> Case:
    data = write_small_data(folder / "small", rows=1000).folder
    few, more = (Candidate(None, Options(max_rounds=10, num_leaves=leaves)) for leaves in (4, 8))
    return Case(lambda: Trees(data, 1), (suggest(few), suggest(more), suggest(few, replicate=1)), suggest(mlp()))


def _tabular(folder: Path) -> Case:
    found = entries(2)
    one, other = found[0].candidate, found[-1].candidate
    table = str(write_table(folder, found))
    return Case(
        lambda: Tabular(1, table=table), (suggest(one), suggest(other), suggest(one, replicate=1)), suggest(mlp())
    )


def _simulated_cluster(_: Path) -> Case:
    model = {"tables": [{"rows": 1_000_000, "dim": 64}, {"rows": 10_000, "dim": 16}], "dense": {"macs": 1_000_000}}
    space = Codesign(SCHEMA, model=model, cluster={"hosts": [1, 2]})
    rng = np.random.default_rng(0)
    good = tuple(Suggestion(space.sample(rng)) for _ in range(3))
    return Case(lambda: SimulatedCluster(space), good, Suggestion(Candidate()))


class _Pretended(Ranks):
    """Pretends to train, so that the contract takes no seconds; real ranks have tests of their own."""

    is_alive = True

    def __init__(self, training: Training) -> None:
        self._batch_size = training.batch_size

    def __enter__(self) -> Self:
        return self

    def steps(self, count: int, *, seconds: float) -> Window:
        assert seconds > 0
        return Window((0.7,) * count, (self._batch_size * 1e-6,) * count, 1 << 20)

    def close(self) -> None:
        pass


class _BriefRun(MeasuredRun):
    def _ranks(self, training: Training) -> Ranks:
        return _Pretended(training)


def _measured_run(_: Path) -> Case:
    def run(**knobs: object) -> Suggestion:
        return Suggestion(Candidate(None, system=Options(knobs)))

    good = (run(batch_size=32), run(accumulation=2), run(deduplicated=True))
    return Case(lambda: _BriefRun(Path("data"), SCHEMA, 1), good, run(groups=2))


def _joint(_: Path) -> Case:
    space = JointSpace(SCHEMA, architecture={"name": "autoctr"}, system={"name": "run_settings", "knobs": TOLD_KNOBS})
    rng = np.random.default_rng(0)
    good = tuple(Suggestion(space.sample(rng)) for _ in range(3))
    guilty = Suggestion(replace(good[0].candidate, system=Options(dtype="bf16")))

    def make() -> Joint:
        return Joint(
            space, quality=Planted(space.architectures, 1, cohort_size=4), speed=_BriefRun(Path("data"), SCHEMA, 1)
        )

    return Case(make, good, guilty)


def _weight_sharing(folder: Path) -> Case:
    data = write_small_data(folder / "small", rows=600).folder
    space = AutoCTR(SCHEMA, blocks=2, widths=(4, 8), embedding_dim=4)
    rng = np.random.default_rng(0)
    one, other = (suggest(space.sample(rng)) for _ in range(2))
    again = suggest(one.candidate, replicate=1)
    return Case(
        lambda: WeightSharing(data, space, 1, rows=600, batch_size=100, device="cpu"),
        (one, other, again),
        suggest(Candidate()),
        "supernet_ne",
    )


def _zero_cost(folder: Path) -> Case:
    data = write_small_data(folder / "small", rows=600).folder
    good = (suggest(mlp(8)), suggest(mlp(16)), suggest(mlp(8), replicate=1))
    return Case(
        lambda: ZeroCost(data, 1, short_steps=3, batch_size=64, controls=(mlp(8),)),
        good,
        suggest(mlp(learning_rate=1e30)),
        "short_ne",
    )


TOLD_KNOBS = {"table_optimizer": ["rowwise_adagrad"], "groups": [1], "wire": ["fp32"], "dtype": ["fp32"]}
"""Those that no training can be told are fixed at what every training has."""


FACTORIES: dict[str, Callable[[Path], Case]] = {
    "train": _train,
    "planted": _planted,
    "external": _external,
    "trees": _trees,
    "tabular": _tabular,
    "simulated_cluster": _simulated_cluster,
    "measured_run": _measured_run,
    "joint": _joint,
    "weight_sharing": _weight_sharing,
    "zero_cost": _zero_cost,
}
ROOM = [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
    for name in plugin_names("evaluators")
    if name not in foreign_plugins("evaluators")
]


@pytest.fixture(scope="module", params=ROOM)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    if request.param not in FACTORIES:
        pytest.fail(f"the evaluator {request.param!r} has no case: add one to FACTORIES in {__name__}")
    return FACTORIES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def evaluator(case: Case) -> Iterator[Evaluator]:
    made = case.make()
    yield made
    made.close()


def _lasting(outcome: Evaluation | Failure) -> object:
    """What must repeat: everything but timings."""
    if isinstance(outcome, Failure):
        return outcome.kind
    return {name: metric for name, metric in outcome.metrics.items() if name not in TIMINGS}


def _outcomes(evaluator: Evaluator, cohort: Sequence[Suggestion]) -> dict[int, object]:
    return {position: _lasting(outcome) for position, outcome in evaluator.evaluate(cohort)}


def test_each_member_is_answered_exactly_once(evaluator: Evaluator, case: Case) -> None:
    positions = [position for position, _ in evaluator.evaluate(case.good)]
    assert sorted(positions) == list(range(len(case.good)))


def test_an_empty_cohort_gives_nothing(evaluator: Evaluator) -> None:
    assert list(evaluator.evaluate([])) == []


def test_a_cohort_holds_at_least_one(evaluator: Evaluator) -> None:
    assert evaluator.cohort_size >= 1


def test_a_guilty_member_fails_alone_and_changes_nothing_for_the_others(evaluator: Evaluator, case: Case) -> None:
    first, *others = case.good
    alone = _outcomes(evaluator, case.good)
    with_guilty = _outcomes(evaluator, [first, case.guilty, *others])
    assert isinstance(with_guilty[1], FailureKind)
    assert [with_guilty[0], *(with_guilty[at + 2] for at in range(len(others)))] == [alone[at] for at in sorted(alone)]


def test_the_same_suggestion_gives_the_same_metrics_bit_for_bit(evaluator: Evaluator, case: Case) -> None:
    twice = _outcomes(evaluator, [case.good[0], case.good[0]])
    assert twice[0] == twice[1]


def test_a_fresh_evaluator_of_the_same_study_gives_the_same_metrics(evaluator: Evaluator, case: Case) -> None:
    fresh = case.make()
    assert _outcomes(fresh, case.good[:1]) == _outcomes(evaluator, case.good[:1])
    fresh.close()


def test_an_evaluation_survives_json_and_has_what_is_asked_for(
    evaluator: Evaluator, case: Case, request: pytest.FixtureRequest
) -> None:
    ((_, outcome),) = evaluator.evaluate(case.good[:1])
    assert isinstance(outcome, Evaluation)
    if request.node.callspec.params["case"] in OF_SYSTEMS:
        assert outcome.value("examples_per_second") > 0.0
    else:
        assert 0.0 < outcome.value(case.ne) < 5.0
    assert Evaluation.from_dict(outcome.to_dict()) == outcome


def test_an_evaluator_may_be_closed_twice_and_used_again(case: Case) -> None:
    evaluator = case.make()
    evaluator.close()
    evaluator.close()
    assert len(_outcomes(evaluator, case.good[:1])) == 1
    evaluator.close()
