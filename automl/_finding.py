"""One thing that a check of the installation, the settings or a store has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether something is as it should be; a problem makes `automl doctor` end with exit code 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was looked at, what it is, and the way out where it is not as it should be."""

    area: str
    name: str
    value: str
    state: State = State.OK
    origin: str = ""
    way_out: str = ""


def judged(area: str, name: str, wrong: list[str], *, way_out: str, state: State = State.PROBLEM) -> Finding:
    """Fine where nothing is wrong; else the first few of what is."""
    if not wrong:
        return Finding(area, name, "fine")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return Finding(area, name, f"{'; '.join(wrong[:3])}{more}", state, way_out=way_out)
