"""The whole of finals on tiny data: two finalists and two baselines, two seeds, in this process."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl import Study, StudyError
from automl.export import read_blend, read_winner
from automl.export.prediction import load_model, logits_of
from automl.finals import Kind, Plan, finals
from automl.training import held_out_part
from evaluators import DivergedError, training_seed
from evaluators._datasets import Part, open_dataset, openings
from evaluators._training.final import FinalModel, score, train_final
from evaluators._training.metrics import quality
from searchspaces import Candidate
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_study

SPACE = {"name": "autoctr", "blocks": 2, "widths": [32]}
STUDY: dict[str, Any] = {
    "space": SPACE,
    "baselines": ["logistic_regression", "deepfm"],
    "evaluator": {"name": "planted"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    made = planted_study(tmp_path_factory.mktemp("finals"), **STUDY)
    made.optimize(6)
    return made


@pytest.fixture(scope="module")
def kept(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of finals that have run to their end."""
    folder = tmp_path_factory.mktemp("kept")
    finals(study, Plan(folder, top=2, seeds=2, device="cpu"))
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "kept"))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds that are trained from now on."""
    seeds: list[int] = []

    def counting(*args: Any, seed: int, **kwargs: Any) -> FinalModel:
        seeds.append(seed)
        return train_final(*args, seed=seed, **kwargs)

    monkeypatch.setattr("evaluators._training.final.train_final", counting)
    return seeds


def test_every_entrant_has_every_seed_and_the_verdict_a_kind(kept: Path) -> None:
    found = json.loads((kept / "finals.json").read_text())
    assert {one["kind"] for one in found["entrants"]} == {"finalist", "baseline"}
    assert [len(one["by_seed"]) for one in found["entrants"]] == [2] * 4
    assert found["verdict"]["kind"] in list(Kind)
    assert found["verdict"]["sentence"].startswith(found["verdict"]["kind"])


def test_seeds_are_equal_for_all_and_none_of_the_search(study: Study, kept: Path) -> None:
    found = json.loads((kept / "finals.json").read_text())
    [seeds] = {tuple(row["seed"] for row in one["by_seed"]) for one in found["entrants"]}
    assert len(set(seeds)) == 2
    used = {training_seed(study.record.seed, one.suggestion.replicate) for one in study.trials}
    assert not used & set(seeds)


def test_figures_are_those_of_the_kept_logits(study: Study, kept: Path) -> None:
    found = json.loads((kept / "finals.json").read_text())
    labels = np.load(Path(study.config.data) / "test" / "label.npy")
    first = found["entrants"][0]
    files = sorted((kept / "trainings").glob(f"*-{first['trial']}-seed*.test.npy"))
    nes = [quality(np.load(file), labels)["ne"].value for file in files]
    assert first["test_ne"]["mean"] == pytest.approx(np.mean(nes))
    averaged = quality(np.mean([np.load(file) for file in files], axis=0), labels)["ne"].value
    assert first["average"]["test_ne"] == pytest.approx(averaged, abs=1e-7)


def test_entrants_come_in_the_order_of_their_valid_ne(kept: Path) -> None:
    found = json.loads((kept / "finals.json").read_text())
    nes = [one["valid_ne"]["mean"] for one in found["entrants"]]
    assert nes == sorted(nes)
    chosen = next(one for one in found["entrants"] if one["kind"] == "finalist")
    assert found["verdict"]["chosen"] == chosen["name"]


def test_finals_that_are_done_train_nothing_and_open_nothing(study: Study, folder: Path, trained: list[int]) -> None:
    digest = open_dataset(study.config.data).digest
    known, before = json.loads((folder / "finals.json").read_text()), openings(digest)
    again = finals(study, Plan(folder, top=2, seeds=2, device="cpu"))
    assert (trained, openings(digest)) == ([], before)
    assert again["entrants"] == known["entrants"]


def test_a_lost_training_alone_is_done_again_and_gives_the_same(study: Study, folder: Path, trained: list[int]) -> None:
    known = json.loads((folder / "finals.json").read_text())
    victim = next(iter(sorted((folder / "trainings").glob("*-seed2-*.json"))))
    for file in victim.parent.glob(f"{victim.stem}.*"):
        file.unlink()
    again = finals(study, Plan(folder, top=2, seeds=2, device="cpu"))
    assert len(trained) == 1
    assert [one["test_ne"] for one in again["entrants"]] == [one["test_ne"] for one in known["entrants"]]


def test_more_seeds_keep_the_trainings_there_are(study: Study, folder: Path, trained: list[int]) -> None:
    found = finals(study, Plan(folder, top=2, seeds=3, device="cpu"))
    assert (len(trained), len(set(trained)), found["seeds"]) == (4, 1, 3)


def test_trainings_of_other_finals_are_taken_over(study: Study, kept: Path, tmp_path: Path, trained: list[int]) -> None:
    found = finals(study, Plan(tmp_path, top=1, seeds=3, device="cpu", reuse=kept))
    known = {one["name"]: one["by_seed"] for one in json.loads((kept / "finals.json").read_text())["entrants"]}
    assert (len(trained), len(set(trained))) == (3, 1)  # the third seed of one finalist and two baselines
    assert {one["name"]: one["by_seed"][:2] for one in found["entrants"]} == {
        one["name"]: known[one["name"]] for one in found["entrants"]
    }


def test_a_training_that_was_not_measured_is_not_taken_over(
    study: Study, folder: Path, tmp_path: Path, trained: list[int]
) -> None:
    next((folder / "trainings").glob("*-seed1-*.test.npy")).unlink()
    finals(study, Plan(tmp_path / "new", top=2, seeds=2, device="cpu", reuse=folder))
    assert len(trained) == 1


def test_a_folder_without_trainings_gives_nothing_to_take_over(study: Study, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="taken over from the folder of other finals, but"):
        finals(study, Plan(tmp_path, device="cpu", reuse=tmp_path))


def test_the_test_part_opens_once_and_after_the_choices_are_written(study: Study, tmp_path: Path) -> None:
    digest = open_dataset(study.config.data).digest
    before = openings(digest)
    seen: list[bool] = []

    def watching(*args: Any, **kwargs: Any) -> Part:
        seen.append((tmp_path / "choices.json").exists())
        return held_out_part(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("automl.finals._held_out.held_out_part", watching)
        finals(study, Plan(tmp_path, top=1, seeds=2, device="cpu"))
    assert (openings(digest), seen) == (before + 1, [True])


def test_weights_are_gone_when_nothing_needs_them(kept: Path) -> None:
    assert list((kept / "trainings").glob("*.safetensors")) == []


def test_days_widen_the_test_over_seeds(study: Study, folder: Path) -> None:
    found = finals(study, Plan(folder, top=2, seeds=2, is_daily=True, device="cpu"))
    assert "periods of the test part" in found["test_cut"] or "days" in found["test_cut"]
    known = finals(study, Plan(folder, top=2, seeds=2, device="cpu"))
    assert found["verdict"]["difference"] == pytest.approx(known["verdict"]["difference"])
    assert found["verdict"]["stderr"] > known["verdict"]["stderr"]


def test_a_model_that_diverges_leaves_the_finals_with_its_reason(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deepfm = next(one for one in study.trials if one.suggestion.origin == "zoo:deepfm").candidate

    def failing(candidate: Candidate, *args: Any, **kwargs: Any) -> FinalModel:
        if Candidate(candidate.architecture).fingerprint == Candidate(deepfm.architecture).fingerprint:
            raise DivergedError("the loss is nan")
        return train_final(candidate, *args, **kwargs)

    monkeypatch.setattr("evaluators._training.final.train_final", failing)
    found = finals(study, Plan(tmp_path, top=1, seeds=2, device="cpu"))
    assert found["failed"] == [{"name": "deepfm", "reason": "the loss is nan"}]
    assert found["verdict"]["reference"] == "logistic_regression"


def test_a_blend_predicts_the_mean_of_its_members_logits(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = finals(study, Plan(folder, top=2, seeds=2, is_blended=True, device="cpu"))
    blend = read_blend(folder / "blend.yaml")
    [chosen] = [one for one in found["averages"] if one["is_blend"]]
    assert len(blend.members) == chosen["members"]
    part = open_dataset(study.config.data).part("valid")
    members = [logits_of(score(load_model(*member), part)) for member in blend.members]
    data = ("--data", study.config.data, "--part", "valid", "--device", "cpu")
    told = run_cli(capsys, "predict", str(folder / "blend.yaml"), *data)
    scored = np.array([float(row["probability"]) for row in csv.DictReader(io.StringIO(told.out))])
    assert logits_of(scored) == pytest.approx(np.mean(members, axis=0), abs=1e-6)
    assert quality(logits_of(scored), part.label.astype(np.float64))["ne"].value == pytest.approx(
        chosen["valid_ne"], abs=1e-6
    )


def test_a_winner_file_of_finals_is_one_like_any_other(kept: Path, study: Study) -> None:
    trials = {read_winner(file).provenance["trial"] for file in kept.glob("*.yaml")}
    assert len(trials) == 4


def test_data_without_a_test_part_is_refused(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(study.wiring.dataset, rows={"train": 800, "valid": 100})
    monkeypatch.setitem(study.__dict__, "wiring", replace(study.wiring, dataset=without))
    with pytest.raises(StudyError, match="finals report on the test part, but"):
        finals(study, Plan(tmp_path, device="cpu"))


def test_the_command_prints_a_table_and_a_verdict(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--top", "2", "--seeds", "2", "--out", str(folder), "--storage", study.config.storage)
    done = run_cli(capsys, "finals", "s", *arguments, "--device", "cpu")
    assert done.code == 0, done.err
    assert "test NE, seeds averaged" in done.out
    assert any(done.out.splitlines()[-4].startswith(kind.value) for kind in Kind)
    assert "averaging 2 seeds of trial" in done.out
    rows = json.loads(run_cli(capsys, "finals", "s", *arguments, "--format", "json").out)["entrants"]
    assert len(rows) == 4


def test_the_command_needs_two_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(capsys, "finals", "s", "--seeds", "1").code == 2
