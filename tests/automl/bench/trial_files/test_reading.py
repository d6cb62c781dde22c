from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

from automl.bench.trial_files.reading import TrialFile, TrialFileError, read_trials
from automl.bench.trial_files.source import Source
from evaluators import Evaluation
from searchspaces import Options
from tests.automl.bench.predictors.files import jsonl, rows


def settings(found: TrialFile) -> list[Options]:
    return list(dict.fromkeys(one.candidate.training for one in found.entries))


def means(found: TrialFile) -> NDArray[np.float64]:
    values: dict[int, list[float]] = {}
    for one in found.entries:
        if isinstance(one.outcome, Evaluation):
            values.setdefault(one.number, []).append(one.outcome.value(found.source.known_as))
    return np.array([np.mean(own) for own in values.values()])


def test_settings_are_found_and_what_gives_the_answer_away_is_not(tmp_path: Path) -> None:
    found = read_trials(Source(jsonl(tmp_path, rows()), "auc"))
    assert found.verdict.choices == ("model", "settings.rate", "settings.dim", "settings.dropout")
    assert set(found.verdict.dropped) == {"run", "auc", "test_auc"}


def test_csv_and_parquet_files_say_the_same(tmp_path: Path) -> None:
    flat = [{**row, **row["settings"]} for row in rows()]
    for row in flat:
        del row["settings"]
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
    parquet.write_table(pa.Table.from_pylist(flat), tmp_path / "t.parquet")
    one, other = (read_trials(Source(tmp_path / name, "auc")) for name in ("t.csv", "t.parquet"))
    assert settings(one) == settings(other)
    assert one.verdict == other.verdict
    assert means(one) == pytest.approx(means(other))


def test_the_table_that_optuna_writes_needs_no_words(tmp_path: Path) -> None:
    with (tmp_path / "optuna.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "number",
                "value",
                "datetime_start",
                "duration",
                "params_lr",
                "params_layers",
                "user_attrs_epochs",
                "state",
            ]
        )
        for number in range(30):
            ended = [0.5 + 0.001 * (number * 7 % 30), f"2026-01-01 00:{number:02d}:00", f"0 days 00:00:{number:02d}.5"]
            state = "PRUNED" if number == 29 else "COMPLETE"
            writer.writerow([number, *ended, 10 ** -(1 + number * 11 % 30 / 10), number % 3, number % 5, state])
    found = read_trials(Source(tmp_path / "optuna.csv", "value"))
    assert found.verdict.choices == ("params_lr", "params_layers")
    assert found.rows["candidates"] == 29


def test_rows_without_the_metric_or_that_did_not_end_are_dropped_and_counted(tmp_path: Path) -> None:
    content = rows()
    content[0]["auc"] = None
    content[1]["auc"] = float("nan")
    content[2]["state"] = "FAIL"
    content[3]["state"] = "TrialState.COMPLETE"
    found = read_trials(Source(jsonl(tmp_path, content), "auc"))
    assert {name: found.rows[name] for name in ("read", "unfinished", "without_metric")} == {
        "read": 60,
        "unfinished": 1,
        "without_metric": 2,
    }


def test_rows_of_equal_settings_are_one_candidate_at_their_mean(tmp_path: Path) -> None:
    content = rows(40)
    again = [{**row, "auc": row["auc"] + 0.2, "run": f"again {row['run']}"} for row in content]
    once, twice = (read_trials(Source(jsonl(tmp_path, one), "auc")) for one in (content, content + again))
    assert settings(twice) == settings(once)
    assert means(twice) == pytest.approx(means(once) + 0.1)


def test_a_filter_leaves_rows_out(tmp_path: Path) -> None:
    found = read_trials(Source(jsonl(tmp_path, rows(200)), "auc", where={"model": "FM", "settings.dropout": "0.1"}))
    assert 0 < found.rows["candidates"] < 60
    assert found.rows["other"] > 0
    assert found.verdict.dropped["model"] == "is the same in all rows"


def test_a_metric_measured_several_times_is_the_mean(tmp_path: Path) -> None:
    content = [{**row, "acc_0": row["auc"], "acc_1": row["auc"] + 0.1} for row in rows()]
    content[0]["acc_1"] = None
    found = read_trials(Source(jsonl(tmp_path, content), "acc", exclude=("auc",)))
    single = read_trials(Source(jsonl(tmp_path, content), "acc_0", exclude=("auc",)))
    assert "acc_1" in single.verdict.dropped
    gains = sorted(means(found) - means(single))
    assert gains[-1] == pytest.approx(0.05)
    assert gains[0] < 0.05


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"metric": "acu"}, "no column 'acu'; did you mean 'auc'"),
        ({"metric": "auc", "where": {"modle": "FM"}}, "no column 'modle' to filter by; did you mean 'model'"),
        ({"metric": "auc", "where": {"model": "GDCN"}}, "no row of .* has {'model': 'GDCN'}"),
        (
            {"metric": "auc", "exclude": ("settings", "model")},
            r"10 different candidates with 'auc' are needed, but .* has 1 .*; name others with --choices",
        ),
    ],
)
def test_a_question_that_the_file_cannot_answer_is_refused(
    tmp_path: Path, source: dict[str, object], message: str
) -> None:
    with pytest.raises(TrialFileError, match=message):
        read_trials(Source(jsonl(tmp_path, rows()), **source), fewest=10)  # type: ignore[arg-type]  # one case at a time
