"""The space `tabled`: points of a table alone, seen as the space that they are from sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators._tabular.entries import FACTS_FILE, SEARCH, TRIALS_FILE, TRUTH, Entry, write_entries
from searchspaces import Candidate, CandidateError, Options, SpaceError
from searchspaces.graph import edit_distance
from searchspaces.spaces._tabled_views import _mean_distance
from searchspaces.spaces.tabled import Tabled
from tests.evaluators.small_data import SCHEMA
from tests.evaluators.small_tables import SOURCE, different, entries, write_table

SETTINGS = [{"lr": rate, "layers": layers, "kind": "a"} for rate in (0.1, 0.2, 0.3) for layers in (1, 2, 4)]


@pytest.fixture
def space(tmp_path: Path) -> Tabled:
    return Tabled(SCHEMA, table=str(write_table(tmp_path, entries(40, replicates=1, truth=0))))


def _flat(folder: Path, rows: list[dict[str, Any]], name: str = "trials.jsonl") -> Path:
    (folder / name).write_text("\n".join(json.dumps({"settings": row, "loss": 1.0}) for row in rows), encoding="utf-8")
    return folder / name


def _settings(folder: Path, rows: list[dict[str, Any]] = SETTINGS) -> Tabled:
    return Tabled(SCHEMA, table=str(_flat(folder, rows)), training=["settings"])


def test_decisions_and_codes_are_those_of_the_source_space(space: Tabled) -> None:
    one = space.candidates()[3]
    assert space.decisions() == SOURCE.decisions()
    assert np.array_equal(space.encode(one), SOURCE.encode(one))
    assert space.to_assignment(one) == SOURCE.to_assignment(one)


def test_it_has_the_candidates_that_searchers_see_whether_they_failed_or_not(tmp_path: Path) -> None:
    found = entries(12, replicates=1, truth=0)
    hidden = [Entry(20 + at, one, 0, TRUTH, found[0].outcome) for at, one in enumerate(different(14)[12:])]
    space = Tabled(SCHEMA, table=str(write_table(tmp_path, [*found, *hidden])))
    assert [one.fingerprint for one in space.candidates()] == [one.fingerprint for one in different(12)]


def test_an_assignment_of_a_stranger_stands_for_the_nearest_row(space: Tabled) -> None:
    inside = {one.fingerprint for one in space.candidates()}
    rng = np.random.default_rng(3)
    for parent in space.candidates()[:5]:
        assignment = {**space.to_assignment(parent)}
        slot = next(one for one in SOURCE.decisions() if one.slot == "block1.operator")
        assignment["block1.operator"] = next(one for one in slot.choices if one != assignment[slot.slot])
        assignment.setdefault("block1.width", 8)
        assert space.to_candidate(assignment).fingerprint in inside
    assert space.sample(rng).fingerprint in inside


def test_mutations_lead_to_near_graphs_more_often_than_to_far_ones(space: Tabled) -> None:
    rng, parent = np.random.default_rng(0), space.candidates()[0]
    near = [space.mutate(parent, rng) for _ in range(20)]
    far = [space.sample(rng) for _ in range(20)]
    assert _mean_edits(parent, near) < 0.8 * _mean_edits(parent, far)


def test_every_row_is_drawn_and_mutations_of_a_small_table_reach_all_others(space: Tabled) -> None:
    rng = np.random.default_rng(1)
    assert len({space.sample(rng).fingerprint for _ in range(600)}) == 40
    assert len({space.mutate(space.candidates()[0], rng).fingerprint for _ in range(3000)}) == 39


def test_a_stranger_is_told(space: Tabled) -> None:
    stranger = different(41)[40]
    with pytest.raises(CandidateError, match=r"this space is a table of 40 candidates, and v1:.* is none of them"):
        space.validate(stranger)


def test_settings_that_vary_are_decisions(tmp_path: Path) -> None:
    space = _settings(tmp_path)
    assert {one.slot: one.choices for one in space.decisions()} == {
        "training.lr": (0.1, 0.2, 0.3),
        "training.layers": (1, 2, 4),
    }
    found = space.to_candidate({"training.lr": 0.2, "training.layers": 4})
    assert found == Candidate(None, Options(lr=0.2, layers=4, kind="a"))
    assert space.to_assignment(found) == {"training.lr": 0.2, "training.layers": 4}


def test_a_setting_that_some_rows_lack_has_its_absence_as_a_choice(tmp_path: Path) -> None:
    space = _settings(tmp_path, [{"model": "a"}, {"model": "b", "depth": 1}, {"model": "b", "depth": [2, 3]}])
    choices = {one.slot: one.choices for one in space.decisions()}
    assert choices == {"training.depth": ("", "1", "[2, 3]"), "training.model": ("a", "b")}
    for one in space.candidates():
        assert space.to_candidate(space.to_assignment(one)) == one


def test_values_that_only_look_equal_stay_apart(tmp_path: Path) -> None:
    space = _settings(tmp_path, [{"x": 1}, {"x": True}, {"x": 1.5}, {"x": None}])
    assert [space.to_candidate(space.to_assignment(one)) for one in space.candidates()] == list(space.candidates())


def test_the_nearest_settings_differ_in_one(tmp_path: Path) -> None:
    rows = [row for row in SETTINGS if row != {"lr": 0.2, "layers": 4, "kind": "a"}]
    nearest = _settings(tmp_path, rows).to_candidate({"training.lr": 0.2, "training.layers": 4})
    assert nearest.training["lr"] != 0.2 or nearest.training["layers"] != 4
    assert nearest.training["lr"] == 0.2 or nearest.training["layers"] == 4


@pytest.mark.parametrize("assignment", [{"training.lr": 0.1}, {"training.lr": 0.15, "training.layers": 1}])
def test_an_assignment_of_settings_is_checked(tmp_path: Path, assignment: dict[str, float]) -> None:
    with pytest.raises(CandidateError, match=r"'training.layers' is missing|'training.lr' must be one of"):
        _settings(tmp_path).to_candidate(assignment)


def test_architectures_of_an_unknown_space_are_numbers_of_rows(tmp_path: Path) -> None:
    rows = [json.dumps({"candidate": one.to_dict()}) for one in different(5)]
    (tmp_path / "trials.jsonl").write_text("\n".join(rows), encoding="utf-8")
    space = Tabled(SCHEMA, table=str(tmp_path / "trials.jsonl"))
    assert space.to_candidate({"row": 2}).fingerprint == different(5)[2].fingerprint
    with pytest.raises(CandidateError, match="'row' must be a row from 0 to 4, but is 5"):
        space.to_candidate({"row": 5})


def test_packed_trials_are_read(tmp_path: Path) -> None:
    import gzip

    packed = tmp_path / "trials.jsonl.gz"
    packed.write_bytes(gzip.compress(_flat(tmp_path, SETTINGS).read_bytes()))
    assert len(Tabled(SCHEMA, table=str(packed), training=["settings"]).candidates()) == 9


def test_a_folder_without_facts_is_told(tmp_path: Path) -> None:
    write_entries(tmp_path / TRIALS_FILE, entries(3))
    with pytest.raises(SpaceError, match=r"a table says in table.json which space it is of, but .* cannot be read"):
        Tabled(SCHEMA, table=str(tmp_path))


def test_a_folder_without_candidates_to_search_is_told(tmp_path: Path) -> None:
    found = entries(3)
    write_entries(tmp_path / TRIALS_FILE, [one for one in found if one.role != SEARCH])
    (tmp_path / FACTS_FILE).write_text(json.dumps({"space": {"name": "autoctr"}}), encoding="utf-8")
    with pytest.raises(SpaceError, match="a table has candidates in rows of the role 'search'"):
        Tabled(SCHEMA, table=str(tmp_path))


def test_the_mean_distance_is_that_of_all_pairs() -> None:
    codes = np.random.default_rng(0).random((9, 3))
    pairs = [np.abs(one - other).sum() for at, one in enumerate(codes) for other in codes[at + 1 :]]
    assert _mean_distance(codes) == pytest.approx(np.mean(pairs))


def _mean_edits(parent: Candidate, others: list[Candidate]) -> float:
    assert parent.architecture is not None
    found = [edit_distance(parent.architecture, one.architecture, steps=50) for one in others if one.architecture]
    return float(np.mean([(one.lower + one.upper) / 2 for one in found]))
