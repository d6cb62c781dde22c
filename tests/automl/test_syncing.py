"""A study's tracker is completed from its store alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from automl import StudyError
from automl._locks import StudyLock
from automl.opening import load_study
from automl.publishing import publish
from automl.syncing import sync
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_study

TRIALS = 20


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _without_entry(file: Path) -> list[dict[str, Any]]:
    """What the file says, the last tags of each trial alone: a search corrects them as it goes."""
    lines = [line for line in _lines(file) if "entry" not in line and "tags" not in line]
    tags: dict[str, Any] = {}
    for line in _lines(file):
        tags |= line.get("tags", {})
    ended = [line for line in lines if "status" in line]
    return [*(line for line in lines if "step" not in line and "status" not in line), ended[-1], tags]


def _steps(file: Path) -> dict[tuple[object, str], object]:
    return {
        (line["step"], name): value
        for line in _lines(file)
        if "step" in line
        for name, value in line["metrics"].items()
    }


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a whole search of the study `s` with a tracker, and a copy of it: searched once for all tests."""
    place = tmp_path_factory.mktemp("searched")
    study = planted_study(
        place,
        tracker={"name": "jsonl", "path": str(place / "trials.jsonl")},
        evaluator={"name": "planted", "fail_every": 7},
        searcher={"name": "autoctr", "population": 5},
        budget={"trials": TRIALS},
    )
    study.optimize()
    publish(study)
    study.close()
    return place, Path(shutil.copytree(place, tmp_path_factory.mktemp("kept") / "searched"))


@pytest.fixture
def shown(searched: tuple[Path, Path]) -> Path:
    """The file of a tracker that has mirrored a whole search, beside the store of its study `s`, untouched."""
    place, kept = searched
    shutil.rmtree(place)
    shutil.copytree(kept, place)
    return place / "trials.jsonl"


def test_a_lost_tracker_is_rebuilt_as_it_was_and_not_again(shown: Path) -> None:
    before, steps = _without_entry(shown), _steps(shown)
    shown.unlink()
    study = load_study("s", storage=f"sqlite:///{shown.parent / 'automl.db'}")
    done = sync(study)
    assert (done.created, done.unchanged) == (TRIALS, 0)
    assert (_without_entry(shown), _steps(shown)) == (before, steps)
    whole = shown.read_text()
    assert (sync(study).is_changed, shown.read_text()) == (False, whole)
    study.close()


def test_a_resume_after_a_sync_goes_on_where_it_ended(shown: Path) -> None:
    shown.unlink()
    study = load_study("s", storage=f"sqlite:///{shown.parent / 'automl.db'}")
    done = sync(study)
    assert study.store.cursor("s", done.entry) == TRIALS
    study.optimize(2)
    publish(study)
    study.close()
    assert len([line for line in _lines(shown) if "number" in line]) == TRIALS + 2
    again = load_study("s", storage=f"sqlite:///{shown.parent / 'automl.db'}")
    assert sync(again).unchanged == TRIALS + 2
    again.close()


def test_neither_data_nor_evaluator_is_needed(shown: Path) -> None:
    shutil.rmtree(shown.parent / "data")
    shown.unlink()
    study = load_study("s", storage=f"sqlite:///{shown.parent / 'automl.db'}")
    assert sync(study).created == TRIALS
    assert "wiring" not in vars(study)
    study.close()


def test_a_study_without_a_tracker_says_what_to_do(tmp_path: Path) -> None:
    study = planted_study(tmp_path)
    with pytest.raises(StudyError, match="study 's' has no tracker to sync; name an MLflow with --uri"):
        sync(study)
    study.close()


def test_a_study_that_is_driven_elsewhere_is_left_to_its_driver(shown: Path) -> None:
    study = load_study("s", storage=f"sqlite:///{shown.parent / 'automl.db'}")
    lock = StudyLock(study.record.uid, "driver")
    assert lock.acquire("somebody")
    reason = (
        "study 's' is being worked on by process somebody, which shows it in its tracker itself; "
        "wait for it, or end it, and sync again"
    )
    with pytest.raises(StudyError, match=reason):
        sync(study)
    lock.release()
    assert not sync(study).is_changed
    study.close()


def test_a_tracker_that_cannot_be_written_is_told_in_a_sentence(shown: Path) -> None:
    shown.unlink()
    shown.mkdir()
    study = load_study("s", storage=f"sqlite:///{shown.parent / 'automl.db'}")
    with pytest.raises(StudyError, match=r"tracker jsonl:.* was not completed: .*; sync again once it works"):
        sync(study)
    study.close()


def test_the_verb_says_what_it_did(shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = f"sqlite:///{shown.parent / 'automl.db'}"
    line = next(line for line in shown.read_text().splitlines() if '"number"' in line)
    shown.write_text(shown.read_text() + line + "\n" + line.replace('"number": ', '"number": 1000') + "\n")
    done = run_cli(capsys, "track", "sync", "s", "--storage", storage, "--format", "json")
    (row,) = json.loads(done.out)
    assert (done.code, row["unchanged"], row["doubles"], row["strangers"]) == (0, TRIALS, 1, 1)
    assert "automl: deleted 1 second entry" in done.err
    assert "automl: left 1 entry alone that belongs to no ended trial of the store" in done.err
    assert f"automl: study 's' is shown in jsonl:{shown}/" in done.err


@pytest.mark.slow
def test_any_mlflow_can_be_named(shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from storage.trackers import _mlflow_connection as connection

    storage, uri = f"sqlite:///{shown.parent / 'automl.db'}", f"sqlite:///{shown.parent / 'other.db'}"
    for created in (TRIALS, 0):
        done = run_cli(capsys, "track", "sync", "s", "--storage", storage, "--uri", uri, "--format", "json")
        assert json.loads(done.out)[0]["created"] == created
    client = connection.connect(uri)
    (model,) = client.search_registered_models()
    study = load_study("s", storage=storage)
    winner = study.best_trials[0]
    study.close()
    version = client.get_model_version_by_alias(model.name, "winner")
    assert (model.name, set(model.aliases)) == ("ctr-synthetic-ne+flops", {"winner", "winner-s"})
    assert {str(number) for number in model.aliases.values()} == {"1"}
    assert version.tags["arch.fingerprint"] == winner.candidate.fingerprint
    assert float(version.tags["ne"]) == winner.value("ne")
    assert client.get_run(version.run_id or "").data.tags["trial.number"] == str(winner.number)
    files = Path((version.source or "").removeprefix("file://"))
    assert sorted(file.name for file in files.iterdir()) == ["architecture.json", "winner.yaml"]


@pytest.mark.slow
def test_an_mlflow_server_that_is_down_is_told_in_a_sentence(
    shown: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    storage = f"sqlite:///{shown.parent / 'automl.db'}"
    done = run_cli(capsys, "track", "sync", "s", "--storage", storage, "--uri", "http://ann:secret@127.0.0.1:9")
    assert (done.code, "was not completed: " in done.err, "secret" in done.err) == (2, True, False)
