"""Rows of a table of finished trainings: how one is written down, and how it is read again.

A row is one training. Columns: `number` of the candidate in the table, its `fingerprint` and the `candidate` itself as
JSON, the `replicate`, the `role` (`search` is what searchers may see, `truth` what they are judged by, `control` a
human-made architecture from outside the space), `state`, `failure_kind`, `failure_reason`, `seconds`, the learning
curve as `curve_rows` and `curve_logloss`, then one column for each metric, and `METRIC_stderr` where one is known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from searchspaces import Candidate, SearchSpaceError

SEARCH, TRUTH, CONTROL = "search", "truth", "control"
TRIALS_FILE, FACTS_FILE = "trials.parquet", "table.json"
CURVE_METRIC = "train_logloss"
STDERR = "_stderr"

DESCRIBING = frozenset(
    {
        "number",
        "fingerprint",
        "candidate",
        "replicate",
        "role",
        "state",
        "failure_kind",
        "failure_reason",
        "seconds",
        "curve_rows",
        "curve_logloss",
    }
)
"""Columns that are no metric."""


@dataclass(frozen=True)
class Entry:
    """One finished training of a table; `number` is the candidate's place in it."""

    number: int
    candidate: Candidate
    replicate: int
    role: str
    outcome: Evaluation | Failure

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        whole = isinstance(self.outcome, Evaluation)
        outcome = self.outcome.to_dict() if isinstance(self.outcome, Evaluation) else _failed(self.outcome)
        return {
            "number": self.number,
            "candidate": self.candidate.to_dict(),
            "replicate": self.replicate,
            "role": self.role,
            "evaluation" if whole else "failure": outcome,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Entry:
        """Reads what `to_dict` wrote."""
        outcome: Evaluation | Failure
        if "evaluation" in content:
            outcome = Evaluation.from_dict(content["evaluation"])
        else:
            failed = content["failure"]
            outcome = Failure(FailureKind(failed["kind"]), failed["reason"], failed["seconds"])
        candidate = Candidate.from_dict(content["candidate"])
        return cls(content["number"], candidate, content["replicate"], content["role"], outcome)


def to_row(entry: Entry) -> dict[str, Any]:
    """The row of a training, without metrics where it failed."""
    row: dict[str, Any] = {
        "number": entry.number,
        "fingerprint": entry.candidate.fingerprint,
        "candidate": json.dumps(entry.candidate.to_dict(), sort_keys=True, separators=(",", ":")),
        "replicate": entry.replicate,
        "role": entry.role,
        "seconds": entry.outcome.seconds,
    }
    if isinstance(entry.outcome, Failure):
        reason = {"failure_kind": entry.outcome.kind.value, "failure_reason": entry.outcome.reason}
        return {**row, "state": "FAIL", **reason}
    row["state"] = "COMPLETE"
    row["curve_rows"] = [point.rows for point in entry.outcome.curve]
    row["curve_logloss"] = [point.metrics.get(CURVE_METRIC, math.nan) for point in entry.outcome.curve]
    for name, metric in entry.outcome.metrics.items():
        row[name] = float(metric.value)
        if metric.stderr is not None:
            row[name + STDERR] = float(metric.stderr)
    return row


def from_row(row: Mapping[str, Any], where: str) -> Entry:
    """The training of a row.

    Raises:
        EvaluatorError: a column is missing or malformed; `where` begins the sentence.
    """
    try:
        candidate = Candidate.from_dict(json.loads(row["candidate"]))
        return Entry(row["number"], candidate, row["replicate"], row["role"], _outcome(row))
    except (KeyError, TypeError, ValueError, SearchSpaceError) as error:
        raise EvaluatorError(f"{where} is no row of a table of trainings: {error!r}") from error


def read_entries(table: Path) -> list[Entry]:
    """The trainings of a table, the file of it or the folder that `automl bench table` wrote.

    Raises:
        EvaluatorError: the file cannot be read, or is no such table.
    """
    import pyarrow as pa
    from pyarrow import parquet

    file = table / TRIALS_FILE if table.is_dir() else table
    try:
        rows = parquet.read_table(file).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise EvaluatorError(
            f"a table is a folder with {TRIALS_FILE}, as 'automl bench table' leaves it when it is done, but {table} "
            f"cannot be read: {error}"
        ) from error
    return [from_row(row, f"row {at} of {file}") for at, row in enumerate(rows, start=1)]


def write_entries(file: Path, entries: Iterable[Entry]) -> None:
    """Writes trainings as parquet, in the order of candidate, role and replicate."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = [to_row(entry) for entry in sorted(entries, key=lambda one: (one.number, one.role, one.replicate))]
    metrics = sorted({name for row in rows for name in row} - DESCRIBING)
    whole = pa.schema(
        [
            ("number", pa.int32()),
            ("fingerprint", pa.string()),
            ("candidate", pa.string()),
            ("role", pa.string()),
            ("replicate", pa.int32()),
            ("state", pa.string()),
            ("failure_kind", pa.string()),
            ("failure_reason", pa.string()),
            ("seconds", pa.float64()),
            ("curve_rows", pa.list_(pa.int64())),
            ("curve_logloss", pa.list_(pa.float64())),
            *((name, pa.float64()) for name in metrics),
        ]
    )
    parquet.write_table(pa.Table.from_pylist(rows, schema=whole), file, compression="zstd")


def read_facts(table: Path) -> dict[str, Any]:
    """What is known of a table: space, data, schema, settings, seed, versions.

    Raises:
        EvaluatorError: the file is not there or is no JSON object.
    """
    file = (table if table.is_dir() else table.parent) / FACTS_FILE
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluatorError(f"a table has its facts in {FACTS_FILE}, but {file} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise EvaluatorError(f"the facts of a table are a JSON object, but {file} holds {type(found).__name__}")
    return found


def _failed(failure: Failure) -> dict[str, Any]:
    return {"kind": failure.kind.value, "reason": failure.reason, "seconds": failure.seconds}


def _outcome(row: Mapping[str, Any]) -> Evaluation | Failure:
    if row["state"] != "COMPLETE":
        return Failure(FailureKind(row["failure_kind"]), row["failure_reason"], row["seconds"])
    names = [name for name in row if name not in DESCRIBING and not name.endswith(STDERR) and row[name] is not None]
    metrics = {name: Metric(row[name], row.get(name + STDERR)) for name in names}
    points = zip(row["curve_rows"] or (), row["curve_logloss"] or (), strict=True)
    curve = tuple(Point(rows, {CURVE_METRIC: loss}) for rows, loss in points)
    return Evaluation(metrics, curve, seconds=row["seconds"])
