"""What a report tells of training systems: all objectives of the front, its settings, and the terms of a step."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from automl.report import _words, write_report
from automl.report._candidate_tables import front_table, same_settings, system_table
from automl.report._front_figure import front_figure
from automl.report._step_table import step_table
from automl.report._view import View, look_at
from evaluators import Objective, Trial
from evaluators._codesign.step import ORIGINS
from searchspaces import Candidate, Options
from tests.automl.report.studies import FLOPS, NE, RECORD, architecture, baselines, laid_out, measured, search

SPEED = Objective("examples_per_second")
PRICE = Objective("dollars_per_billion_examples")
MEMORY = Objective("peak_memory_bytes")
ASKED = (SPEED, PRICE, MEMORY)


def systems() -> list[Trial]:
    """Three on the front of speed and memory, and one that is worse than the first in everything."""
    settings = {"hosts": 2, "compiled": True}
    return [
        laid_out(0, 4e6, dense="ddp", **settings, **{"sharding.user": "row", "sharding.item": "table"}),
        laid_out(3, 8e6, dense="fsdp", **settings, **{"sharding.user": "row", "sharding.item": "row"}),
        laid_out(6, 9e6, dense="fsdp", sync_interval=4, **settings, **{"sharding.user": "row", "sharding.item": "row"}),
        laid_out(7, 3e6, dense="ddp", **settings, **{"sharding.user": "row", "sharding.item": "table"}),
    ]


def seen(*objectives: Objective) -> View:
    return look_at(systems(), objectives or ASKED)


def test_the_front_table_has_all_objectives_of_the_study_and_no_empty_columns() -> None:
    table = front_table(seen())
    asked = ("Training examples/s", "Dollars a billion examples", "Peak memory (bytes)")
    assert table.headings == ("Trial", *asked, "Seconds")
    assert table.rows[0] == ("6", "9.00 M", "0.11", "64.0 G", "0.0")


def test_an_objective_that_nobody_knows_has_its_column_all_the_same() -> None:
    own = Objective("kilowatts", "minimize")  # type: ignore[arg-type]
    view = replace(look_at([measured(3, 0.9, 1e5)], [NE, own]), front=(measured(3, 0.9, 1e5),))
    table = front_table(view)
    assert table.headings[:3] == ("Trial", "NE", "Kilowatts")
    assert table.rows[0][2] == "\N{EN DASH}"


def test_settings_of_the_front_are_told_where_they_differ_and_those_of_tables_in_one() -> None:
    table = system_table(seen())
    assert table.headings == ("Trial", "dense", "sharding", "sync interval")
    assert table.rows == (
        ("6", "fsdp", "item row, user row", "4"),
        ("3", "fsdp", "item row, user row", "\N{EN DASH}"),
        ("0", "ddp", "item table, user row", "\N{EN DASH}"),
    )
    assert same_settings(seen()) == "The same in all: compiled yes; hosts 2."


def test_a_front_of_one_has_its_settings_in_the_sentence() -> None:
    view = seen(SPEED)
    assert system_table(view).rows == ()
    assert same_settings(view).startswith("The same in all: compiled yes; dense fsdp; hosts 2; sharding item row")
    assert same_settings(look_at([measured(3, 0.9, 1e5)], [NE])) == ""


def test_every_term_of_the_step_says_whether_it_is_fitted() -> None:
    table = step_table(seen())
    assert [row[:4] for row in table.rows] == [
        ("latency", "formula only", "3.000", "75.0 %"),
        ("dense", "fitted", "1.000", "25.0 %"),
    ]
    assert {row[1] for row in table.rows} <= {origin.value for origin in ORIGINS.values()}
    assert table.headings[2] == "Trial 6 (ms)"


def test_there_are_no_terms_where_nothing_predicts_them() -> None:
    assert step_table(look_at(search(3), [NE, FLOPS])).rows == ()
    assert step_table(look_at([], [NE])).rows == ()


def test_a_third_objective_is_a_colour_with_its_name_on_the_scale() -> None:
    figure = front_figure(seen())
    assert figure is not None
    behind, front, _ = figure.content["data"]
    assert front["marker"]["colorbar"]["title"]["text"] == "peak memory (bytes) (lower is better), log scale"
    assert front["marker"]["color"] == pytest.approx([9 + 0.30103 * (one % 7) for one in (6, 3, 0)], abs=1e-5)
    assert behind["marker"]["showscale"] is False
    assert (behind["marker"]["cmin"], behind["marker"]["cmax"]) == (front["marker"]["cmin"], front["marker"]["cmax"])
    assert "Colours: peak memory (bytes)" in figure.note
    go.Figure(figure.content)


def test_two_objectives_need_no_colours() -> None:
    figure = front_figure(seen(SPEED, PRICE))
    assert figure is not None
    assert all("colorbar" not in trace["marker"] for trace in figure.content["data"])
    assert "Colours" not in figure.note


def test_what_cannot_be_drawn_is_named() -> None:
    figure = front_figure(look_at([*baselines(), *search(20)], [NE, FLOPS, Objective("params"), Objective("auc")]))
    assert figure is not None
    assert "Not drawn: AUC; see the table." in figure.note


def test_a_third_objective_that_never_differs_has_one_tick() -> None:
    figure = front_figure(look_at(search(5), [NE, FLOPS, Objective("embedding_bytes")]))
    assert figure is not None
    assert figure.content["data"][1]["marker"]["colorbar"]["ticktext"] == ["7.30 M"]


def test_the_words_are_those_of_systems() -> None:
    assert _words.kind(seen()) == "training system"
    assert (
        _words.front_title(seen()) == "Training examples/s against dollars a billion examples and peak memory (bytes)"
    )
    assert _words.reminder(seen()) == ""
    joint = Candidate(architecture(), system=Options(hosts=2))
    composed = [replace(one, suggestion=replace(one.suggestion, candidate=joint)) for one in systems()]
    assert _words.kind(look_at(composed, ASKED)) == "architecture and system"
    assert _words.kind(look_at(search(3), [NE])) == "architecture"


def test_the_page_of_systems_has_their_sections(tmp_path: Path) -> None:
    path = write_report(tmp_path / "r.html", record=RECORD, trials=systems(), objectives=ASKED, schema=None)
    page = path.read_text(encoding="utf-8")
    headings = re.findall(r"<h[23]>(.*?)</h[23]>", page)
    assert {"Its systems", "Which knobs matter", "Seconds of a step"} <= set(headings)
    assert "Training system search report" in page
    assert "Too few trials to tell: 4 are complete" in page
    assert "<td>formula only</td>" in page
