"""What was done to a search so far, a line each, so that a stopped benchmark goes on in the middle."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any


class Journal:
    """Events of a row in a file; each has a `kind`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.events: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def note(self, kind: str, **facts: Any) -> None:
        """Writes an event down."""
        event = {"kind": kind, **facts}
        self.events.append(event)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def count(self, *kinds: str) -> int:
        """Events of these kinds."""
        return sum(event["kind"] in kinds for event in self.events)

    def counts(self) -> dict[str, int]:
        """Events by kind."""
        return dict(sorted(Counter(event["kind"] for event in self.events).items()))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All events of a kind, in order."""
        return [event for event in self.events if event["kind"] == kind]
