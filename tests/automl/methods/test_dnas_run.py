"""The end of a search: what meets the target is scored, the best read out; collapse is told; a stop changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from automl._checkpoint import Advance, Checkpoint
from automl.methods._dnas_course import DnasCourse, LogitSettings
from automl.methods._dnas_run import DnasRun, ReadOutPlan, begin_again, verdict
from automl.methods._forks import Prices
from automl.methods._relaxation import Target
from automl.methods._turns import Turns
from automl.proposals import Policy
from searchspaces import Candidate
from tests.automl.methods.dnas_parts import SCHEMA, SPACE, Told, assignment

PLAN = ReadOutPlan(candidates=12, keep=3, tolerance=0.1, checkpoint_seconds=1e9)
SLOTS = [one.slot for one in SPACE.decisions()]


def course(*, macs: float = 600.0, weight: float = 1.0) -> DnasCourse:
    turns = Turns(60, weights_first=0.1, weight_slice=2, logit_slice=1)
    how = LogitSettings(Target(macs, weight))
    return DnasCourse(Told("linear"), SPACE, Prices(SCHEMA), turns, how, seed=1)


def run(folder: Path, one: DnasCourse | None = None, **hooks: Callable[..., object]) -> tuple[DnasRun, list[Candidate]]:
    checkpoint, made = Checkpoint(folder, **hooks), one or course()  # type: ignore[arg-type]
    kept = checkpoint.kept()
    state = {"rows": 0, "scores": {}} if kept is None else dict(kept.facts)
    if kept is not None:
        begin_again(made, state, kept.files)
    found = DnasRun(made, checkpoint, PLAN, state)
    return found, found.read_out()


def after(calls: int) -> Callable[[], bool]:
    asked = iter(range(calls))
    return lambda: next(asked, None) is None


def test_what_is_read_out_meets_the_target_the_best_scores_first(tmp_path: Path) -> None:
    one, found = run(tmp_path)
    macs = [one.course.prices.of(each.architecture).macs for each in found if each.architecture is not None]
    assert len(found) == 3
    assert all(540 <= each <= 660 for each in macs)
    scores = [one.state["scores"][each.fingerprint] for each in found]
    assert scores == sorted(one.state["scores"].values())[:3]


def test_where_nothing_meets_the_target_the_nearest_are_read_out_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "automl"):
        one, found = run(tmp_path, course(macs=1e6, weight=0.0))
    assert "no candidate that the policy draws is within 10% of 1000000 multiply-adds" in caplog.text
    assert one.state["verdict"]["words"][-1] in caplog.text
    most = max(one.course.prices.of(each.architecture).macs for each in found if each.architecture is not None)
    assert most >= 1200


def test_a_run_that_was_stopped_anywhere_ends_where_another_does(tmp_path: Path) -> None:
    whole, expected = run(tmp_path / "whole")
    found: list[Candidate] = []
    begun = 0
    while not found:
        stopped, found = run(tmp_path / "stopped", is_stopped=after(9))
        begun += 1
    assert begun > 5
    assert [one.fingerprint for one in found] == [one.fingerprint for one in expected]
    assert np.array_equal(stopped.course.policy.logits, whole.course.policy.logits)
    assert stopped.state["verdict"] == whole.state["verdict"]
    assert stopped.state["scores"] == whole.state["scores"]


def test_each_phase_has_an_account_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[Advance] = []
    one, _ = run(tmp_path, tell=told.append)
    accounts = one.checkpoint.accounts
    turns = one.course.turns
    assert accounts["training"].steps == turns.weight_steps == accounts["training"].rows // 4
    assert accounts["logits"].steps == turns.logit_steps_before(turns.steps)
    assert accounts["scoring"].rows == 10 * len(one.state["scores"])
    assert {(each.phase, each.done) for each in told} >= {("training", turns.weight_steps), ("logits", 18)}


@pytest.mark.parametrize(("second", "collapsed"), [("identity", True), ("linear", False)])
def test_ending_at_choices_without_weights_is_a_collapse(second: str, collapsed: bool) -> None:
    one = course()
    logits = np.zeros(len(one.policy.logits))
    for slot, choice in (("first.operator", "identity"), ("second.operator", second)):
        at = SLOTS.index(slot)
        one.guard.learn([one.graphs.fork(assignment("linear", "linear"), at)], one.prices)
        logits[one.guard.places_of(at)] = [3.0 * (own == choice) for own in SPACE.decisions()[at].choices]
    if not collapsed:
        logits[one.guard.places_of(0)] = 0.0, 0.0, 3.0, 0.0
    one.policy = Policy(one.policy.decisions, logits)
    found = verdict(one)
    assert found["collapsed"] is collapsed
    assert set(found["without_weights"]) == ({"first.operator", "second.operator"} if collapsed else set())
    assert ("the search has collapsed to choices without weights" in " ".join(found["words"])) is collapsed


def test_the_verdict_has_the_multiply_adds_of_the_likeliest_and_of_draws() -> None:
    one = course()
    one.policy = Policy(one.policy.decisions, 50.0 * np.eye(len(one.policy.logits))[2])  # first.operator: linear
    found = verdict(one)
    assert found["likeliest"]["first.operator"] == "linear"
    assert found["likeliest_macs"] == 24 * 24 + 24
    assert found["expected_macs"] > found["likeliest_macs"]
    assert found["target_macs"] == 600.0
    assert found["words"] == ["the likeliest candidate has 600 multiply-adds, and the target is 600"]
