from __future__ import annotations

from pathlib import Path

import pytest

from automl import ExportError
from automl._yaml import read_yaml, to_yaml
from automl.export import Winner, is_blend, read_blend, read_winner, write_blend, write_winner
from automl.publishing import chosen_trial, winner
from automl.training import Training, train_winner
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_study


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A winner file and weights beside it."""
    folder = tmp_path_factory.mktemp("blend")
    study = planted_study(folder, space={"name": "autoctr", "blocks": 2, "widths": [32]})
    study.optimize(1)
    file = write_winner(folder / "winner.yaml", winner(study, chosen_trial(study)))
    read: Winner = read_winner(file)
    train_winner(read, study.config.data, Training(is_tested=False, device="cpu"), weights=folder / "w.safetensors")
    return file, folder / "w.safetensors"


@pytest.fixture
def blend(member: tuple[Path, Path]) -> Path:
    return write_blend(member[0].parent / "blend.yaml", [member, member], provenance={"study": "s"})


def edited(blend: Path, **changes: object) -> Path:
    content, _ = read_yaml(blend)
    path = blend.with_name("edited.yaml")
    path.write_text(to_yaml({**content, **changes}), encoding="utf-8")
    return path


def test_a_blend_is_told_from_a_winner(member: tuple[Path, Path], blend: Path) -> None:
    assert (is_blend(blend), is_blend(member[0])) == (True, False)
    assert len(read_blend(blend).members) == 2


def test_a_blend_moves_with_its_folder(member: tuple[Path, Path], blend: Path, tmp_path: Path) -> None:
    for file in (blend, *member):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert read_blend(tmp_path / blend.name).members[0][0] == read_blend(blend).members[0][0]


def test_members_from_elsewhere_are_not_written(member: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="a blend names files of its own folder, but"):
        write_blend(tmp_path / "blend.yaml", [member], provenance={})


@pytest.mark.parametrize("name", ["/etc/passwd", "../winner.yaml", ""])
def test_a_blend_reads_no_file_outside_its_folder(blend: Path, name: str) -> None:
    entry = {"winner": name, "weights": "w.safetensors", "sha256": ""}
    with pytest.raises(ExportError, match="a blend names files of its own folder, but"):
        read_blend(edited(blend, members=[entry]))


def test_other_weights_than_those_blended_are_refused(blend: Path) -> None:
    entry = {"winner": "winner.yaml", "weights": "w.safetensors", "sha256": "00"}
    with pytest.raises(ExportError, match=r"was made with weights of sha256 00, but w\.safetensors has"):
        read_blend(edited(blend, members=[entry]))


@pytest.mark.parametrize("members", [[], "w", [{"winner": "a"}], [7]])
def test_a_malformed_list_of_members_is_refused(blend: Path, members: object) -> None:
    with pytest.raises(ExportError, match="a blend lists 1 to 1000 members, each with sha256, weights, winner"):
        read_blend(edited(blend, members=members))


@pytest.mark.parametrize("change", [{"format_version": 2}, {"rule": "vote"}, {"colour": "red"}])
def test_another_format_is_refused(blend: Path, change: dict[str, object]) -> None:
    with pytest.raises(ExportError, match="this release reads blends of kind"):
        read_blend(edited(blend, **change))


def test_a_blend_has_its_own_weights_and_a_winner_needs_some(
    member: tuple[Path, Path], blend: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_weights = run_cli(capsys, "predict", str(blend), "--weights", "w", "--data", "d")
    without = run_cli(capsys, "predict", str(member[0]), "--data", "d")
    assert (with_weights.code, without.code) == (2, 2)
    assert "names its own weights" in with_weights.err
    assert "a winner needs weights" in without.err
