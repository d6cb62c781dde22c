from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators import EvaluatorError
from evaluators._distributed.knobs import KNOBS, trained_with
from evaluators._distributed.launch import Training
from searchspaces import Candidate, CandidateError, Options, SpaceError
from searchspaces.spaces.run_settings import RunSettings
from tests.evaluators.small_data import SCHEMA, mlp


def _space(**knobs: Any) -> RunSettings:
    return RunSettings(SCHEMA, knobs=knobs)


def test_knobs_are_those_of_a_measured_run() -> None:
    assert {one.slot for one in _space().decisions()} == KNOBS.keys()


def test_every_candidate_can_be_launched() -> None:
    architecture = mlp(8).architecture
    assert architecture is not None
    base = Training(architecture, Path("data"), 1)
    space, rng = (
        _space(ranks=[1, 2, 4], groups=[1, 2, 4], batch_size=[512], accumulation=[1, 2]),
        np.random.default_rng(1),
    )
    for _ in range(300):
        try:
            trained_with(base, space.sample(rng).system)
        except EvaluatorError as error:
            pytest.fail(str(error))


def test_one_process_decides_nothing_between_processes() -> None:
    candidate = _space(ranks=[1]).sample(np.random.default_rng(1))
    assert not {"sharding", "groups", "wire", "sync_interval"} & set(candidate.system)


def test_groups_that_do_not_divide_are_the_most_that_do() -> None:
    space = _space(ranks=[6], groups=[4], batch_size=[1536], accumulation=[1])
    candidate = space.sample(np.random.default_rng(1))
    assert candidate.system["groups"] == 3


def test_a_contradiction_is_no_point_of_the_space() -> None:
    space = _space()
    good = next(one for one in (space.sample(np.random.default_rng(at)) for at in range(99)) if "groups" in one.system)
    wrong = {**good.system, "sharding": "column", "table_optimizer": "rowwise_adagrad"}
    with pytest.raises(CandidateError):
        space.validate(Candidate(None, system=Options(wrong)))


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"rank": [1]}, "no knob 'rank'; did you mean 'ranks'"),
        ({"dtype": []}, "'dtype' has no choices"),
        ({"batch_size": [100], "ranks": [3]}, "batch_size 100 is no multiple of ranks 3"),
        ({"ranks": [0]}, "whole numbers of at least 1, but one is 0"),
        ({"sharding": ["column"]}, "contradict each other; add sharding 'row'"),
    ],
)
def test_a_wrong_option_is_told(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        _space(**knobs)
