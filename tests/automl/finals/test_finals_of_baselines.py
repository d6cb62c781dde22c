"""Finals with trees and without a search on tiny data: a network and LightGBM, two seeds, in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl import Study, StudyError
from automl.finals import Plan, finals, lines, table_rows
from automl.training import held_out_part
from automl.validation import prepare
from evaluators._datasets import Part
from evaluators._training.metrics import quality
from evaluators._trees.final import FinalTrees, train_final_trees
from searchspaces import zoo
from tests.automl.cli_runs import run_cli
from tests.automl.finals.test_entrants import TREES, tuned
from tests.automl.planted_study import planted_study

PLAN: dict[str, Any] = {"top": 1, "seeds": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A study that has two tuned baselines and nothing else."""
    made = planted_study(tmp_path_factory.mktemp("baselines"), "human")
    tuned(made, TREES, ("zoo:logistic_regression", zoo("logistic_regression", made.wiring.dataset.schema)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def kept(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of finals that have run to their end."""
    folder = tmp_path_factory.mktemp("kept")
    finals(study, Plan(folder, **PLAN))
    return folder


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds under which trees are grown from now on."""
    seeds: list[int] = []

    def counting(*args: Any, seed: int) -> FinalTrees:
        seeds.append(seed)
        return train_final_trees(*args, seed=seed)

    monkeypatch.setattr("evaluators._trees.final.train_final_trees", counting)
    return seeds


def found_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "finals.json").read_text())
    return found


def test_trees_stand_among_the_baselines_with_the_figures_of_their_kept_logits(study: Study, kept: Path) -> None:
    [trees] = [one for one in found_in(kept)["entrants"] if one["name"] == "lightgbm, tuned"]
    labels = np.load(Path(study.config.data) / "test" / "label.npy")
    files = sorted((kept / "trainings").glob(f"baseline-{trees['trial']}-seed*.test.npy"))
    nes = [quality(np.load(file), labels)["ne"].value for file in files]
    assert (trees["kind"], trees["macs"], len(files)) == ("baseline", None, 2)
    assert trees["test_ne"]["mean"] == pytest.approx(np.mean(nes))
    assert trees["params"] > 0


def test_baselines_alone_are_compared_and_nobody_is_chosen(kept: Path) -> None:
    found = found_in(kept)
    verdict, [best, other] = found["verdict"], found["entrants"]
    assert (verdict["kind"], verdict["chosen"], verdict["reference"]) == ("compared", None, best["name"])
    assert verdict["against"][other["name"]]["difference"] == pytest.approx(
        other["test_ne"]["mean"] - best["test_ne"]["mean"]
    )
    assert other["against_reference"]["adjusted_p"] is not None
    assert json.loads((kept / "choices.json").read_text())["finalists"] == []


def test_averages_tell_what_a_network_with_trees_is_worth(study: Study, kept: Path) -> None:
    found = found_in(kept)
    labels = np.load(Path(study.config.data) / "test" / "label.npy")
    files = [sorted((kept / "trainings").glob(f"baseline-{number}-seed*.test.npy")) for number in (0, 1)]
    logits = np.array([[np.load(file) for file in one] for one in files])
    single, both = found["averages"]
    assert (single["members"], both["members"], single["is_blend"], both["is_blend"]) == (2, 4, False, False)
    assert both["test_ne"] == pytest.approx(quality(logits.mean(axis=(0, 1)), labels)["ne"].value, abs=1e-7)
    by_seed = [quality(one, labels)["ne"].value for one in logits.mean(axis=0)]
    assert found["pair"]["test_ne"]["mean"] == pytest.approx(np.mean(by_seed), abs=1e-7)


def test_what_is_told_has_no_winner_in_it(kept: Path) -> None:
    found = found_in(kept)
    told = lines(found)
    assert told[0].startswith("compared: ")
    assert "winner" not in "\n".join(told)
    assert any(line.startswith(f"one {found['pair']['names'][0]} averaged with one") for line in told)
    assert {row["model"] for row in table_rows(found)} == {"lightgbm, tuned", "logistic_regression, tuned"}


def test_trees_that_are_grown_are_not_grown_again_after_a_kill(
    study: Study, kept: Path, tmp_path: Path, grown: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: Any, **kwargs: Any) -> Part:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("automl.finals._held_out.held_out_part", killed)
        with pytest.raises(KeyboardInterrupt):
            finals(study, Plan(tmp_path, **PLAN))
    assert (len(grown), len(list((tmp_path / "trainings").glob("*.trees.txt")))) == (2, 2)
    again = finals(study, Plan(tmp_path, **PLAN))
    assert len(grown) == 2
    assert [one["test_ne"] for one in again["entrants"]] == [one["test_ne"] for one in found_in(kept)["entrants"]]
    assert list((tmp_path / "trainings").glob("*.trees.txt")) == []


def test_a_lost_tree_training_alone_is_done_again_and_gives_the_same(
    study: Study, kept: Path, tmp_path: Path, grown: list[int]
) -> None:
    folder = Path(shutil.copytree(kept, tmp_path / "kept"))
    for file in (folder / "trainings").glob("baseline-0-seed2-*"):
        file.unlink()
    again = finals(study, Plan(folder, **PLAN))
    assert len(grown) == 1
    assert [one["test_ne"] for one in again["entrants"]] == [one["test_ne"] for one in found_in(kept)["entrants"]]


def test_damaged_trees_are_told_with_their_file(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaging(*args: Any, **kwargs: Any) -> Part:
        for file in (tmp_path / "trainings").glob("*.trees.txt"):
            file.write_text("tree\n")
        return held_out_part(*args, **kwargs)

    monkeypatch.setattr("automl.finals._held_out.held_out_part", damaging)
    with pytest.raises(StudyError, match=r"seed1-\w+\.trees\.txt is damaged"):
        finals(study, Plan(tmp_path, **PLAN))


def test_a_blend_without_finalists_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a blend is of finalists, but study 'human' has baselines alone"):
        finals(study, Plan(tmp_path, is_blended=True, **PLAN))


def test_a_search_is_judged_against_baselines_tuned_in_another_study(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space, store = {"name": "autoctr", "blocks": 2, "widths": [32]}, f"sqlite:///{tmp_path / 'search.db'}"
    search = planted_study(Path(study.config.data).parent, "search", space=space, storage=store)
    search.optimize(2)
    search.close()
    done = run_cli(
        capsys,
        *("finals", "search", "--storage", store, "--format", "json"),
        *("--baselines", "human", "--baselines-storage", study.config.storage),
        *("--top", "1", "--seeds", "2", "--device", "cpu", "--out", str(tmp_path)),
    )
    assert done.code == 0, done.err
    found = json.loads(done.out)
    added = {one["name"]: one["study"]["name"] for one in found["entrants"] if one["kind"] == "baseline"}
    assert added == {f"{name}, tuned in human": "human" for name in ("lightgbm", "logistic_regression")}
    assert found["verdict"]["reference"] in added
    assert found["pair"] is None


def test_baselines_of_other_data_are_refused(study: Study, tmp_path: Path) -> None:
    prepare("synthetic", out=tmp_path / "data", options={"rows": 1100})
    search = planted_study(tmp_path, "search")
    with pytest.raises(StudyError, match="baselines come from a study of the same data, but the data of study 'human'"):
        finals(search, Plan(tmp_path, **PLAN), tuned_in=study)
    search.close()
