"""The one-shot method: its rules, its order of things, and what it finds where the answer is planted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl import ConfigError
from automl._checkpoint import Checkpoint
from automl.methods._learner import Learner, Lessons
from automl.methods._one_shot_run import Course, OneShotRun
from automl.methods._reward import Price, TimedPrice
from automl.methods.one_shot import OneShot
from evaluators import Metric, Objective, StepLosses
from searchspaces import Architecture, Candidate, zoo
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, write_small_data

SPACE = AutoCTR(SCHEMA, blocks=3, widths=(4, 8), embedding_dim=4)


def method(tmp_path: Path, **options: Any) -> OneShot:
    settings: dict[str, Any] = {"objectives": (Objective("ne"), Objective("flops")), "dataset": tmp_path, **options}
    return OneShot(SPACE, SCHEMA, study_seed=1, **{"controls": (zoo("deepfm", SCHEMA),), **settings})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampled": 0}, "sampled"),
        ({"share": 1.5}, "share"),
        ({"read_out": "luck"}, "read_out must be one of policy, rl, evolution, but is 'luck'"),
        ({"sampling": "best"}, "sampling must be one of uniform, fair, sandwich, but is 'best'"),
        ({"cost_budget": 3.0, "objectives": (Objective("ne"),)}, "cost_budget is 3.0, but nothing says of which cost"),
        ({"cost": "speed"}, "cost must be one of flops, macs, params, embedding_bytes, latency_ms_p50, .* 'speed'"),
        ({"keep": 80}, "only what is scored can be read out, but keep is 80 and candidates 64"),
        ({"entropy": 0.1, "last_entropy": 0.2}, "last_entropy must lie between zero and entropy, 0.1, but is 0.2"),
        ({"last_entropy": 0.0}, "falls by a factor, which never ends at zero"),
        ({"policy_learning_rate": 0.0}, "policy_learning_rate must be more than zero"),
        ({"penalty": -1.0}, "penalty must be zero or more, but is -1.0"),
        ({"baseline": "dlrn"}, "no human-made architecture 'dlrn'; did you mean 'dlrm'"),
        ({"controls": ()}, "a baseline is trained beside the supernet: name a human-made one with 'baseline'"),
        ({"rows": 0}, "rows"),
    ],
)
def test_options_keep_their_rules(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        method(tmp_path, **wrong)


@pytest.mark.parametrize("wrong", [{"learning_rate": 0.0}, {"ridge": -1.0}, {"calibration_rows": 0}])
def test_options_of_the_supernet_keep_its_rules(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        method(tmp_path, **wrong)


def test_a_budget_that_pays_for_no_step_is_refused_before_anything_runs(tmp_path: Path) -> None:
    data = write_small_data(tmp_path / "small", rows=200).folder
    some = {"dataset": data, "candidates": 3, "keep": 1, "calibration_rows": 40, "evaluation_rows": 60}
    rule = r"a share 0.5 of the 1100 rows of the budget must pay for training, but 4 scores take 560 of them"
    with pytest.raises(ConfigError, match=rule):
        method(tmp_path, budget_rows=1100, **some)
    method(tmp_path, budget_rows=1180, batch_size=10, **some)


def test_rows_that_are_given_must_be_within_the_budget(tmp_path: Path) -> None:
    data = write_small_data(tmp_path / "small", rows=200).folder
    some = {"dataset": data, "candidates": 3, "keep": 1, "calibration_rows": 40, "evaluation_rows": 60, "rows": 100}
    rule = "the 859 rows of the budget must pay .* but 100 rows of its training count 300, and 4 scores take 560 more"
    with pytest.raises(ConfigError, match=rule):
        method(tmp_path, budget_rows=859, **some)
    assert method(tmp_path, budget_rows=860, share=0.1, **some)._stream == 100
    assert method(tmp_path, **some)._stream == 100


def planted_loss(architecture: Architecture) -> float:
    """Each layer of an mlp takes a hundredth of the loss away."""
    return 0.6 - 0.006 * sum(node.block == "mlp" for node in architecture.nodes)


@dataclass(eq=False)
class PlantedNet:
    """As `SupernetBesideBaseline`, but losses are planted: each batch is hard or easy, for the baseline alike."""

    hardness: float = 0.1
    steps: int = 0
    scoring_rows: int = 10
    full_paths: list[float] = field(default_factory=list)

    def draw(self, rng: np.random.Generator, count: int, *, full_path: float) -> list[Architecture]:
        self.full_paths.append(full_path)
        return [architecture_of(SPACE.sample(rng)) for _ in range(count)]

    def step(self, architectures: Sequence[Architecture]) -> StepLosses:
        rng = np.random.default_rng([9, self.steps])
        shift = self.hardness * float(rng.standard_normal())
        self.steps += 1
        own = 0.003 * rng.standard_normal(len(architectures))
        losses = [planted_loss(one) + shift + noise for one, noise in zip(architectures, own, strict=True)]
        return StepLosses(tuple(losses), 0.6 + shift, 20)

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        return {"supernet_ne": Metric(planted_loss(architecture))}

    def score_baseline(self) -> dict[str, Metric]:
        return {"supernet_ne": Metric(0.6)}

    def serving_of_baseline(self) -> dict[str, Metric]:
        return {"qps": Metric(1000.0)}

    def relative_time(self, architecture: Architecture, *, metric: str) -> float:
        assert metric == "qps"
        return 1.0 + sum(node.block == "mlp" for node in architecture.nodes)

    def peak_bytes(self) -> int:
        return 1

    def save(self, folder: Path) -> None:
        (folder / "steps.txt").write_text(str(self.steps), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        self.steps = int((folder / "steps.txt").read_text(encoding="utf-8"))


def architecture_of(candidate: Candidate) -> Architecture:
    assert candidate.architecture is not None
    return candidate.architecture


def run_on(net: PlantedNet, folder: Path, **changes: Any) -> OneShotRun:
    settings: dict[str, Any] = {
        "price": Price(SCHEMA, "flops", 1.0, 0.0),
        "steps": 200,
        "warm_up": 0.1,
        "sampled": 2,
        "read_out": "policy",
        "candidates": 12,
        "keep": 3,
        "checkpoint_seconds": 60.0,
        **changes,
    }
    learner = Learner(SPACE.decisions(), Lessons(learning_rate=0.05))
    return OneShotRun(Course(SPACE, seed=1, **settings), Checkpoint(folder), net, learner, {"rows": 4000, "scores": {}})


def mlps(candidate: Candidate) -> int:
    return sum(node.block == "mlp" for node in architecture_of(candidate).nodes)


def test_the_policy_learns_what_is_planted_however_hard_the_batches_are(tmp_path: Path) -> None:
    run = run_on(PlantedNet(), tmp_path)
    found = run.read_out()
    rng = np.random.default_rng(1)
    usual = np.mean([mlps(SPACE.sample(rng)) for _ in range(100)])
    rows = run.learner.policy.sample(100, rng)
    learned = np.mean([mlps(SPACE.to_candidate(run.learner.policy.assignment(row))) for row in rows])
    assert learned > usual + 0.5
    assert mlps(found[0]) == 3


def test_the_warm_up_goes_from_the_full_path_to_none_and_teaches_nothing(tmp_path: Path) -> None:
    net = PlantedNet()
    run = run_on(net, tmp_path, steps=20, warm_up=1.0)
    run.read_out()
    assert net.full_paths == pytest.approx([1.0 - step / 20 for step in range(20)])
    assert not run.learner.policy.logits.any()


def test_what_is_read_out_is_best_by_score_and_price(tmp_path: Path) -> None:
    dear = run_on(PlantedNet(), tmp_path / "dear").read_out()
    price = Price(SCHEMA, "flops", 1.0, 100.0)
    cheap = run_on(PlantedNet(), tmp_path / "cheap", price=price).read_out()
    assert mlps(dear[0]) > mlps(cheap[0])


def test_candidates_that_take_longer_pay_for_it(tmp_path: Path) -> None:
    net, times = PlantedNet(), dict[str, float]()
    price = TimedPrice(lambda one: net.relative_time(architecture_of(one), metric="qps"), 2.0, 1.0, times)
    found = run_on(net, tmp_path, price=price).read_out()
    assert [mlps(one) <= 1 for one in found] == [True, True, True]
    assert {times[one.fingerprint] for one in found} <= {1.0, 2.0}


def test_evolution_over_scores_reads_out_what_is_planted(tmp_path: Path) -> None:
    found = run_on(PlantedNet(), tmp_path, steps=4, read_out="evolution", candidates=60).read_out()
    assert [mlps(one) for one in found] == [3, 3, 3]


def test_the_policy_goes_on_learning_over_scores_and_each_of_them_is_in_the_account(tmp_path: Path) -> None:
    run = run_on(PlantedNet(), tmp_path, steps=4, read_out="rl", candidates=60)
    found = run.read_out()
    assert [mlps(one) for one in found] == [3, 3, 3]
    assert run.checkpoint.accounts["scoring"].steps == 61 == len(run.state["scores"])


def test_rows_count_once_for_each_model_of_a_step(tmp_path: Path) -> None:
    run = run_on(PlantedNet(), tmp_path, steps=6)
    run.read_out()
    accounts = run.checkpoint.accounts
    assert (accounts["training"].steps, accounts["training"].rows) == (6, 6 * 20 * 3)
    assert (accounts["scoring"].steps, accounts["scoring"].rows) == (13, 13 * 10)


def test_sampling_is_of_the_warm_up_and_in_the_account(tmp_path: Path) -> None:
    data = write_small_data(tmp_path / "small", rows=200).folder
    some = {**SMALL, "rows": 100, "warm_up": 0.4, "dataset": data, "device": "cpu", "sampling": "sandwich"}
    checkpoint = Checkpoint(tmp_path / "run")
    one = method(tmp_path, budget_rows=2000, **some)
    list(one.run(checkpoint))
    silent, lessons = 2 * 20 * (4 + 1), 3 * 20 * (2 + 1)
    assert checkpoint.accounts["training"].rows == silent + lessons == 100 * (one._models() + 1)


SMALL = {"rows": 60, "batch_size": 20, "candidates": 4, "keep": 3, "calibration_rows": 40, "evaluation_rows": 60}


def test_without_an_objective_of_cost_there_is_no_price_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_small_data(tmp_path / "small", rows=200).folder
    free = method(tmp_path, objectives=(Objective("ne"),), dataset=data, device="cpu", **SMALL)
    assert free._price is not None
    assert free._price.weight == 0.0
    checkpoint = Checkpoint(tmp_path / "run")
    assert list(free.run(checkpoint))
    kept = checkpoint.kept()
    assert kept is not None
    (word,) = kept.facts["verdict"]["words"]
    assert word.startswith("no candidate has paid for its cost: the study has no objective on flops, macs")
    assert word in caplog.text


def after(calls: int) -> Callable[[], bool]:
    """Says no so often, then yes for ever."""
    asked = iter(range(calls))
    return lambda: next(asked, None) is None


@pytest.mark.parametrize("read_out", ["rl", "evolution"])
def test_a_read_out_over_scores_that_was_stopped_again_and_again_ends_where_another_does(
    tmp_path: Path, read_out: str
) -> None:
    data = write_small_data(tmp_path / "small", rows=200).folder
    one = method(tmp_path, dataset=data, device="cpu", read_out=read_out, **{**SMALL, "candidates": 9})
    whole = [each.fingerprint for each in one.run(Checkpoint(tmp_path / "whole"))]
    found, begun = list[str](), 0
    while not found:
        stopped = Checkpoint(tmp_path / "stopped", is_stopped=after(4))
        found, begun = [each.fingerprint for each in one.run(stopped)], begun + 1
    assert begun > 3
    assert found == whole


def test_where_latency_is_the_objective_candidates_are_timed_beside_the_baseline_and_once(tmp_path: Path) -> None:
    data = write_small_data(tmp_path / "small", rows=200).folder
    objectives = (Objective("ne"), Objective("latency_ms_p50", bound=1e-6))
    one = method(tmp_path, objectives=objectives, dataset=data, device="cpu", **SMALL)
    checkpoint = Checkpoint(tmp_path / "run")
    found = list(one.run(checkpoint))
    kept = checkpoint.kept()
    assert kept is not None
    times = kept.facts["times"]
    assert {each.fingerprint for each in found} <= set(times)
    assert all(time > 0.0 for time in times.values())
    assert kept.facts["free_time"] == pytest.approx(1e-6 / kept.facts["baseline_serving"])
    assert "candidates have paid for latency_ms_p50, timed on this machine" in kept.facts["verdict"]["words"][0]
    again = [each.fingerprint for each in one.run(Checkpoint(tmp_path / "run"))]
    assert again == [each.fingerprint for each in found]


def test_the_cost_that_is_named_is_priced_without_an_objective_too(tmp_path: Path) -> None:
    named = method(tmp_path, cost="params", cost_budget=9.0)
    assert named._price is not None
    assert (named._price.metric, named._price.budget) == ("params", 9.0)
    assert method(tmp_path, cost="qps")._price is None


def test_the_budget_of_cost_is_the_bound_then_the_baselines(tmp_path: Path) -> None:
    bounded = method(tmp_path, objectives=(Objective("ne"), Objective("flops", bound=500.0)))
    own, said = method(tmp_path), method(tmp_path, cost_budget=7.0)
    assert bounded._price is not None
    assert own._price is not None
    assert said._price is not None
    assert (bounded._price.budget, said._price.budget) == (500.0, 7.0)
    assert own._price.of(zoo("deepfm", SCHEMA)) == 0.0
