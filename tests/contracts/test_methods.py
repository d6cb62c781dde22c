"""What every method promises, asked of each file in the room."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from automl import plugins
from automl._checkpoint import Advance, Checkpoint
from automl._errors import ConfigError
from automl._method import Method, ScoresCandidates
from evaluators import Objective
from searchspaces import Candidate, SearchSpace, plugin_names, zoo
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, write_small_data

NAMES = plugin_names("automl.methods")
SPACE = AutoCTR(SCHEMA, blocks=2, widths=(4, 8), embedding_dim=4)
OPTIONS: dict[str, dict[str, Any]] = {
    "dnas": {
        "rows": 120,
        "batch_size": 20,
        "asked_rows": 20,
        "weight_slice": 2,
        "forks": 2,
        "candidates": 4,
        "keep": 3,
        "calibration_rows": 40,
        "evaluation_rows": 60,
        "device": "cpu",
    },
    "one_shot": {
        "rows": 120,
        "batch_size": 20,
        "candidates": 4,
        "keep": 3,
        "calibration_rows": 40,
        "evaluation_rows": 60,
        "device": "cpu",
    },
}
"""So that a run takes a fraction of a second."""

every_method = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small", rows=200).folder


def build(name: str, data: Path, *, seed: int = 1, space: SearchSpace = SPACE, **options: Any) -> Method:
    context = {
        "space": space,
        "schema": SCHEMA,
        "objectives": (Objective("ne"), Objective("flops")),
        "dataset": data,
        "study_seed": seed,
        "controls": (zoo("deepfm", SCHEMA),),
        "budget_rows": None,
    }
    method: Method = plugins.construct("method", {"name": name, **OPTIONS[name], **options}, context)
    return method


class Systems(AutoCTR):
    """Says that it has no models."""

    has_models = False


@every_method
def test_a_space_without_models_is_refused(name: str, data: Path) -> None:
    with pytest.raises(ConfigError, match="a supernet is of models, but the space has ways to train one"):
        build(name, data, space=Systems(SCHEMA))


def read_out(method: Method, folder: Path, **hooks: Any) -> list[str]:
    return [one.fingerprint for one in method.run(Checkpoint(folder, **hooks))]


def after(calls: int) -> Callable[[], bool]:
    """Says no so often, then yes for ever."""
    asked = iter(range(calls))
    return lambda: next(asked, None) is None


@dataclass(frozen=True)
class Whole:
    """A run from beginning to end, which many tests look at."""

    folder: Path
    found: list[Candidate]
    told: list[Advance]

    @property
    def work(self) -> dict[str, tuple[int, int]]:
        return work_in(self.folder)


@pytest.fixture(scope="module")
def whole_runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Whole]:
    @cache
    def run(name: str) -> Whole:
        folder, told = tmp_path_factory.mktemp(name), list[Advance]()
        return Whole(folder, list(build(name, data).run(Checkpoint(folder, tell=told.append))), told)

    return run


@pytest.fixture
def whole(name: str, whole_runs: Callable[[str], Whole]) -> Whole:
    return whole_runs(name)


@every_method
def test_the_same_seed_gives_the_same_read_out(name: str, data: Path, tmp_path: Path, whole: Whole) -> None:
    assert read_out(build(name, data), tmp_path) == [one.fingerprint for one in whole.found]


@every_method
def test_what_is_read_out_is_in_the_space_and_never_twice(whole: Whole) -> None:
    assert whole.found
    for one in whole.found:
        SPACE.validate(one)
    assert len({one.fingerprint for one in whole.found}) == len(whole.found)


@every_method
def test_a_run_that_was_stopped_again_and_again_ends_where_another_does(
    name: str, data: Path, tmp_path: Path, whole: Whole
) -> None:
    found, begun = list[str](), 0
    while not found and begun < 20:
        begun += 1
        found = read_out(build(name, data), tmp_path, is_stopped=after(5))
    assert begun > 2
    assert found == [one.fingerprint for one in whole.found]
    assert work_in(tmp_path) == whole.work


@every_method
def test_a_run_that_has_ended_reads_out_again_without_work(name: str, data: Path, tmp_path: Path, whole: Whole) -> None:
    shutil.copytree(whole.folder, tmp_path, dirs_exist_ok=True)
    assert read_out(build(name, data), tmp_path) == [one.fingerprint for one in whole.found]
    assert work_in(tmp_path) == whole.work


@every_method
def test_it_tells_its_rows_and_how_far_it_is(name: str, whole: Whole) -> None:
    accounts = Checkpoint(whole.folder).accounts
    assert accounts["training"].rows >= OPTIONS[name]["rows"]
    assert all(one.steps > 0 and one.seconds > 0.0 and one.peak_bytes > 0 for one in accounts.values())
    assert "training" in {one.phase for one in whole.told}
    for phase in {one.phase for one in whole.told}:
        done = [one.done for one in whole.told if one.phase == phase]
        assert done == sorted(done)
    assert all(0 < one.done <= one.total for one in whole.told)


@every_method
def test_another_seed_is_another_run(name: str, data: Path, whole: Whole) -> None:
    with pytest.raises(ValueError, match="differs in seed"):
        read_out(build(name, data, seed=2), whole.folder)


@every_method
def test_a_wrong_option_is_told_before_a_study_begins(name: str) -> None:
    [unknown] = plugins.mistakes("method", {"name": name, **OPTIONS[name], "rowz": 3}, "method")
    [ill_typed] = plugins.mistakes("method", {"name": name, **OPTIONS[name], "rows": "many"}, "method")
    assert "method.rowz: unknown option; did you mean 'rows'?" in unknown
    assert "method.rows: input should be a valid integer" in ill_typed


@every_method
def test_its_options_are_documented(name: str) -> None:
    plugin = plugins.load("method", name)
    options = set(inspect.signature(plugin).parameters) - plugins.INJECTED
    assert [one for one in sorted(options) if one not in (plugin.__doc__ or "")] == []


@every_method
def test_a_method_that_scores_says_what_it_thinks_of_others(
    name: str, data: Path, tmp_path: Path, whole: Whole
) -> None:
    method = build(name, data)
    if not isinstance(method, ScoresCandidates):
        pytest.skip("it does not score")
    one, other = method.scores(Checkpoint(whole.folder), [whole.found[0], Candidate()])
    assert one is not None
    assert one > 0.0
    assert other is None
    with pytest.raises(ValueError, match="holds none"):
        method.scores(Checkpoint(tmp_path / "empty"), whole.found)


def work_in(folder: Path) -> dict[str, tuple[int, int]]:
    return {phase: (one.steps, one.rows) for phase, one in Checkpoint(folder).accounts.items()}
