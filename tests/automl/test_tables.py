"""A study's tables are those that it began with, or it does not go on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl import Study, StudyError, load_study
from automl._tables import check_tables, table_digests
from automl.config import StudyConfig, parse_config
from tests.automl.planted_study import planted_study
from tests.evaluators.small_tables import entries, write_table

ROWS = "rate,ne\n0.1,0.9\n0.01,0.8\n0.3,0.7\n"


def begun(folder: Path) -> Study:
    """A study on the rows of a file, after its first trial."""
    (folder / "runs.csv").write_text(ROWS, encoding="utf-8")
    space = {"name": "table", "file": str(folder / "runs.csv"), "training": ["rate"]}
    study = planted_study(folder, space=space, searcher={"name": "random_search"})
    study.optimize(1)
    study.close()
    return study


def on_table(table: Path) -> StudyConfig:
    """The configuration of a race on the table of a folder."""
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "synthetic",
        "space": {"name": "tabled", "table": str(table)},
        "evaluator": {"name": "tabular", "table": str(table)},
    }
    return parse_config(content, source="a test")


def test_a_study_goes_on_with_the_table_it_began_with(tmp_path: Path) -> None:
    study = begun(tmp_path)
    resumed = load_study(study.name, storage=study.config.storage)
    resumed.optimize(1)
    assert len(resumed.trials) == 2
    resumed.close()


def test_a_table_that_has_changed_is_refused_with_rule_value_and_way_out(tmp_path: Path) -> None:
    study = begun(tmp_path)
    (tmp_path / "runs.csv").write_text(ROWS.replace("0.3", "0.4"), encoding="utf-8")
    resumed = load_study(study.name, storage=study.config.storage)
    message = (
        r"a study goes on with the tables it began with \(space\.file with digest [0-9a-f]{64}\), but "
        + re.escape(str(tmp_path / "runs.csv"))
        + " has [0-9a-f]{64}; restore the file, or start a new study"
    )
    with pytest.raises(StudyError, match=message):
        resumed.optimize(1)
    assert len(resumed.trials) == 1
    resumed.close()


def test_a_study_of_an_earlier_release_goes_on_unchecked(tmp_path: Path) -> None:
    check_tables({}, on_table(write_table(tmp_path, entries(4))))


def test_a_study_without_tables_records_none(tmp_path: Path) -> None:
    study = planted_study(tmp_path)
    assert "tables" not in study.record.facts
    study.close()


def test_of_a_folder_trainings_and_facts_count_and_nothing_else(tmp_path: Path) -> None:
    config = on_table(write_table(tmp_path, entries(4)))
    known = table_digests(config)
    assert set(known) == {"space.table", "evaluator.table"}
    (tmp_path / "notes.txt").write_text("anything", encoding="utf-8")
    assert table_digests(config) == known
    with (tmp_path / "table.json").open("a", encoding="utf-8") as facts:
        facts.write(" ")
    with pytest.raises(StudyError, match=r"\(space\.table with digest"):
        check_tables(known, config)


def test_a_table_that_has_moved_is_the_same_one(tmp_path: Path) -> None:
    here, there = (on_table(write_table(tmp_path / name, entries(4))) for name in ("here", "there"))
    check_tables(table_digests(here), there)


def test_a_table_that_is_not_there_is_left_to_who_reads_it(tmp_path: Path) -> None:
    assert table_digests(on_table(tmp_path / "nowhere")) == {}
