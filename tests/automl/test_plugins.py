from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from automl import ConfigError, plugins
from evaluators import Objective
from predictors import PredictorError
from searchspaces import FeatureSchema, Field, Kind, PluginError

SCHEMA = FeatureSchema((Field("price", Kind.NUMERIC), Field("user", Kind.CATEGORICAL, 9)))


def _space() -> Any:
    return plugins.construct("space", {"name": "autoctr", "blocks": 2}, {"schema": SCHEMA})


def test_every_room_lists_its_plugins() -> None:
    assert {kind: bool(plugins.names(kind)) for kind in plugins.ROOMS} == dict.fromkeys(plugins.ROOMS, True)


@pytest.mark.parametrize("kind", plugins.ROOMS)
def test_every_listed_plugin_loads(kind: str) -> None:
    assert all(isinstance(plugins.load(kind, name), type) for name in plugins.names(kind))


def test_options_reach_the_constructor() -> None:
    assert len(_space().decisions()) == 9  # two blocks of operator, two groups and width, and one edge between them
    assert plugins.construct("evaluator", {"name": "planted", "noise": "1e-3"}, _context()).noise == 0.001


def _context() -> dict[str, object]:
    return {"space": _space(), "schema": SCHEMA, "objectives": (Objective("ne"),), "study_seed": 1}


def test_a_plugin_may_be_an_option_of_another() -> None:
    def searcher(rounds: int) -> Any:
        guide = {"name": "lambdarank", "rounds": rounds}
        return plugins.construct("searcher", {"name": "autoctr", "guide": guide}, _context())

    assert searcher(7).ask(1, np.random.default_rng(1))
    with pytest.raises(PredictorError, match=r"rounds.*-7"):
        searcher(-7)


def test_mistakes_of_a_nested_plugin_have_their_place() -> None:
    [mistake] = plugins.mistakes("searcher", {"name": "autoctr", "guide": {"name": "lambdarnk"}}, "searcher")
    assert mistake.startswith("searcher.guide.name: no 'lambdarnk' in predictors; did you mean 'lambdarank'?")


def test_a_nested_plugin_must_be_a_mapping() -> None:
    [mistake] = plugins.mistakes("searcher", {"name": "autoctr", "guide": 3}, "searcher")
    assert mistake == "searcher.guide: must look like {name: ...}, but is 3"


def test_what_a_study_injects_is_no_option() -> None:
    [mistake] = plugins.mistakes("searcher", {"name": "autoctr", "space": 3}, "searcher")
    assert mistake.startswith("searcher.space: unknown option")


def test_a_required_option_is_asked_for() -> None:
    assert plugins.mistakes("tracker", {"name": "jsonl"}, "tracker") == ["tracker.path: is required"]


def test_a_section_needs_a_name() -> None:
    [mistake] = plugins.mistakes("tracker", {}, "tracker")
    assert mistake == "tracker: needs a 'name', one of jsonl, mlflow"


def test_an_unknown_plugin_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PluginError, match=r"no 'sql2' in storage\.stores"):
        plugins.load("store", "sql2")


def test_construct_refuses_what_mistakes_finds() -> None:
    with pytest.raises(ConfigError, match="the evaluator 'planted' has one mistake"):
        plugins.construct("evaluator", {"name": "planted", "noize": 1}, _context())


def test_every_plugin_says_in_one_line_what_it_is() -> None:
    told = {(kind, name): plugins.summary(kind, name) for kind in plugins.ROOMS for name in plugins.names(kind)}
    assert [plugin for plugin, line in told.items() if not line] == []
    assert told["store", "sql"]  # a folder
    assert told["tracker", "mlflow"]  # a name that its module must not have


def test_saying_what_a_plugin_is_does_not_load_it() -> None:
    lines = ("import sys", "from automl.plugins import summary", "print(summary('searcher', 'tpe'))")
    code = "; ".join((*lines, "print('optuna' in sys.modules)"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "False"
