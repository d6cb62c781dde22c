"""Finished trials as lines of JSON, for those who like to look with their own tools."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluators import Trial
from storage._errors import TrackerError
from storage._store import StudyRecord
from storage._tracker import StudyReading, Summary, Synced, Tags

__all__ = ["Jsonl"]

Line = dict[str, Any]


class Jsonl:
    """Appends a line for each finished trial, for what changes with it, and for the study's end.

    A study begins with a line that names its entry; several studies may share the file. A search never changes what
    is written: a line that a crash tore is closed and passed over, and its trial is written again. A line of
    `tags` holds those of trials by number, and the last one of a trial counts. Only `sync` takes lines out, those
    that are doubled or say another thing than the store.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._record: StudyRecord | None = None
        self._shown: set[int] = set()
        self._read: set[tuple[str, int]] = set()  # readings by name and step
        self._tags: dict[int, dict[str, str]] = {}

    @property
    def name(self) -> str:
        """`jsonl:` and the file."""
        return f"jsonl:{self._path.absolute()}"

    def open(self, record: StudyRecord) -> str:
        """Finds which trials of the study the file has; the name of its entry, one for each file that was lost."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._record = record
        lines = [line for line in self._lines() if line.get("study") == record.uid]
        self._remember(lines)
        self._close_torn_line()
        entry = next((line["entry"] for line in lines if "entry" in line), None) or self._begin()
        return f"{self.name}/{entry}"

    def log(self, trials: Sequence[Trial], tags: Tags) -> None:
        """Appends the trials that the file does not have.

        Raises:
            TrackerError: `open` was never called.
        """
        new = [trial for trial in trials if trial.number not in self._shown]
        self._append([_trial_content(trial) for trial in new])
        self._shown.update(trial.number for trial in new)
        self.update((), tags)

    def update(self, readings: Sequence[StudyReading], tags: Tags) -> None:
        """Appends numbers of the study that the file does not have, and tags that are others there.

        Raises:
            TrackerError: `open` was never called.
        """
        new = [one for one in readings if (one.name, one.step) not in self._read]
        changed = {number: dict(one) for number, one in tags.items() if self._tags.get(number) != dict(one)}
        self._append([*_reading_contents(new), *([{"tags": changed}] if changed else [])])
        self._read.update((one.name, one.step) for one in new)
        self._tags |= changed

    def summarize(self, summary: Summary) -> None:
        """Appends the study's end.

        Raises:
            TrackerError: `open` was never called.
        """
        self._append([_end_content(summary)])

    def sync(
        self,
        record: StudyRecord,
        trials: Sequence[Trial],
        *,
        readings: Sequence[StudyReading],
        tags: Tags,
        summary: Summary,
    ) -> Synced:
        """Takes out doubled and wrong lines, appends what is missing."""
        entry = self.open(record)
        wanted = {trial.number: self._line(_trial_content(trial)) for trial in trials}
        found = [line for line in self._lines() if line.get("study") == record.uid]
        numbers = [line["number"] for line in found if "number" in line]
        right = {line["number"] for line in found if "number" in line and wanted.get(line["number"]) == line}
        self._keep_once(wanted)
        outcomes = {n: "unchanged" if n in right else "replaced" if n in numbers else "created" for n in wanted}
        all_tags: Tags = {number: tags.get(number, {}) for number in self._tags.keys() | tags.keys()}
        outcomes |= {
            number: "corrected"
            for number, one in all_tags.items()
            if outcomes.get(number) == "unchanged" and self._tags.get(number) != dict(one)
        }
        self.log(trials, {})
        self.update(readings, all_tags)
        ends = [line for line in found if "status" in line]
        kept = bool(ends) and summary.status != "FINISHED" and "created" not in outcomes.values()
        if self._line(_end_content(summary)) not in ends[-1:] and not kept:
            self.summarize(summary)
        strangers = sum(number not in wanted for number in numbers)
        doubles = len(numbers) - len(set(numbers))
        return Synced.of(outcomes.values(), doubles=doubles, strangers=strangers, entry=entry)

    def close(self) -> None:
        """Nothing is held between the calls."""

    def _keep_once(self, wanted: Mapping[int, Line]) -> None:
        """Writes the file anew without the study's doubled and wrong lines, where it has any."""
        study = self._opened().uid
        kept: list[Line] = []
        seen: set[int] = set()
        lines = list(self._lines())
        for line in lines:
            number = line.get("number") if line.get("study") == study else None
            if number is None or number not in wanted or (line == wanted[number] and number not in seen):
                kept.append(line)
                seen.update(() if number is None else (number,))
        if len(kept) < len(lines):
            beside = self._path.with_name(f"{self._path.name}.new")
            beside.write_text(_text(kept), encoding="utf-8")
            os.replace(beside, self._path)
        self._remember([line for line in kept if line.get("study") == study])

    def _remember(self, lines: Iterable[Line]) -> None:
        self._shown, self._read, self._tags = set(), set(), {}
        for line in lines:
            if "number" in line:
                self._shown.add(line["number"])
            if "step" in line:
                self._read.update((name, line["step"]) for name in line["metrics"])
            self._tags |= {int(number): tags for number, tags in line.get("tags", {}).items()}

    def _begin(self) -> str:
        entry = uuid.uuid4().hex
        self._append([{"entry": entry}])
        return entry

    def _opened(self) -> StudyRecord:
        if self._record is None:
            raise TrackerError(f"open the tracker {self.name} with a study before logging to it")
        return self._record

    def _lines(self) -> Iterator[Line]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                try:
                    line = json.loads(text)
                except (ValueError, RecursionError):  # no JSON, a number of endless digits, or endless brackets
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

    def _append(self, contents: Sequence[Mapping[str, Any]]) -> None:
        lines = [self._line(content) for content in contents]
        if lines:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_text(lines))

    def _line(self, content: Mapping[str, Any]) -> Line:
        """What is read back of a line of this study with that content."""
        record = self._opened()
        line: Line = json.loads(json.dumps({"study": record.uid, "study_name": record.name, **content}))
        return line


def _text(lines: Iterable[Line]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def _reading_contents(readings: Iterable[StudyReading]) -> list[Line]:
    steps: dict[int, Line] = {}
    for one in readings:
        steps.setdefault(one.step, {"step": one.step, "time": one.time, "metrics": {}})["metrics"][one.name] = one.value
    return list(steps.values())


def _end_content(summary: Summary) -> Line:
    number = summary.winner.trial.number if summary.winner else None
    return {"status": summary.status, "files": [file.name for file in summary.files], "winner": number}


def _trial_content(trial: Trial) -> Line:
    failure = trial.failure
    return {
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
