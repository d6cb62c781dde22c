"""What every search space promises, checked on every space that the room holds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from evaluators import Evaluation, Metric
from evaluators._tabular.entries import FACTS_FILE, SEARCH, TRIALS_FILE, Entry, write_entries
from searchspaces import Candidate, Decision, FeatureSchema, SearchSpace, load_plugin, plugin_names
from searchspaces.build import build
from searchspaces.cost import cost
from searchspaces.spaces.autoctr import AutoCTR
from tests.searchspaces.graphs import relabelled, schema

ROOM = "searchspaces.spaces"
SCHEMAS = {
    "both groups": schema(numeric=3, categorical=4, vocabulary=5),
    "numeric alone": schema(numeric=3, categorical=0),
    "categorical alone": schema(numeric=0, categorical=2, vocabulary=5),
    "one of each": schema(numeric=1, categorical=1, vocabulary=5),
}


def table_options(fields: FeatureSchema, folder: Path) -> dict[str, Any]:
    """A table of candidates from another space, as any search leaves it."""
    rng, other = np.random.default_rng(8), AutoCTR(fields, blocks=4)
    lines = [json.dumps({"candidate": other.sample(rng).to_dict(), "ne": 0.9}) for _ in range(300)]
    (folder / "trials.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return {"file": str(folder / "trials.jsonl")}


def tabled_options(fields: FeatureSchema, folder: Path) -> dict[str, Any]:
    """A table of trainings, with the space that they are from."""
    rng, source = np.random.default_rng(8), {"name": "autoctr", "blocks": 4}
    found = [AutoCTR(fields, blocks=4).sample(rng) for _ in range(300)]
    done = Evaluation({"ne": Metric(0.9)})
    write_entries(folder / TRIALS_FILE, [Entry(at, one, 0, SEARCH, done) for at, one in enumerate(found)])
    (folder / FACTS_FILE).write_text(json.dumps({"space": source}), encoding="utf-8")
    return {"table": str(folder)}


def codesign_options(fields: FeatureSchema, folder: Path) -> dict[str, Any]:
    """A model with a table that every way to spread suits, and one that few do, on clusters where knobs contradict."""
    tables = [{"rows": 50_000_000, "dim": 128, "hotness": 10.0}, {"rows": 1_000, "dim": 6}]
    cluster = {"device": ["A100", "H100"], "hosts": [1, 2, 4], "devices_per_host": [4, 8]}
    return {"model": {"tables": tables, "dense": {"macs": 1_000_000}}, "cluster": cluster}


def joint_options(fields: FeatureSchema, folder: Path) -> dict[str, Any]:
    """A space of models whose training is decided too, and one of runs."""
    return {"architecture": {"name": "autoctr", "blocks": 4}, "system": {"name": "run_settings"}}


OPTIONS: dict[str, Callable[[FeatureSchema, Path], dict[str, Any]]] = {
    "table": table_options,
    "tabled": tabled_options,
    "codesign": codesign_options,
    "joint": joint_options,
}
"""Of spaces that need some; a space has defaults for the rest."""

OF_SYSTEMS = frozenset({"codesign", "run_settings"})
"""Spaces whose candidates have no architecture: they lay a given model out."""

CASES = [(name, fields) for name in plugin_names(ROOM) for fields in SCHEMAS]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}: {case[1]}")
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[SearchSpace, FeatureSchema]:
    name, fields = request.param
    options = OPTIONS[name](SCHEMAS[fields], tmp_path) if name in OPTIONS else {}
    return cast(SearchSpace, load_plugin(ROOM, name)(SCHEMAS[fields], **options)), SCHEMAS[fields]


@pytest.fixture
def space(case: tuple[SearchSpace, FeatureSchema]) -> SearchSpace:
    return case[0]


def samples(space: SearchSpace, count: int, seed: int = 0) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def chosen(decisions: tuple[Decision, ...], rng: np.random.Generator) -> dict[str, bool | int | float | str]:
    return {decision.slot: decision.choices[int(rng.integers(len(decision.choices)))] for decision in decisions}


def test_candidates_are_valid_and_survive_json_and_their_decisions(space: SearchSpace) -> None:
    for candidate in samples(space, 200):
        space.validate(candidate)
        again = Candidate.from_dict(candidate.to_dict())
        assert again.fingerprint == candidate.fingerprint
        assert space.to_candidate(space.to_assignment(again)).fingerprint == candidate.fingerprint


def test_candidates_can_be_built_at_the_cost_of_the_closed_form(
    case: tuple[SearchSpace, FeatureSchema], request: pytest.FixtureRequest
) -> None:
    space, fields = case
    if request.node.callspec.params["case"][0] in OF_SYSTEMS:
        assert all(candidate.architecture is None and candidate.system for candidate in samples(space, 20))
        return
    ids = torch.zeros(3, len(fields.categorical), dtype=torch.int32)
    for candidate in samples(space, 20):
        assert candidate.architecture is not None
        model = build(candidate.architecture, fields, seed=1)
        known = cost(candidate.architecture, fields)
        assert known.parameters == sum(one.numel() for one in model.parameters())
        assert torch.isfinite(model(torch.randn(3, len(fields.numeric)), ids)).all()


def test_conditions_point_backwards_and_slots_differ(space: SearchSpace) -> None:
    seen: set[str] = set()
    for decision in space.decisions():
        assert decision.slot not in seen
        assert decision.condition is None or decision.condition.slot in seen
        assert decision.choices
        seen.add(decision.slot)


def test_every_assignment_of_the_choices_decodes(space: SearchSpace) -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        assignment = chosen(space.decisions(), rng)
        counting = {one.slot: assignment[one.slot] for one in space.decisions() if one.counts(assignment)}
        candidate = space.to_candidate(assignment)
        space.validate(candidate)
        assert space.to_candidate(counting).fingerprint == candidate.fingerprint


def test_an_assignment_names_exactly_the_decisions_that_count(space: SearchSpace) -> None:
    for candidate in samples(space, 30):
        assignment = space.to_assignment(candidate)
        assert list(assignment) == [one.slot for one in space.decisions() if one.counts(assignment)]
        assert all(assignment[one.slot] in one.choices for one in space.decisions() if one.slot in assignment)


def test_mutation_stays_in_the_space_and_changes_the_candidate(space: SearchSpace) -> None:
    rng = np.random.default_rng(2)
    parent = space.sample(rng)
    for _ in range(100):
        child = space.mutate(parent, rng)
        space.validate(child)
        assert child.fingerprint != parent.fingerprint
        parent = child


def test_crossover_stays_in_the_space(space: SearchSpace) -> None:
    rng = np.random.default_rng(3)
    for one, other in zip(samples(space, 50, 4), samples(space, 50, 5), strict=True):
        space.validate(space.crossover(one, other, rng))


def test_a_child_of_one_candidate_with_itself_is_that_candidate(space: SearchSpace) -> None:
    rng = np.random.default_rng(3)
    for one in samples(space, 20):
        assert space.crossover(one, one, rng).fingerprint == one.fingerprint


def test_draws_follow_from_the_generator_alone(space: SearchSpace) -> None:
    def walk() -> list[str]:
        rng = np.random.default_rng(6)
        one, other = space.sample(rng), space.sample(rng)
        return [one.fingerprint, space.mutate(one, rng).fingerprint, space.crossover(one, other, rng).fingerprint]

    assert walk() == walk()


def test_equal_fingerprints_give_equal_codes_of_one_length(space: SearchSpace) -> None:
    lengths = set()
    for seed, candidate in enumerate(samples(space, 50)):
        code = space.encode(candidate)
        nodes = relabelled(candidate.architecture, seed) if candidate.architecture else None
        copy = Candidate(nodes, candidate.training, candidate.system)
        assert np.array_equal(space.encode(copy), code)
        assert code.dtype == np.float64
        lengths.add(code.shape)
    assert len(lengths) == 1


def test_other_fingerprints_mostly_give_other_codes(space: SearchSpace) -> None:
    candidates = {candidate.fingerprint: candidate for candidate in samples(space, 100)}
    codes = {space.encode(candidate).tobytes() for candidate in candidates.values()}
    assert len(codes) > 0.9 * len(candidates)
