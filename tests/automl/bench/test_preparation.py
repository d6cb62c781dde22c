"""The benchmark of preparing: its generator, its figures, and that it goes on where it stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from automl._errors import AutomlError
from automl.bench import _criteo_file, preparation
from automl.bench._criteo_file import write_criteo_file
from automl.bench._one_pass import one_pass
from automl.bench.preparation import Watched, watched
from evaluators._datasets import prepare


def written(path: Path, rows: int, seed: int = 1) -> list[list[str]]:
    write_criteo_file(path, rows, seed=seed)
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_generated_lines_have_the_published_form(tmp_path: Path) -> None:
    lines = written(tmp_path / "train.txt", 500)
    assert {len(line) for line in lines} == {40}
    assert {line[0] for line in lines} == {"0", "1"}
    assert all(len(value) in (0, 8) for line in lines for value in line[14:])
    assert any(not line[1] for line in lines)
    assert any(not line[15] for line in lines)


def test_a_block_of_lines_depends_on_the_seed_and_its_number_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_criteo_file, "BLOCK_ROWS", 100)
    long, short = written(tmp_path / "a", 300), written(tmp_path / "b", 200)
    assert long[:200] == short
    assert written(tmp_path / "c", 200, seed=2) != short


def test_ranks_are_a_power_law_within_their_number() -> None:
    ranks = _criteo_file._zipf(np.random.default_rng(0), 10**7, 200_000)
    assert 0 <= ranks.min() <= ranks.max() < 10**7
    assert len(np.unique(ranks)) > 20_000
    first, second = np.bincount(ranks, minlength=2)[:2]
    assert first / second > 1.5


def test_the_small_model_learns_what_was_planted(tmp_path: Path) -> None:
    write_criteo_file(tmp_path / "train.txt", 3000, seed=0)
    data = prepare("criteo", copy=tmp_path / "train.txt", out=tmp_path / "data", minimum_count=2)
    assert one_pass(data.folder, 2000) < 2.0


def test_a_watched_command_is_charged_with_its_memory_and_time() -> None:
    found = watched([sys.executable, "-c", "import time; kept = bytearray(80 << 20); time.sleep(0.5)"])
    assert 80 << 20 <= found.peak_bytes < 400 << 20
    assert found.cpu_seconds > 0
    assert found.wall_seconds > 0


def test_a_watched_command_that_fails_is_named() -> None:
    with pytest.raises(AutomlError, match=r"must succeed, but .* ended with 3; run it alone to see why"):
        watched([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands are noted and not run; what they would write is there."""
    commands: list[str] = []

    def watch(command: list[str]) -> Watched:
        commands.append(command[2])
        if "--out" in command:
            out = Path(command[-1])
            out.mkdir()
            (out / "schema.json").write_text(json.dumps({"fields": [{"vocabulary_size": 7}, {}]}))
        return Watched(300 << 20, 200 << 20, 4.0, 5.0)

    monkeypatch.setattr(preparation, "watched", watch)
    return commands


def test_figures_that_are_there_are_not_taken_again(tmp_path: Path, instant: list[str]) -> None:
    kept = tmp_path / "preparation.json"
    preparation.preparation([2000], kept=kept, folder=tmp_path)
    found = preparation.preparation([1000, 2000], kept=kept, folder=tmp_path)
    assert instant == ["automl", "automl.bench._one_pass"] * 2
    assert list(found["rows"]) == ["1000", "2000"]
    assert json.loads(kept.read_text()) == found
    assert (found["rows"]["2000"]["ids"], found["rows"]["2000"]["prepare"]["peak_mib"]) == (7, 300)
    assert found["rows"]["2000"]["prepare"]["cpu_seconds_per_million_rows"] == 2000.0


def test_what_was_generated_is_removed(tmp_path: Path, instant: list[str]) -> None:
    preparation.preparation([1000], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_figures_of_another_seed_are_not_mixed_in(tmp_path: Path, instant: list[str]) -> None:
    kept = tmp_path / "preparation.json"
    preparation.preparation([1000], kept=kept, folder=tmp_path)
    with pytest.raises(AutomlError, match=r"have one seed, but .* is of 1 and 2 was asked for; name another file"):
        preparation.preparation([1000], kept=kept, folder=tmp_path, seed=2)
