"""The space of a table's rows: what it reads, and how it moves among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from searchspaces import Architecture, Candidate, CandidateError, Node, Options, SpaceError, zoo
from searchspaces.spaces.table import Table
from tests.searchspaces.graphs import relabelled, schema, with_output

FIELDS = schema(numeric=2, categorical=3)


def mlp(width: int) -> Candidate:
    return Candidate(with_output(Node("numeric"), Node("mlp", (0,), Options(width=width))))


def table(folder: Path, *rows: dict[str, Any], **options: Any) -> Table:
    file = folder / "trials.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return Table(FIELDS, file=str(file), **options)


def widths(folder: Path, *known: int) -> Table:
    return table(folder, *({"candidate": mlp(width).to_dict()} for width in known))


def test_rows_are_numbered_as_the_file_first_names_them(tmp_path: Path) -> None:
    space = widths(tmp_path, 8, 16, 8, 32)
    assert [one.choices for one in space.decisions()] == [(0, 1, 2)]
    assert space.to_candidate({"row": 2}).fingerprint == mlp(32).fingerprint
    assert space.to_assignment(mlp(16)) == {"row": 1}


def test_the_trackers_file_is_a_table_and_only_its_finished_trials_count(tmp_path: Path) -> None:
    trials = [
        {"state": state, "suggestion": {"candidate": mlp(width).to_dict(), "replicate": 0}}
        for state, width in (("COMPLETE", 8), ("FAIL", 16), ("COMPLETE", 32))
    ]
    space = table(tmp_path, {"study": "u", "entry": "e"}, *trials, {"tags": {"0": {}}})
    assert space.decisions()[0].choices == (0, 1)
    space.validate(mlp(8))
    with pytest.raises(CandidateError, match="a table of 2 candidates, and v1:"):
        space.validate(mlp(16))


def test_flat_settings_come_from_csv(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("rate,batch,kind,ne\n0.1,64,adam,0.9\n0.01,64,,0.8\n", encoding="utf-8")
    space = Table(FIELDS, file=str(tmp_path / "runs.csv"), training=["rate", "kind"], system=["batch"])
    first, second = space.to_candidate({"row": 0}), space.to_candidate({"row": 1})
    assert (first.training, first.system) == (Options(rate=0.1, kind="adam"), Options(batch=64))
    assert second.training == Options(rate=0.01)


def test_candidates_come_from_parquet_as_json_text(tmp_path: Path) -> None:
    texts = [json.dumps(mlp(width).to_dict()) for width in (8, 16)]
    parquet.write_table(pa.table({"candidate": texts, "ne": [0.9, 0.8]}), tmp_path / "trials.parquet")
    space = Table(FIELDS, file=str(tmp_path / "trials.parquet"))
    space.validate(mlp(16))


def test_a_row_that_the_file_wrote_in_another_order_is_the_same(tmp_path: Path) -> None:
    found = [zoo(name, FIELDS) for name in ("deepfm", "dcnv2")]
    space = table(tmp_path, *({"candidate": one.to_dict()} for one in found))
    assert found[0].architecture
    assert space.to_assignment(Candidate(relabelled(found[0].architecture, 4))) == {"row": 0}


def test_a_mutation_goes_to_near_rows_first_and_reaches_all(tmp_path: Path) -> None:
    # Settings are numbers on a line, so that near rows are those of near rates.
    space = table(tmp_path, *({"rate": rate} for rate in range(40)), training=["rate"])
    rng, parent = np.random.default_rng(0), space.to_candidate({"row": 0})
    steps = [int(space.to_assignment(space.mutate(parent, rng))["row"]) for _ in range(2000)]
    assert min(steps) == 1
    assert 6 < np.mean(steps) < 9
    assert max(steps) == 39


def test_a_child_lies_between_its_parents(tmp_path: Path) -> None:
    rows = [{"a": a, "b": b} for a in range(5) for b in range(5)]
    space = table(tmp_path, *rows, training=["a", "b"])
    rng = np.random.default_rng(1)
    corner, opposite = space.to_candidate({"row": 0}), space.to_candidate({"row": 24})
    children = [space.crossover(corner, opposite, rng).training.to_dict() for _ in range(40)]
    assert {"a": 0, "b": 4} in children
    assert {"a": 4, "b": 0} in children
    assert {"a": 0, "b": 0} not in children


def test_codes_leave_out_what_all_rows_share_and_go_from_zero_to_one(tmp_path: Path) -> None:
    space = table(tmp_path, *({"rate": rate, "same": 3} for rate in (1, 2, 5)), training=["rate", "same"])
    codes = [space.encode(space.to_candidate({"row": at})).tolist() for at in range(3)]
    assert codes == [[0.0], [0.25], [1.0]]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.txt", "", "must end in one of .csv, .jsonl, .parquet"),
        ("t.jsonl", "{", "but .*t.jsonl cannot"),
        ("t.parquet", "no", "but .*t.parquet cannot"),
        ("t.csv", "ne,auc\n1,2\n", r"has none of them \(its columns: ne, auc\)"),
        ("t.jsonl", '{"candidate": "{"}', "row 1 of .* has a malformed candidate"),
        ("t.jsonl", '{"candidate": 3}', "a candidate must be an object, but is int"),
        ("t.jsonl", '{"candidate": {"training": [1]}}', "row 1 of .* has a malformed candidate"),
        ("t.jsonl", json.dumps({"candidate": mlp(8).to_dict()}), "needs two different candidates"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SpaceError, match=message):
        Table(FIELDS, file=str(tmp_path / name))


def test_a_missing_file_and_a_foreign_schema_are_told(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"but .*absent\.csv cannot"):
        Table(FIELDS, file=str(tmp_path / "absent.csv"))
    bad = Candidate(Architecture((Node("numeric"), Node("fm", (0,)))))
    with pytest.raises(SpaceError, match=r"candidate 1 of .* does not fit the fields of the data"):
        table(tmp_path, {"candidate": mlp(8).to_dict()}, {"candidate": bad.to_dict()})


def test_a_row_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(CandidateError, match="'row' must be a row from 0 to 1, but is 2"):
        widths(tmp_path, 8, 16).to_candidate({"row": 2})
