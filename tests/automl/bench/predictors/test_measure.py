from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.bench.predictors.measure import Plan, PlanError, built, predictors
from automl.bench.predictors.pool import Pool, pool_of_file, pool_of_table
from automl.bench.trial_files.source import Source
from evaluators import Goal
from predictors.wl_gp import WLGP
from searchspaces import PluginError
from tests.automl.bench.predictors.files import jsonl, rows
from tests.evaluators.small_tables import entries, write_table

FEW = "forest:trees=20"


def pool(folder: Path, **asked: Any) -> Pool:
    return pool_of_file(Source(jsonl(folder, rows()), "auc", **asked))


def plan(**options: Any) -> Plan:
    return Plan(**{"train": (10, 25), "repeats": 2, "predictors": (FEW, "lambdarank"), **options})


def measured(known: Pool, asked: Plan, kept: Path | None = None) -> dict[str, Any]:
    return list(predictors(known, asked, kept=kept))[-1]


def taus(found: dict[str, Any]) -> list[float]:
    return [row["tau"] for row in found["predictors"]]


def test_each_predictor_has_a_row_for_each_size(tmp_path: Path) -> None:
    found = measured(pool(tmp_path), plan())
    assert [(row["predictor"], row["train"], row["repeats"]) for row in found["predictors"]] == [
        (FEW, 10, 2),
        (FEW, 25, 2),
        ("lambdarank", 10, 2),
        ("lambdarank", 25, 2),
    ]
    assert found["goal"] == "maximize"
    assert found["held_out"] == found["rows"]["candidates"] - 25


def test_a_predictor_gets_the_schema_of_a_table_as_that_of_a_study(tmp_path: Path) -> None:
    known = pool_of_table(write_table(tmp_path / "t", entries(12)), "ne")
    found = built("wl_gp:trees=false", known.space, known.schema)
    assert isinstance(found, WLGP)
    assert found._views._schema is known.schema is not None
    assert built("lambdarank", known.space, known.schema) is not None


def test_figures_are_means_of_the_repeats(tmp_path: Path) -> None:
    found = measured(pool(tmp_path), plan(repeats=3))
    own = [one["tau"] for one in found["samples"] if (one["predictor"], one["train"]) == (FEW, 25)]
    row = next(row for row in found["predictors"] if (row["predictor"], row["train"]) == (FEW, 25))
    assert row["tau"] == pytest.approx(np.mean(own))
    assert row["tau_stderr"] == pytest.approx(np.std(own, ddof=1) / 3**0.5)


def test_an_order_that_settings_explain_is_found_and_more_trials_help(tmp_path: Path) -> None:
    few, many = measured(pool(tmp_path), plan(predictors=("forest",), repeats=4))["predictors"]
    assert 0.2 < few["tau"] < many["tau"]
    assert 0 <= many["regret"] < 0.01


def test_the_wrong_goal_leaves_the_worst_to_be_named(tmp_path: Path) -> None:
    asked = plan(predictors=("forest",), train=(25,))
    up, down = (measured(pool(tmp_path, goal=goal), asked) for goal in (Goal.MAXIMIZE, Goal.MINIMIZE))
    assert up["goal"] != down["goal"]
    assert up["predictors"][0]["tau"] == pytest.approx(down["predictors"][0]["tau"], abs=0.1)


def test_what_is_kept_is_not_measured_again(tmp_path: Path) -> None:
    known, kept = pool(tmp_path), tmp_path / "kept.json"
    first = measured(known, plan(repeats=1))
    kept.write_text(json.dumps(first), encoding="utf-8")
    more = list(predictors(known, plan(repeats=2), kept=kept))
    assert len(more) == 1
    assert more[0]["samples"][: len(first["samples"])] == first["samples"]
    assert taus(more[0]) == taus(measured(known, plan(repeats=2)))


def test_figures_of_another_question_are_not_taken_over(tmp_path: Path) -> None:
    kept, asked = tmp_path / "kept.json", plan(train=(15,), repeats=1)
    first = measured(pool(tmp_path), asked)
    kept.write_text(json.dumps(first), encoding="utf-8")
    other = pool(tmp_path, exclude=("settings.rate",))
    assert taus(measured(other, asked, kept)) == taus(measured(other, asked)) != taus(first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": (55,)}, "10 candidates must be held out, but .* take smaller --train"),
        ({"train": (3,)}, "train on at least 4 trials"),
        ({"predictors": ("forest:trees",)}, "options are written as name:option=value"),
        ({"predictors": ("forest:leaves=3",)}, "options must be those of the predictor"),
    ],
)
def test_plans_that_do_not_go_together_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        measured(pool(tmp_path), plan(**options))


def test_a_predictor_that_does_not_exist_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no 'forrest' in predictors; did you mean 'forest'"):
        next(predictors(pool(tmp_path), plan(predictors=("lambdarank", "forrest"))))
