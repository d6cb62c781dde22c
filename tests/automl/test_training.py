from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl import ExportError, Study
from automl.export import Winner, read_winner, write_winner
from automl.publishing import chosen_trial, winner
from automl.training import Training, described, spread, train_winner
from tests.automl.planted_study import planted_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    made = planted_study(tmp_path_factory.mktemp("training"), space={"name": "autoctr", "blocks": 2, "widths": [32]})
    made.optimize(3)
    return made


@pytest.fixture
def chosen(study: Study, tmp_path: Path) -> Winner:
    return read_winner(write_winner(tmp_path / "winner.yaml", winner(study, chosen_trial(study))))


def test_each_seed_gives_another_model(study: Study, chosen: Winner) -> None:
    rows = train_winner(chosen, study.config.data, Training(seeds=2))["seeds"]
    assert rows[0]["test_ne"] != rows[1]["test_ne"]


def test_the_same_seed_gives_the_same_numbers(study: Study, chosen: Winner) -> None:
    one, other = (train_winner(chosen, study.config.data, Training(seed=4))["spread"] for _ in range(2))
    assert one == other


def test_an_opening_of_the_test_part_is_counted(study: Study, chosen: Winner) -> None:
    first, second = (train_winner(chosen, study.config.data, Training())["test_openings"] for _ in range(2))
    assert second == first + 1


def test_weights_alone_leave_the_test_part_closed(study: Study, chosen: Winner, tmp_path: Path) -> None:
    before = train_winner(chosen, study.config.data, Training())["test_openings"]
    found = train_winner(chosen, study.config.data, Training(is_tested=False), weights=tmp_path / "w.safetensors")
    assert (found["test_openings"], (tmp_path / "w.safetensors").exists()) == (before, True)
    assert "test_ne" not in found["seeds"][0]


def test_data_with_other_fields_is_refused(study: Study, chosen: Winner) -> None:
    other = replace(chosen, schema=replace(chosen.schema, fields=chosen.schema.fields[1:]))
    with pytest.raises(ExportError, match="is trained on data with its own fields"):
        train_winner(other, study.config.data, Training())


def test_another_parameter_count_is_refused(study: Study, chosen: Winner) -> None:
    with pytest.raises(ExportError, match="the rebuilt model must have 17 parameters, but has"):
        train_winner(replace(chosen, parameters=17), study.config.data, Training())


def test_spread_is_the_mean_and_sample_deviation() -> None:
    assert spread([{"ne": 1.0}, {"ne": 2.0}, {"ne": 3.0}]) == {"ne": {"mean": 2.0, "sd": 1.0}}
    assert spread([{"ne": 1.0}])["ne"]["sd"] is None


def test_a_description_of_scores_needs_both_classes() -> None:
    scores, labels = np.array([0.9, 0.2]), np.array([1.0, 0.0], dtype=np.float32)
    assert described(scores, labels).startswith("ne 0.")
    assert described(scores, np.ones(2, dtype=np.float32)) == ""
