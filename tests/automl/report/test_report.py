from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from automl._errors import ExportError
from automl.report import write_report
from automl.report._page import masked
from evaluators import Objective, Trial
from tests.automl.report.studies import FLOPS, NE, RECORD, SCHEMA, baselines, failed, measured, own, search


def report(folder: Path, trials: list[Trial], objectives: tuple[Objective, ...] = (NE, FLOPS)) -> str:
    path = write_report(folder / "report.html", record=RECORD, trials=trials, objectives=objectives, schema=SCHEMA)
    return path.read_text(encoding="utf-8")


def figures(page: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="figure-(\w+)">(.*?)</script>', page)
    return {name: json.loads(content) for name, content in found}


def body(page: str) -> str:
    return page[page.index("<body>") : page.find("<script>")]


def test_the_report_is_one_file_that_asks_no_network_for_anything(tmp_path: Path) -> None:
    page = report(tmp_path, [*baselines(), *search()])
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", page)
    assert page.count("plotly.js v") == 1
    assert "default-src 'none'" in page
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_charts_cannot_be_sent_to_a_cloud(tmp_path: Path) -> None:
    assert 'showSendToCloud: false, plotlyServerURL: ""' in report(tmp_path, search(3))


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    assert report(tmp_path, search(5)) == report(tmp_path, search(5))


def test_all_figures_are_valid_for_plotly(tmp_path: Path) -> None:
    content = figures(report(tmp_path, [*baselines(), *search()]))
    assert sorted(content) == ["edits", "front", "ledger", "progress"]
    for figure in content.values():
        go.Figure(figure)


def test_the_page_has_every_section(tmp_path: Path) -> None:
    page = body(report(tmp_path, [*baselines(), *search()]))
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        "Quality against cost",
        "Progress of the search",
        "The front",
        "Baselines",
        "The winner, trial 82",
        "Where the winner comes from, and which edits have paid",
        "Failures",
        "Ledger",
        "Cost",
        "Provenance",
        "Settings",
    ]
    assert "<svg" in page


@pytest.mark.parametrize(
    ("trials", "objectives"),
    [
        ([], (NE, FLOPS)),
        ([failed(0), failed(1)], (NE, FLOPS)),
        (baselines(), (NE, FLOPS)),
        ([*baselines(), own(), measured(9, 0.9, 1e5)], (NE, FLOPS)),
        ([own(), failed(9)], (FLOPS, NE)),
        ([measured(0, 0.9, 1e5)], (NE,)),
        ([measured(0, 0.9, 1e5), measured(1, 0.9, 1e5)], (NE, FLOPS)),
        (search(8), (Objective("auc"), Objective("qps"))),
        (search(8), (NE, FLOPS, Objective("params"))),
        (search(8), (Objective("ne", bound=0.1), FLOPS)),
        (search(8), (Objective("flops"),)),
        ([replace(measured(0, 0.9, 1e5), evaluation=None)], (NE,)),
    ],
    ids=[
        "empty",
        "failed",
        "baselines",
        "own",
        "only",
        "single",
        "equal",
        "auc",
        "three",
        "infeasible",
        "flops",
        "unmeasured",
    ],
)
def test_a_report_survives_a_study_of_any_shape(
    tmp_path: Path, trials: list[Trial], objectives: tuple[Objective, ...]
) -> None:
    for figure in figures(report(tmp_path, trials, objectives)).values():
        go.Figure(figure)


def test_secrets_never_reach_the_page(tmp_path: Path) -> None:
    page = report(tmp_path, search(3))
    assert "hunter2" not in page
    assert "postgresql://reader:***@host/studies" in page


def test_secrets_are_masked_by_key_and_inside_urls() -> None:
    settings = {"api_key": "x", "tokens": 3, "nested": [{"password": "y"}, "https://a:b@host"], "seed": 1}
    assert masked(settings) == {
        "api_key": "***",
        "tokens": 3,
        "nested": [{"password": "***"}, "https://a:***@host"],
        "seed": 1,
    }


def test_names_that_look_like_markup_are_only_text(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    record = replace(RECORD, name=hostile)
    trials = [measured(0, 0.9, 1e5, origin=hostile), measured(1, 0.8, 2e5, origin=hostile)]
    path = write_report(tmp_path / "r.html", record=record, trials=trials, objectives=[NE, FLOPS], schema=None)
    assert "<script>alert" not in path.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_says_where_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ExportError, match=r"taken/report.html cannot be written .*name another place with --out"):
        report(tmp_path / "taken", [])
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
