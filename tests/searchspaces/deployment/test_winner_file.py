"""A winner's tables and dense part are those of its closed form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from searchspaces import Architecture, Node, Options, SpaceError
from searchspaces.cost import cost
from searchspaces.deployment.winner_file import KIND, model_of, read_winner_file
from tests.searchspaces.graphs import schema

FIELDS = schema(numeric=3, categorical=2, vocabulary=1_000)


def architecture(block: str, **options: object) -> Architecture:
    return Architecture(
        (
            Node("numeric", ()),
            Node(block, (), Options(options)),
            Node("mlp", (0, 1), Options(width=32)),
            Node("logit", (2,)),
        )
    )


def test_every_field_of_a_full_source_is_a_table() -> None:
    made = architecture("full", dim=16)
    found = model_of(made, FIELDS)
    sizes = [field.vocabulary_size for field in FIELDS.categorical]
    assert [(table.rows, table.dim) for table in found.tables] == [(size, 16) for size in sizes]
    assert found.dense_macs == cost(made, FIELDS).macs
    assert found.dense_parameters == cost(made, FIELDS).parameters - 16 * sum(sizes)
    assert found.numeric == 3


def test_a_compressed_source_keeps_its_bytes() -> None:
    made = architecture("quotient_remainder", dim=16, collisions=4, operation="mult", threshold=1)
    found = model_of(made, FIELDS)
    assert found.table_weights * 4 == pytest.approx(cost(made, FIELDS).embedding_bytes, rel=0.01)


def test_a_winner_file_is_read_with_its_cap(tmp_path: Path) -> None:
    content = {
        "kind": KIND,
        "schema": FIELDS.to_dict(),
        "architecture": architecture("full", dim=16).to_dict(),
        "training": {"hash_cap": 100},
    }
    file = tmp_path / "winner.yaml"
    file.write_text(json.dumps(content), encoding="utf-8")
    assert [table.rows for table in read_winner_file(file).tables] == [100, 100]


def test_a_model_without_ids_is_refused() -> None:
    made = Architecture((Node("numeric", ()), Node("logit", (0,))))
    with pytest.raises(SpaceError, match="no source of this architecture has one"):
        model_of(made, FIELDS)


def test_a_file_whose_architecture_is_broken_is_told(tmp_path: Path) -> None:
    file = tmp_path / "winner.yaml"
    file.write_text(json.dumps({"kind": KIND, "schema": FIELDS.to_dict()}), encoding="utf-8")
    with pytest.raises(SpaceError, match="cannot be laid out on a cluster"):
        read_winner_file(file)
