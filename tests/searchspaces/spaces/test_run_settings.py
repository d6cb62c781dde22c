from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators import EvaluatorError
from evaluators._distributed.knobs import KNOBS, trained_with
from evaluators._distributed.launch import Training
from searchspaces import Candidate, CandidateError, Options, SpaceError
from searchspaces.spaces._run_knobs import KNOBS as KNOWN
from searchspaces.spaces.run_settings import RunSettings
from tests.evaluators.small_data import SCHEMA, mlp


def _space(**knobs: Any) -> RunSettings:
    return RunSettings(SCHEMA, knobs=knobs)


def test_knobs_are_those_of_a_measured_run() -> None:
    assert KNOWN.keys() == KNOBS.keys()
    assert KNOWN.keys() - {one.slot for one in _space().decisions()} == {"embedding_dim"}


@pytest.mark.parametrize("name", KNOWN)
def test_a_choice_is_allowed_where_a_run_can_have_it(name: str) -> None:
    tried: list[Any] = ["fp32", "int8", "column", "adam", "by_field", "fused", "fp8", 0, 1, 2, 7, True, 1.5, None, "2"]
    for value in (*tried, *KNOWN[name].usual):
        try:
            KNOBS[name](name, value)
        except EvaluatorError:
            assert KNOWN[name].mistake(name, value) is not None
        else:
            assert KNOWN[name].mistake(name, value) is None


def test_one_choice_needs_no_list() -> None:
    candidate = _space(dtype="bf16", batch_size=512, embedding_dim=8).sample(np.random.default_rng(1))
    assert (candidate.system["dtype"], candidate.system["batch_size"], candidate.system["embedding_dim"]) == (
        "bf16",
        512,
        8,
    )


def test_settings_without_effect_are_left_out_so_that_no_two_candidates_are_one_run() -> None:
    space, rng = _space(ranks=[1, 2, 4], groups=[1, 2, 4], batch_size=512), np.random.default_rng(1)
    seen = set()
    for _ in range(300):
        system = space.sample(rng).system
        ranks, groups = int(str(system["ranks"])), int(str(system.get("groups", 1)))
        seen.add((ranks, groups))
        assert ("groups" in system) == (ranks > 1)
        assert ("sharding" in system) == ("wire" in system) == (ranks > groups)
        assert ("sync_interval" in system) == (groups > 1)
        assert ("prefetch" in system) == (system["loader_workers"] == 0)
    assert len(seen) == 6


def test_every_candidate_can_be_launched() -> None:
    architecture = mlp(8).architecture
    assert architecture is not None
    base = Training(architecture, Path("data"), 1)
    space, rng = (
        _space(ranks=[1, 2, 4], groups=[1, 2, 4], batch_size=[512], accumulation=[1, 2], table_dtype=["fp32", "int8"]),
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
    some = (space.sample(np.random.default_rng(at)) for at in range(99))
    good = next(one for one in some if "sharding" in one.system)
    wrong = {**good.system, "sharding": "column", "table_optimizer": "rowwise_adagrad"}
    with pytest.raises(CandidateError):
        space.validate(Candidate(None, system=Options(wrong)))


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"rank": [1]}, "no knob 'rank'; did you mean 'ranks'"),
        ({"dtype": []}, "'dtype' has no choices"),
        ({"batch_size": [100], "ranks": [3]}, "batch_size 100 is no multiple of ranks 3"),
        ({"ranks": [0]}, "'ranks' is a whole number of at least 1, but one choice is 0"),
        ({"threads": "2"}, "'threads' is a whole number of at least 1, but one choice is '2'"),
        ({"prefetch": [-1, 0]}, "'prefetch' is a whole number of at least 0, but one choice is -1"),
        ({"dtype": ["fp23"]}, "'dtype' cannot be 'fp23'; did you mean 'fp32'"),
        ({"wire": 16}, "'wire' cannot be 16; "),
        ({"table_optimizer": "sparse_adams"}, "'table_optimizer' cannot be 'sparse_adams'; did you mean 'sparse_adam'"),
        ({"sharding": None}, "'sharding' cannot be None"),
        ({"compiled": "no"}, "'compiled' is true or false, but one choice is 'no'"),
        ({"groups": [2, 2]}, "'groups' has a choice twice"),
        (
            {"sharding": ["column"], "table_optimizer": "sgd", "table_dtype": "int8"},
            "and table_dtype 'int8' contradict",
        ),
        ({"sharding": ["column"]}, "contradict each other; add sharding 'row'"),
    ],
)
def test_a_wrong_choice_is_told(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        _space(**knobs)


def test_knobs_that_are_no_mapping_are_told() -> None:
    with pytest.raises(SpaceError, match=r"'knobs' names choices by knob, as .*, but is \['dtype'\]"):
        RunSettings(SCHEMA, knobs=["dtype"])  # type: ignore[arg-type]  # as a file may have it
