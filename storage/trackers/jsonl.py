"""Finished trials as lines of JSON, for those who like to look with their own tools."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluators import Objective, Trial
from storage._errors import TrackerError
from storage._store import StudyRecord

__all__ = ["Jsonl"]


class Jsonl:
    """Appends one line a finished trial, and one for the study at its end.

    A study begins with a line that names its entry; several studies may share the file. Nothing written is ever
    changed: a line that a crash tore is closed and passed over, and its trial is written again.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._record: StudyRecord | None = None
        self._shown: set[int] = set()

    @property
    def name(self) -> str:
        """`jsonl:` and the file."""
        return f"jsonl:{self._path.absolute()}"

    def open(self, record: StudyRecord, objectives: Sequence[Objective]) -> str:  # noqa: ARG002  # lines show all metrics
        """Finds which trials of the study the file has; the name of its entry, one for each file that was lost."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._record = record
        lines = [line for line in self._lines() if line.get("study") == record.uid]
        self._shown = {line["number"] for line in lines if "number" in line}
        self._close_torn_line()
        entry = next((line["entry"] for line in lines if "entry" in line), None) or self._begin(record)
        return f"{self.name}/{entry}"

    def log(self, trials: Sequence[Trial]) -> None:
        """Appends the trials that the file does not have.

        Raises:
            TrackerError: `open` was never called.
        """
        record = self._opened()
        new = [trial for trial in trials if trial.number not in self._shown]
        self._append([_trial_line(trial, record) for trial in new])
        self._shown.update(trial.number for trial in new)

    def summarize(self, *, status: str, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        """Appends the study's end.

        Raises:
            TrackerError: `open` was never called.
        """
        record = self._opened()
        ended = {"study": record.uid, "study_name": record.name, "status": status, "metrics": dict(metrics)}
        self._append([{**ended, "files": [str(file) for file in files]}])

    def close(self) -> None:
        """Nothing is held between the calls."""

    def _begin(self, record: StudyRecord) -> str:
        entry = uuid.uuid4().hex
        self._append([{"study": record.uid, "study_name": record.name, "entry": entry}])
        return entry

    def _opened(self) -> StudyRecord:
        if self._record is None:
            raise TrackerError(f"open the tracker {self.name} with a study before logging to it")
        return self._record

    def _lines(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                try:
                    line = json.loads(text)
                except json.JSONDecodeError:
                    continue
                if isinstance(line, dict):
                    yield line

    def _close_torn_line(self) -> None:
        if not self._path.exists() or not self._path.stat().st_size:
            return
        with self._path.open("rb+") as file:
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")

    def _append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)


def _trial_line(trial: Trial, record: StudyRecord) -> dict[str, Any]:
    failure = trial.failure
    return {
        "study": record.uid,
        "study_name": record.name,
        "number": trial.number,
        "stage": trial.stage,
        "state": trial.state.value,
        "fingerprint": trial.candidate.fingerprint,
        "suggestion": trial.suggestion.to_dict(),
        "evaluation": trial.evaluation.to_dict() if trial.evaluation else None,
        "failure": {"kind": failure.kind.value, "reason": failure.reason} if failure else None,
        "ask_number": trial.ask_number,
        "finish_order": trial.finish_order,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }
