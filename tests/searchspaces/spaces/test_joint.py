"""The space of a model and the way to train it: who edits what, and whose mistake it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from searchspaces import Candidate, CandidateError, Options, PluginError, SpaceError
from searchspaces.spaces.autoctr import AutoCTR
from searchspaces.spaces.joint import JointSpace
from searchspaces.spaces.run_settings import RunSettings
from tests.evaluators.small_data import SCHEMA

MODELS, SYSTEMS = AutoCTR(SCHEMA, blocks=3), RunSettings(SCHEMA)
SPACE = JointSpace(SCHEMA, architecture=MODELS, system=SYSTEMS)
FIXED: dict[str, Any] = {
    "batch_size": [512],
    "ranks": [1],
    "threads": [1],
    "table_optimizer": ["sgd"],
    "accumulation": [1],
    "dtype": ["fp32"],
    "deduplicated": [False],
    "dense_optimizer": ["loop"],
    "table_layout": ["concatenated"],
    "resident": [False],
    "loader_workers": [0],
    "prefetch": [0],
    "groups": [1],
    "wire": ["fp32"],
    "sync_interval": [1],
    "sharding": ["row"],
}
ONE_RUN = RunSettings(SCHEMA, knobs=FIXED)


def drawn(seed: int, space: JointSpace = SPACE) -> Candidate:
    return space.sample(np.random.default_rng(seed))


def test_its_decisions_are_those_of_both_sides() -> None:
    slots = [f"architecture.{one.slot}" for one in MODELS.decisions()]
    assert [one.slot for one in SPACE.decisions()] == slots + [f"system.{one.slot}" for one in SYSTEMS.decisions()]


def test_sides_are_given_as_spaces_or_by_name() -> None:
    named = JointSpace(SCHEMA, architecture={"name": "autoctr", "blocks": 3}, system={"name": "run_settings"})
    assert drawn(1, named).fingerprint == drawn(1).fingerprint


def test_a_candidate_is_a_point_of_each_side() -> None:
    candidate = drawn(1)
    MODELS.validate(Candidate(candidate.architecture, candidate.training))
    SYSTEMS.validate(Candidate(None, system=candidate.system))


def test_the_code_is_one_sides_behind_the_others() -> None:
    candidate = drawn(1)
    model = MODELS.encode(Candidate(candidate.architecture, candidate.training))
    system = SYSTEMS.encode(Candidate(None, system=candidate.system))
    assert np.array_equal(SPACE.encode(candidate), np.concatenate([model, system]))


def test_each_side_has_its_fair_share_of_edits_and_one_at_a_time() -> None:
    parent, rng = drawn(1), np.random.default_rng(2)
    children = [SPACE.mutate(parent, rng) for _ in range(200)]
    models = [one.architecture != parent.architecture or one.training != parent.training for one in children]
    systems = [one.system != parent.system for one in children]
    assert not any(model and system for model, system in zip(models, systems, strict=True))
    assert 70 < sum(systems) < 130


def test_a_side_without_a_choice_is_never_edited() -> None:
    space = JointSpace(SCHEMA, architecture=MODELS, system=ONE_RUN)
    parent, rng = drawn(1, space), np.random.default_rng(2)
    assert all(space.mutate(parent, rng).system == parent.system for _ in range(20))


def test_sides_of_a_child_may_come_from_different_parents() -> None:
    one, other, rng = drawn(1), drawn(2), np.random.default_rng(3)
    children = [SPACE.crossover(one, other, rng) for _ in range(60)]
    whole = {(child.architecture == one.architecture, child.system == one.system) for child in children}
    assert whole == {(True, True), (True, False), (False, True), (False, False)}
    assert any(child.system not in (one.system, other.system) for child in children)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": Options(colour="red")}, "^system side: "),
        ({"training": Options(colour="red")}, "^architecture side: "),
        ({"architecture": None}, "^architecture side: .* has none"),
    ],
)
def test_an_error_names_the_side(change: Mapping[str, Any], words: str) -> None:
    good = drawn(1)
    parts: dict[str, Any] = {"architecture": good.architecture, "training": good.training, "system": good.system}
    with pytest.raises(CandidateError, match=words):
        SPACE.validate(Candidate(**{**parts, **change}))


def test_a_missing_decision_is_told_with_its_side() -> None:
    assignment = {slot: choice for slot, choice in SPACE.to_assignment(drawn(1)).items() if slot != "system.threads"}
    with pytest.raises(CandidateError, match=r"^system side: .* 'threads' is missing"):
        SPACE.to_candidate(assignment)


@pytest.mark.parametrize(
    ("architecture", "system", "words"),
    [
        ({"name": "autoctr"}, {"name": "autoctr"}, "system side: is a space of ways to train one, .* AutoCTR is none"),
        ({"name": "run_settings"}, {"name": "run_settings"}, "architecture side: is a space of models"),
        (
            {"name": "autoctr"},
            {"name": "run_settings", "knob": {}},
            "system side: the options of 'run_settings' do not",
        ),
        ({"name": "autoctr"}, {"name": "run_settings", "knobs": {"rank": [1]}}, "system side: no knob 'rank'"),
        ({"blocks": 3}, {"name": "run_settings"}, "architecture side: names its space as"),
    ],
)
def test_a_wrong_side_is_told(architecture: Mapping[str, Any], system: Mapping[str, Any], words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        JointSpace(SCHEMA, architecture=architecture, system=system)


def test_an_unknown_space_is_told_with_its_side() -> None:
    with pytest.raises(PluginError, match=r"system side: no 'run_setting' .* did you mean 'run_settings'"):
        JointSpace(SCHEMA, architecture=MODELS, system={"name": "run_setting"})


class _OneModel:
    """Pretends to be a space with one candidate."""

    def decisions(self) -> tuple[()]:
        """None."""
        return ()


def test_a_space_of_one_candidate_is_refused() -> None:
    with pytest.raises(SpaceError, match="both sides of this space have one"):
        JointSpace(SCHEMA, architecture=_OneModel(), system=ONE_RUN)  # type: ignore[arg-type]  # no more is asked
