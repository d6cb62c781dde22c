"""What a user installs: one wheel with exactly five packages, working outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"automl", "searchspaces", "evaluators", "predictors", "storage"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_exactly_the_five_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == PACKAGES


@pytest.mark.slow
def test_the_wheel_has_no_known_faults(wheel: Path) -> None:
    check = [sys.executable, "-m", "check_wheel_contents", "--config", str(ROOT / "pyproject.toml"), str(wheel)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_wheel_carries_its_data_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "automl/templates/movielens.yaml" in names
    assert "searchspaces/zoo/dcnv2.json" in names
    assert "evaluators/_codesign/calibration/coefficients.json" in names
    assert "evaluators/_codesign/calibration/mlperf_dlrm.csv" in names
    assert "automl/py.typed" in names


@pytest.mark.slow
def test_an_installed_wheel_searches_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (tmp_path / "search.py").write_text(_SEARCH, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "search.py")]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(target)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(target), "3"]


_SEARCH = """
import automl
from automl.validation import prepare
from pathlib import Path

data = prepare("synthetic", out=Path("data"), options={"rows": 1000})
study = automl.create_study("s", data=data.folder, evaluator={"name": "planted"}, baselines=[])
study.optimize(3)
print(Path(automl.__file__).parent.parent, len(study.trials))
study.close()
"""
